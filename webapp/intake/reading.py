"""DICOM data sets from what was sent, quietly: no warning of the parser may carry a patient's words to a log."""

import contextlib
import logging
import warnings
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import BinaryIO

import pydicom
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID

from inference.imaging.findings import SeriesRefused
from inference.imaging.headers import file_name, text
from inference.imaging.reading import require_inflatable
from webapp.intake.sources import HEAD_BYTES, Found

# Odd values are judged by intake's own checks; pydicom's would quote them in warnings.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
_PEEK = ["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Rows"]
PIXEL_TAGS = [Tag(keyword) for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")]
DEFLATED = "1.2.840.10008.1.2.1.99"
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
            bare = _is_bare(stream)
            require_inflatable(stream)
            dataset = pydicom.dcmread(stream, stop_before_pixels=not pixels, force=bare)
    except Exception as error:  # pydicom raises many kinds on hostile files; all of them mean this
        raise SeriesRefused("broken_file", f"{found.label} is a broken DICOM file.") from error
    if pixels:
        dataset.file_meta.TransferSyntaxUID = UID(transfer_syntax_of(dataset))
    dataset.filename = found.label
    return dataset


class Slices:
    """The files of a series: each header is parsed once and kept, its pixels are read when they are asked for."""

    def __init__(self, files: Sequence[Found]) -> None:
        self._files = list(files)
        self._places: list[int | None] = []
        # As they were read: asking a header for a value makes an element of it that is no longer what the file holds.
        self._as_read: list[dict[BaseTag, DataElement | RawDataElement]] = []
        self.headers: list[FileDataset] = []
        for found in self._files:
            self.headers.append(self._header(found))

    def _header(self, found: Found) -> FileDataset:
        try:
            with found.open() as stream:
                bare = _is_bare(stream)
                require_inflatable(stream)
                dataset = pydicom.dcmread(stream, stop_before_pixels=True, force=bare)
                dataset.file_meta.TransferSyntaxUID = UID(transfer_syntax_of(dataset))
                # A deflated file is parsed from a copy, so that its position here says nothing.
                deflated = dataset.file_meta.get("TransferSyntaxUID") == DEFLATED
                self._places.append(None if deflated else stream.tell())
        except Exception as error:  # as in read
            raise SeriesRefused("broken_file", f"{found.label} is a broken DICOM file.") from error
        dataset.filename = found.label
        self._as_read.append({tag: dataset.get_item(tag) for tag in dataset.keys()})  # noqa: SIM118 - no mapping
        return dataset

    def only(self, indices: Iterable[int]) -> None:
        """Keep these files alone."""
        chosen = list(indices)
        self._files = [self._files[i] for i in chosen]
        self._places = [self._places[i] for i in chosen]
        self._as_read = [self._as_read[i] for i in chosen]
        self.headers = [self.headers[i] for i in chosen]

    def whole(self, index: int) -> FileDataset:
        """One file's data set with its pixels: a shallow copy, so that the header stays small."""
        header = self.headers[index]
        return self._with_pixels(index, {tag: header.get_item(tag) for tag in header.keys()})  # noqa: SIM118 - no mapping

    def as_read(self, index: int) -> FileDataset:
        """The same with every element as the file holds it, whatever its header was asked for since."""
        return self._with_pixels(index, dict(self._as_read[index]))

    def _with_pixels(self, index: int, elements: dict[BaseTag, DataElement | RawDataElement]) -> FileDataset:
        header, place = self.headers[index], self._places[index]
        if place is None:
            return read(self._files[index])
        try:
            with self._files[index].open() as stream:
                stream.seek(place)
                tail = read_dataset(BytesIO(stream.read()), *header.original_encoding)
        except Exception as error:  # as in read
            raise SeriesRefused("broken_file", f"{file_name(header)} is a broken DICOM file.") from error
        implicit, little = header.original_encoding
        dataset = FileDataset(file_name(header), elements, b"\0" * 128, header.file_meta, bool(implicit), bool(little))
        dataset.set_original_encoding(implicit, little, header.original_character_set)
        for tag in PIXEL_TAGS:
            if tag in tail:
                dataset[tag] = tail.get_item(tag)
        return dataset


def transfer_syntax_of(dataset: Dataset) -> str:
    """The transfer syntax of a data set as read; guessed from its encoding where the file did not say."""
    uid = getattr(dataset, "file_meta", Dataset()).get("TransferSyntaxUID")
    if uid:
        return str(uid)
    implicit, little = dataset.original_encoding
    if not little:
        return "1.2.840.10008.1.2.2"
    return "1.2.840.10008.1.2" if implicit else "1.2.840.10008.1.2.1"


def _is_bare(stream: BinaryIO) -> bool:
    """Whether a file has no preamble: it then begins with an element of group 0008."""
    start = stream.read(132)
    stream.seek(0)
    return start[:2] == b"\x08\x00" and start[128:132] != b"DICM"
