"""Rows about pixels and what their values mean."""

from inference.imaging.gate.files import AGAIN
from inference.imaging.gate.table import accepted, refused, warned

ROWS = (
    refused("no_pixels", "{name} has no pixels.", "The file is a header alone.", AGAIN),
    refused(
        "pixels",
        "The pixels of {name} cannot be read: {reason}.",
        "They are damaged, cut short or encoded in another way than the file says.",
        AGAIN,
    ),
    refused(
        "transfer_syntax",
        "The pixels of {name} are stored in a way that is not read here ({syntax}).",
        "Video, JPEG XL, JPIP and private transfer syntaxes have no decoder here.",
        "Send the series uncompressed, or in RLE, JPEG, JPEG-LS, JPEG 2000 or HTJ2K.",
    ),
    refused(
        "bits",
        "{name} contradicts itself about its bits (allocated {allocated}, stored {stored}, highest {highest}).",
        "Which bits hold the value is unknown.",
        AGAIN,
    ),
    refused(
        "rescale",
        "{name} has no usable rescale (slope {slope}, intercept {intercept}).",
        "A slope of 0, or numbers that are none, give no Hounsfield units.",
        AGAIN,
    ),
    warned(
        "no_hu",
        "The values are not known to be Hounsfield units ({what}); no weight is computed.",
        "Weight is density, and density needs Hounsfield units.",
        "Send the original images for weights.",
        biases_weight=True,
    ),
    warned(
        "no_air",
        "No voxel is as light as air: check whether the values are Hounsfield units.",
        "Every chest holds air; values without it were shifted, clipped or scaled.",
        biases_weight=True,
    ),
    warned(
        "clipped",
        "{count:,} voxels lie beyond the range of 16 bits and were clipped.",
        "No tissue is that dense: metal, or a wrong rescale.",
    ),
    warned(
        "rounded",
        "Values are not whole numbers; they were rounded to whole HU.",
        "Slope or intercept are fractions, or the file holds fractions. Voxels are kept as whole Hounsfield units, so "
        "each may be off by up to 0.5.",
    ),
    accepted(
        "rescale_slope",
        "RescaleSlope is {slope:g}; values were multiplied by it.",
        "Usually it is 1.",
    ),
    accepted(
        "per_slice_rescale",
        "Slope or intercept differ between slices; each slice was rescaled by its own.",
        "Some scanners and converters scale slice by slice.",
    ),
    accepted(
        "padding",
        "{count:,} voxels are padding outside the field of view ({lowest} HU at the lowest).",
        "They are kept as they are (-2000, -3024, ...); no density is below 0, so that they weigh nothing.",
    ),
    warned(
        "padding_as_tissue",
        "Padding is stored as {value} HU ({count:,} voxels): where a mask covers it, it counts as tissue.",
        "PixelPaddingValue marks voxels outside the field of view, but its value looks like tissue.",
        biases_weight=True,
    ),
    warned(
        "monochrome1",
        "Stored as MONOCHROME1 (white is low); HU follow the rescale all the same.",
        "It speaks of the display alone. Check that air is dark.",
    ),
    accepted(
        "high_bits",
        "Values lie in the upper bits (highest bit {highest} of {allocated}); they were moved down.",
        "An old way to store 12 bits in 16.",
    ),
    accepted("big_endian", "Stored in big endian order, which is retired.", "Read exactly."),
    accepted("deflated", "Stored as a deflated data set.", "Read exactly."),
    warned(
        "lossy",
        "The pixels were compressed with loss; HU are approximate.",
        "Fine texture is gone and edges ring.",
        biases_weight=True,
    ),
    warned(
        "contrast",
        "Contrast medium was given: it raises density and with it weight.",
        "Vessels and perfused tissue are denser by the medium.",
        biases_weight=True,
    ),
    warned(
        "sharp_kernel",
        "Sharp reconstruction kernel ({kernel}): noise and edges bias weight.",
        "Sharp kernels overshoot at edges and raise noise; what noise pushes below -1000 HU counts as 0.",
        biases_weight=True,
    ),
)
