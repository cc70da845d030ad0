"""DICOM data sets from what was sent, quietly: no warning of the parser may carry a patient's words to a log."""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from io import BytesIO

import pydicom
from pydicom.dataset import FileDataset

from inference.imaging.findings import SeriesRefused
from inference.imaging.headers import text
from webapp.intake.sources import HEAD_BYTES, Found

# Odd values are judged by intake's own checks; pydicom's would quote them in warnings.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
_PEEK = ["SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "Rows"]
MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence the libraries that parse and decode: what they say may quote the file."""
    libraries = [logging.getLogger(name) for name in ("pydicom", "pylibjpeg", "openjpeg", "libjpeg", "nibabel")]
    levels = [library.level for library in libraries]
    for library in libraries:
        library.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for library, level in zip(libraries, levels, strict=True):
            library.setLevel(level)


def peek(found: Found) -> FileDataset:
    """The few elements that say which series a file belongs to. Raises SeriesRefused naming the file."""
    try:
        head = found.head()
    except OSError as error:
        raise SeriesRefused("unreadable", "It cannot be read: it is damaged or cut short.") from error
    if found.size == 0 or not head:
        raise SeriesRefused("empty_file", "It is empty (0 bytes).")
    bare = head[:2] == b"\x08\x00"
    if head[128:132] != b"DICM" and not bare:
        raise SeriesRefused("not_dicom", "It is not a DICOM file.")
    with contextlib.suppress(Exception):
        dataset = pydicom.dcmread(BytesIO(head), stop_before_pixels=True, force=bare, specific_tags=_PEEK)
        if text(dataset, "SeriesInstanceUID") and (len(head) < HEAD_BYTES or "Rows" in dataset):
            return dataset
    return read(found, pixels=False)


def read(found: Found, *, pixels: bool = True) -> FileDataset:
    """A file's data set, which calls itself by the file's label. Raises SeriesRefused naming the file."""
    try:
        with found.open() as stream:
            start = stream.read(132)
            stream.seek(0)
            bare = start[:2] == b"\x08\x00" and start[128:132] != b"DICM"
            dataset = pydicom.dcmread(stream, stop_before_pixels=not pixels, force=bare)
    except Exception as error:  # pydicom raises many kinds on hostile files; all of them mean this
        raise SeriesRefused("broken_file", f"{found.label} is a broken DICOM file.") from error
    dataset.filename = found.label
    return dataset
