"""Pixels of one CT file: every transfer syntax, sign and rescale, to Hounsfield units."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.uid import UID

from inference.imaging.findings import SeriesRefused
from inference.imaging.headers import file_name, numbers, text

# Retired JPEG processes that CT archives still hold and pydicom has no decoder for: GDCM reads them.
GDCM_ONLY = ("1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55")


@dataclass(frozen=True, eq=False)
class SlicePixels:
    """One slice in HU (int16, axes yx), how many voxels did not fit int16, and whether a rescale was given."""

    hu: NDArray[np.int16]
    clipped: int
    has_hu: bool


def decode_hu(dataset: Dataset) -> SlicePixels:
    """One file's pixels as HU by its own rescale; raises SeriesRefused("pixels") naming the file.

    Rounds to the nearest integer where slope or intercept are not whole. Without RescaleIntercept, or with a
    RescaleType other than HU, the numbers stand as they are and `has_hu` is False.
    """
    name = file_name(dataset)
    if "PixelData" not in dataset:
        raise SeriesRefused("pixels", f"{name} has no pixels.")
    try:
        stored = _stored_values(dataset)
    except Exception as error:  # decoders raise all kinds on damaged input; each means the same to a reader
        raise SeriesRefused("pixels", f"The pixels of {name} cannot be read: {_reason(dataset)}.") from error
    if stored.ndim != 2:
        raise SeriesRefused("pixels", f"The pixels of {name} are not a single slice.")
    slope, intercept = numbers(dataset, "RescaleSlope", 1), numbers(dataset, "RescaleIntercept", 1)
    if slope == [0.0]:
        raise SeriesRefused("rescale", f"{name} has a RescaleSlope of 0.")
    has_hu = intercept is not None and text(dataset, "RescaleType").upper() in ("", "HU")
    hu, clipped = _rescale(stored, slope[0] if slope else 1.0, intercept[0] if intercept else 0.0)
    return SlicePixels(hu, clipped, has_hu)


def _rescale(stored: NDArray[Any], slope: float, intercept: float) -> tuple[NDArray[np.int16], int]:
    whole = slope.is_integer() and intercept.is_integer() and abs(slope) < 2**20 and abs(intercept) < 2**31
    if whole:
        exact = stored.astype(np.int64) * int(slope) + int(intercept)
    else:
        wide = np.rint(stored.astype(np.float64) * slope + intercept)
        exact = np.clip(wide, -(2.0**40), 2.0**40).astype(np.int64)
    low, high = -32768, 32767
    if exact.min() >= low and exact.max() <= high:
        return exact.astype(np.int16), 0
    clipped = int(np.count_nonzero((exact < low) | (exact > high)))
    return np.clip(exact, low, high).astype(np.int16), clipped


def _stored_values(dataset: Dataset) -> NDArray[Any]:
    if _transfer_syntax(dataset) in GDCM_ONLY:
        stored = _gdcm_values(dataset)
    else:
        stored = dataset.pixel_array
        stored = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    if int(dataset.get("PixelRepresentation", 0) or 0) == 0:
        # Old files keep overlays in the bits above the stored ones.
        bits = int(dataset.BitsStored)
        if bits < 8 * stored.dtype.itemsize and stored.size and int(stored.max()) >> bits:
            stored = stored & stored.dtype.type((1 << bits) - 1)
    return stored


def _gdcm_values(dataset: Dataset) -> NDArray[Any]:
    """Decode one frame with GDCM, as pydicom's own plugin does for the syntaxes that it lists."""
    import gdcm

    frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((int(dataset.Columns), int(dataset.Rows), 1))
    image.SetDataElement(element)
    kind = gdcm.PhotometricInterpretation.GetPIType(str(dataset.PhotometricInterpretation))
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    syntax = gdcm.TransferSyntax.GetTSType(_transfer_syntax(dataset))
    image.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    allocated, bits = int(dataset.BitsAllocated), int(dataset.BitsStored)
    signed = int(dataset.PixelRepresentation)
    image.SetPixelFormat(gdcm.PixelFormat(1, allocated, bits, bits - 1, signed))
    buffer = image.GetBuffer().encode("utf-8", "surrogateescape")
    dtype = np.dtype(f"<{'i' if signed else 'u'}{allocated // 8}")
    return np.frombuffer(buffer, dtype=dtype).reshape(int(dataset.Rows), int(dataset.Columns))


def _transfer_syntax(dataset: Dataset) -> str:
    meta = getattr(dataset, "file_meta", None)
    return str(meta.get("TransferSyntaxUID", "")) if meta is not None else ""


def _reason(dataset: Dataset) -> str:
    syntax = UID(_transfer_syntax(dataset))
    if not syntax:
        return "the file does not name its transfer syntax"
    known = syntax.name if syntax.is_transfer_syntax else "an unknown transfer syntax"
    return f"they are damaged, cut short or not really {known}"
