"""Rows about what an image is, by its header: its kind, its size, its place."""

from inference.imaging.gate.files import AGAIN
from inference.imaging.gate.table import accepted, refused, warned

AXIAL = "Send the axial reconstruction of the scan."

ROWS = (
    refused(
        "modality",
        "{name} is not CT: {what}.",
        "Extent and weight are defined on CT alone.",
        "Send CT series.",
    ),
    warned(
        "no_modality",
        "The files do not name a modality; their class says CT.",
        "Other elements may be missing as well: whoever wrote the files left required ones out.",
    ),
    refused(
        "secondary_capture",
        "{name} is a secondary capture, not a CT slice.",
        "A saved screen has no voxels in Hounsfield units and often shows the patient's name.",
        "Send the original images.",
    ),
    refused(
        "colour",
        "{name} is a colour picture, not a CT slice.",
        "CT numbers have one value a voxel.",
        "Send the original images, not fused or rendered ones.",
    ),
    refused("localiser", "{name} is a localiser (scout view), not a CT slice.", "A scout view has no volume.", AXIAL),
    accepted(
        "localisers_left_out",
        "{count} localiser (scout view) images of the series were left out.",
        "Scout views often share a series with the slices (ImageType LOCALIZER); the slices stand without them.",
    ),
    refused(
        "projection",
        "{name} is a projection or rendering ({kind}), not a slice.",
        "Maximum intensity projections, renderings and curved reformats hold no voxels of tissue: volume and weight "
        "would be wrong.",
        AXIAL,
    ),
    refused(
        "computed_map",
        "{name} is a computed map ({kind}): its values are not Hounsfield units of tissue.",
        "Perfusion, material, subtraction and effective atomic number maps look like CT and mean something else.",
        "Send the series that the map was computed from.",
    ),
    warned(
        "multi_energy",
        "Multi-energy CT ({kind}): HU are computed and differ from those of usual CT.",
        "HU of virtual monoenergetic and virtual unenhanced images depend on energy and material model.",
        biases_weight=True,
    ),
    warned(
        "reformat",
        "The slices are a reformat ({kind}): their voxels were interpolated from other images.",
        "Averaging over slices smooths small lesions and edges.",
        biases_weight=True,
    ),
    accepted(
        "derived",
        "The images say that they were derived from others (ImageType DERIVED).",
        "De-identification and compression set it as well; alone it says nothing about the voxels.",
    ),
    refused(
        "multi_frame",
        "{name} holds {count} frames in one file without a place for each.",
        "Only enhanced CT says where each of its frames lies.",
        "Send enhanced CT, or one file a slice.",
    ),
    refused(
        "frames",
        "{name} says that it holds {claimed} frames but describes {described}.",
        "Frames without a description have no place.",
        AGAIN,
    ),
    refused(
        "concatenation",
        "Part {missing} of the {total} parts that {name} belongs to is missing.",
        "A multi-frame image may be sent in parts (a concatenation); all of them are needed.",
        "Send all parts.",
    ),
    refused(
        "size",
        "{name} has no usable number of rows and columns ({what}).",
        "The size is missing, zero, or more than 4096 on a side.",
        AGAIN,
    ),
    refused(
        "pixel_spacing",
        "{name} has no usable PixelSpacing, so nothing can be measured.",
        "Without it a voxel has no volume. ImagerPixelSpacing and guesses are not used.",
        AGAIN,
    ),
    refused(
        "position",
        "{name} has no usable ImagePositionPatient: its place is unknown.",
        "Slices are ordered by position alone, never by file name, InstanceNumber or SliceLocation.",
        AGAIN,
    ),
    refused(
        "orientation",
        "{name} has no usable ImageOrientationPatient ({what}).",
        "Without it left and right are unknown.",
        AGAIN,
    ),
    refused(
        "not_axial",
        "The series is {plane} ({name}); only axial series are read.",
        "Readers decide slice by slice on axial slices, and nothing is resampled.",
        AXIAL,
    ),
    refused(
        "oblique",
        "The slices are tilted by {degrees:.1f} degrees ({name}); nothing is resampled here.",
        "Oblique slices would be drawn and measured as if they were axial.",
        AXIAL,
    ),
    refused(
        "gantry_tilt_declared",
        "{name} declares a gantry tilt of {degrees:.1f} degrees, while its positions say that there is none.",
        "One of the two is wrong: a tilted stack taken for a straight one is sheared.",
        "Send a series without tilt, or one corrected for it that says a tilt of 0.",
    ),
)
