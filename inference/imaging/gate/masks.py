"""Rows about masks that other programs made of a scan that is here."""

from inference.imaging.gate.files import AGAIN
from inference.imaging.gate.table import accepted, refused, warned

SAME_SERIES = "Send the mask that was drawn on this very series."

ROWS = (
    refused(
        "mask_size",
        "The mask has {mask} voxels and the scan {scan} (left to right, front to back, feet to head).",
        "A mask lies on its scan's own grid; nothing is resampled.",
        SAME_SERIES,
    ),
    refused(
        "mask_spacing",
        "The mask's voxels are {mask} mm and the scan's {scan} mm.",
        "A mask lies on its scan's own grid; nothing is resampled.",
        SAME_SERIES,
    ),
    refused(
        "mask_orientation",
        "The mask's axes are turned by {degrees:.1f} degrees against the scan's.",
        "A mask lies on its scan's own grid; nothing is resampled.",
        SAME_SERIES,
    ),
    refused(
        "mask_position",
        "The mask lies up to {distance:.2f} mm away from the scan's voxels.",
        "A mask lies on its scan's own grid; nothing is resampled.",
        SAME_SERIES,
    ),
    refused(
        "other_frame_of_reference",
        "{name} lies in another frame of reference than the scan.",
        "Its positions mean nothing in this scan.",
        SAME_SERIES,
    ),
    refused(
        "not_segmentation",
        "{name} is not a DICOM Segmentation or RT Structure Set that is read here ({what}).",
        "BINARY, FRACTIONAL and LABELMAP segmentations and structure sets of closed planar contours are.",
        "Export the mask as one of these, or as NIfTI.",
    ),
    refused(
        "no_segments",
        "{name} describes no segment that could be read ({what}).",
        "A mask names what it shows.",
        AGAIN,
    ),
    refused(
        "segmentation_frames",
        "{name} does not say where its frames lie, or to which segment they belong ({what}).",
        "Each frame needs its place, its size and its segment.",
        AGAIN,
    ),
    accepted(
        "fractional",
        "Fractional segments were taken where they reach {threshold:g} of their maximum ({kind}).",
        "A mask says yes or no for each voxel; the threshold can be chosen.",
    ),
    accepted(
        "segments_overlap",
        "Segments overlap: {what}.",
        "Each segment is kept whole; a layer of a mask can hold only one label in a voxel.",
    ),
    accepted(
        "unknown_segments",
        "{count} frames belong to segments that are not described; they were left out.",
        "A segment without a description has no name or code.",
    ),
    accepted(
        "no_frame_of_reference",
        "{name} does not name its frame of reference; its positions were compared alone.",
        "Older programs leave it out.",
    ),
    refused(
        "contour",
        "{name} has contours that cannot be read ({what}).",
        "A contour is a list of at least three points (x, y, z) in mm.",
        AGAIN,
    ),
    refused(
        "contour_off_plane",
        "A contour of {region} lies {distance:.2f} mm from the nearest slice, or not in the plane of one.",
        "Contours are filled slice by slice; nothing is interpolated.",
        SAME_SERIES,
    ),
    warned(
        "contour_moved",
        "{count} contours lay up to {distance:.2f} mm from their slice and were moved to it.",
        "Within the tolerance; the nearest slice is meant.",
    ),
    warned(
        "contour_gaps",
        "{region} has no contour on {count} slices between its first and its last.",
        "Nothing is interpolated between slices.",
    ),
    accepted(
        "contour_outside",
        "{count} contours reach beyond the scan; what lies outside was cut off.",
        "A contour may be larger than the image.",
    ),
    accepted(
        "contour_open",
        "{count} points and open lines were left out.",
        "They enclose nothing (markers, distances, centre lines).",
    ),
)
