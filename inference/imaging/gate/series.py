"""Rows about how the slices of a series lie to each other."""

from inference.imaging.gate.files import AGAIN
from inference.imaging.gate.slices import AXIAL
from inference.imaging.gate.table import accepted, refused, warned

APART = "Send each of them as a series of its own."

ROWS = (
    refused(
        "too_many_slices",
        "The series has more than {most} slices.",
        "No chest has: they are several scans in one.",
        APART,
    ),
    refused("two_patients", "{pair} belong to different patients.", "PatientID differs.", APART),
    refused("two_series", "{pair} belong to different series.", "SeriesInstanceUID differs.", APART),
    warned(
        "mixed_frame_of_reference",
        "The slices name different frames of reference; their positions were compared all the same.",
        "Some programs that remove identities give each slice a frame of its own; an even, straight stack shows that "
        "the slices belong together.",
    ),
    refused(
        "mixed_size",
        "{pair} differ in size ({sizes} pixels).",
        "One grid has one size.",
        APART,
    ),
    refused(
        "mixed_orientation",
        "{pair} differ in orientation.",
        "One grid has one orientation (localisers, which say so, are left out instead).",
        APART,
    ),
    refused("mixed_spacing", "{pair} differ in pixel spacing.", "One grid has one pixel spacing.", APART),
    refused(
        "mixed_rescale",
        "{pair} differ in what their values mean ({types}).",
        "RescaleType differs, or only one of them has a rescale: part of the series would not be Hounsfield units.",
        APART,
    ),
    accepted(
        "repeated_image",
        "{count} images are there twice, voxel for voxel; each counts once.",
        "Archives send the same image again after an interrupted transfer, at times under a new UID.",
    ),
    refused(
        "two_in_one_place",
        "{pair} are different images at the same position ({count} such pairs).",
        "Two phases, reconstructions or acquisitions share the series; which one is meant is unknown.",
        APART,
    ),
    refused(
        "missing_slice",
        "{missing} missing: {step:.2f} mm lie between {pair}, where {typical:.2f} mm is usual "
        "(missing at {places} mm along the slice normal).",
        "A gap would be closed in silence, and everything beyond it displaced.",
        "Send the whole series again.",
    ),
    refused(
        "irregular_spacing",
        "The slices are not evenly spaced: {name} lies {distance:.2f} mm from its place.",
        "An even grid would put slices where they are not; nothing is resampled.",
        "Send an evenly spaced reconstruction.",
    ),
    warned(
        "uneven_spacing",
        "Slice positions differ from an even, straight stack by up to {distance:.3f} mm.",
        "Within the tolerance; places and volumes are off by no more than that.",
    ),
    refused(
        "gantry_tilt",
        "The slices are not stacked straight (gantry tilt of {degrees:.1f} degrees, up to {sideways:.1f} mm "
        "sideways); nothing is resampled here.",
        "Coronal and sagittal planes would be sheared, and distances wrong.",
        AXIAL,
    ),
    refused(
        "no_thickness",
        "{name} is a single slice without a SliceThickness.",
        "A single slice has a volume only by its declared thickness.",
        AGAIN,
    ),
    warned(
        "single_slice",
        "A single slice: its declared thickness stands for spacing.",
        "Volume and weight are those of one slab, not of the lung.",
        biases_weight=True,
    ),
    warned(
        "thick_slices",
        "Thick slices ({thickness_mm:.4g} mm): partial volume biases weight.",
        "Voxels at edges average tissue and air.",
        biases_weight=True,
    ),
    warned(
        "mixed_thickness",
        "Slice thickness differs within the series ({thicknesses} mm).",
        "Noise and partial volume change from slice to slice; spacing comes from positions all the same.",
        biases_weight=True,
    ),
    warned(
        "overlapping_slices",
        "Slices overlap: {thickness_mm:.4g} mm thick, {spacing_mm:.2f} mm apart.",
        "Usual for reconstructions; each slice shows some of its neighbours' tissue. Volumes follow the spacing.",
    ),
    warned(
        "slice_gaps",
        "Gaps between slices: {thickness_mm:.4g} mm thick, {spacing_mm:.2f} mm apart.",
        "Tissue between the slices was never imaged; volumes take each slice for all that lies around it.",
        biases_weight=True,
    ),
)
