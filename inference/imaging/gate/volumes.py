"""Rows about volume files (NIfTI, NRRD, MetaImage) and pictures."""

from inference.imaging.gate.files import AGAIN
from inference.imaging.gate.table import accepted, refused, warned

ROWS = (
    refused(
        "unknown_format",
        "{name} is none of the volume files that are read here (NIfTI, NRRD, MetaImage, PNG, JPEG, TIFF).",
        "A file is known by its first bytes, not by its name.",
        "Convert it to NIfTI.",
    ),
    refused(
        "analyze",
        "{name} is an Analyze 7.5 file, which does not say which side is left.",
        "Programs have read Analyze both ways round; left and right would be a guess.",
        "Convert it to NIfTI with the program that wrote it.",
    ),
    refused(
        "detached",
        "{name} keeps its voxels in another file ({companion}), which was not sent with it.",
        "A header alone has no voxels.",
        "Send both files together in one folder or zip, or one file that holds both.",
    ),
    refused(
        "companion",
        "{name} names a data file outside its own folder; such a name is not followed.",
        "A header must not make the server read other files.",
        "Keep header and data in one folder.",
    ),
    refused(
        "encoding",
        "{name} is stored in a way that is not read here ({what}).",
        "Only the format's usual encodings and number types are read.",
        "Write it again uncompressed or with gzip, as plain numbers.",
    ),
    refused(
        "dimensions",
        "{name} is not one three-dimensional scan ({what}).",
        "Time series, vectors and tensors are not scans.",
        "Send one volume a file.",
    ),
    refused(
        "volume_size",
        "{name} claims {what} voxels.",
        "No chest CT is that large, or it holds nothing.",
        AGAIN,
    ),
    refused(
        "numbers",
        "{name} does not hold plain numbers ({what}).",
        "Complex numbers, colours and records are not CT numbers.",
        "Send CT numbers.",
    ),
    refused("not_finite", "{name} holds voxels that are not numbers.", "NaN or infinity have no density.", AGAIN),
    refused(
        "range",
        "{name} holds values beyond 16 bits; they cannot be Hounsfield units.",
        "The densest metal stays far below.",
        "Send the volume in Hounsfield units.",
    ),
    refused(
        "no_place",
        "{name} does not say where its voxels lie ({what}).",
        "Without it left and right are unknown.",
        "Write the file with its orientation (sform or qform, space directions, TransformMatrix).",
    ),
    refused(
        "volume_spacing",
        "{name} has no usable voxel spacing.",
        "Spacing is zero, not a number, or beyond 100 mm.",
        AGAIN,
    ),
    refused(
        "sheared",
        "{name} is sheared (gantry tilt); nothing is resampled here.",
        "Its axes are not at right angles: distances would be wrong.",
        "Send a scan without gantry tilt.",
    ),
    accepted(
        "two_places",
        "sform and qform differ by up to {distance:.1f} mm; the sform was taken.",
        "Registration programs leave the scanner's place in one of them.",
    ),
    warned(
        "no_spacing",
        "Pictures say nothing about size: no mm, mL or g; extent is by area.",
        "PNG, JPEG and TIFF slices of public sets have lost spacing and position.",
        biases_weight=True,
    ),
    refused(
        "picture",
        "{name} cannot be read as a picture.",
        "It is damaged, cut short, or animated.",
        "Send whole PNG, JPEG or TIFF files.",
    ),
    refused(
        "picture_colour",
        "{name} is a colour picture, not a CT slice.",
        "Only grey pictures (or colour ones whose channels are alike) are CT slices.",
        "Send grey pictures.",
    ),
    refused(
        "picture_sizes",
        "{pair} differ in size ({sizes} pixels); pictures of one case have one size.",
        "One case is one stack.",
        "Send the pictures of each case in a folder or zip of their own.",
    ),
    accepted(
        "scaled_labels",
        "Labels are stored as {stored}; they were read as {read}.",
        "Masks are often drawn in black and white (0 and 255).",
    ),
    refused(
        "labels",
        "{name} is not a mask: labels are whole numbers from 0 to 255.",
        "Label values name classes; fractions name none.",
        "Send a label volume.",
    ),
)
