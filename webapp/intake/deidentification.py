"""De-identification of DICOM data sets under a profile, at every level of nesting.

What text stays is searched for the patient's own words, and so is the finished file.
"""

import re
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

import pydicom
from pydicom.charset import default_encoding, python_encoding
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element, write_file_meta_info
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import PYDICOM_IMPLEMENTATION_UID, UID

from inference.imaging.decoding import NATIVE
from webapp.campaigns.deidentification import SHIFT
from webapp.intake.descriptors import clean_description
from webapp.intake.identity import Identity, new_uid
from webapp.intake.personal import Identifiers
from webapp.intake.pixels import clear_beside_values
from webapp.intake.profile import METHOD, PIXELS, Deed, Profile
from webapp.intake.reading import transfer_syntax_of
from webapp.intake.shifting import capped_age, plain_time, shifted_date, shifted_datetime

IMPLICIT, EXPLICIT = UID("1.2.840.10008.1.2"), UID("1.2.840.10008.1.2.1")
# Values of one binary attribute; beyond this it is a hiding place rather than a parameter.
MOST_BINARY_BYTES = 1024
# Type 2 in every image: present, perhaps empty.
PRESENT = (
    *("StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyID"),
    *("PatientSex", "PositionReferenceIndicator"),
)
MANY_FRAMES = {"1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2", "1.2.840.10008.5.1.4.1.1.66.4"}
# Longer ones (a raw sequence, a table) are seldom alike, and would only fill the memory.
LONGEST_REMEMBERED = 4096
_NUMBER = re.compile(r"[ ]*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?[ \0]*")
_CODE = re.compile(r"[A-Z0-9_ ]{0,16}")
_DUMMIES: dict[str, object] = {"DA": "19000101", "TM": "000000", "DT": "19000101000000", "DS": "0", "IS": "0"}
_TEXT = {"LO", "SH", "CS", "ST", "LT", "UT", "UC", "PN", "AE"}


class IdentityFound(Exception):
    """The patient's own words were still in the finished file: inside the compressed pixels, say."""


class Deidentifier:
    """De-identifies the data sets of one patient's series under one profile."""

    def __init__(self, identity: Identity, identifiers: Identifiers, profile: Profile) -> None:
        self.identity = identity
        self.identifiers = identifiers
        self.profile = profile
        # What many slices share is cleaned once: raw element -> cleaned element, None where it is removed.
        self._cleaned: dict[Any, DataElement | RawDataElement | None] = {}
        self._encoding: Any = None
        # By the identity of the element, which `_cleaned` and `_added` keep alive; encoded as the slices at hand are.
        self._shared: set[int] = set()
        self._encoded: dict[tuple[int, UID], bytes] = {}
        self._encoded_as: Any = None
        self._added = self._elements_added()
        self._ours = {id(element) for element in self._added}
        self._shared.update(self._ours)
        self._changes: dict[Deed, Callable[[Any, str], object]] = {
            Deed.UID: lambda value, vr: self.new_uid(str(value)),
            Deed.MOVE: lambda value, vr: (shifted_date if vr == "DA" else shifted_datetime)(self.identity, value),
            Deed.TIME: lambda value, vr: plain_time(str(value)),
            Deed.AGE: lambda value, vr: capped_age(str(value)),
            Deed.SEX: lambda value, vr: value if value in ("M", "F", "O") else "",
            Deed.NUMBER: lambda value, vr: value if _NUMBER.fullmatch(str(value)) else "",
            Deed.CODE: lambda value, vr: self._code_word(str(value)),
            Deed.CHARACTER_SET: lambda value, vr: value if value in python_encoding else "",
            Deed.TEXT: lambda value, vr: self.identifiers.cleaned(str(value)),
            Deed.VOCABULARY: lambda value, vr: self.identifiers.cleaned(clean_description(str(value))),
        }

    def clean(self, dataset: Dataset) -> Dataset:
        """De-identify `dataset` in place and return it; its pixels stay as they are encoded."""
        transfer_syntax = transfer_syntax_of(dataset)
        self._encoding = dataset.original_encoding, str(dataset.original_character_set)
        if self._encoded_as != self._encoding:
            self._encoded_as, self._encoded = self._encoding, {}
        clear_beside_values(dataset, transfer_syntax)
        self._clean_level(dataset, pixels=PIXELS)
        for element in self._added:
            dataset[element.tag] = element
        self._fill_what_must_be_there(dataset)
        dataset.file_meta = _file_meta(dataset, transfer_syntax)
        dataset.preamble = b"\0" * 128
        return dataset

    def _elements_added(self) -> list[DataElement]:
        """What every cleaned data set says of the patient and of its de-identification (PS3.15 Annex E.1)."""
        added = Dataset()
        added.PatientName = self.identity.pseudonym
        added.PatientID = self.identity.pseudonym
        added.PatientBirthDate = ""
        added.PatientIdentityRemoved = "YES"
        added.DeidentificationMethod = [METHOD, self.profile.name]
        added.DeidentificationMethodCodeSequence = Sequence([_code(*code) for code in self.profile.codes])
        shifted = self.profile.options.dates == SHIFT
        added.LongitudinalTemporalInformationModified = "MODIFIED" if shifted else "REMOVED"
        return list(added)

    def file_of(self, dataset: Dataset) -> bytes:
        """The bytes of a cleaned data set as a DICOM file. Raises IdentityFound."""
        syntax = UID(dataset.file_meta.TransferSyntaxUID)
        if not _keeps_its_encoding(dataset):
            # What is deflated in the end is searched as it is before.
            self._encoded_of(dataset, IMPLICIT if dataset.original_encoding[0] else EXPLICIT)
            return _written(dataset)
        if "PixelData" in dataset:
            dataset["PixelData"].is_undefined_length = syntax.is_compressed
        head = DicomBytesIO()
        write_file_meta_info(head, dataset.file_meta, enforce_standard=True)
        return b"".join([dataset.preamble, b"DICM", head.getvalue(), *self._encoded_of(dataset, syntax)])

    def _encoded_of(self, dataset: Dataset, syntax: UID) -> list[bytes]:
        """The elements as pydicom.dcmwrite encodes them; one that many slices share is encoded, and searched, once.

        What this class adds by itself is not searched: it is the same in every file. Raises IdentityFound.
        """
        charsets = dataset.get("SpecificCharacterSet", default_encoding)
        # Native pixels are numbers.
        native = str(dataset.file_meta.TransferSyntaxUID) in NATIVE
        parts, searched = [], []
        for tag in sorted(dataset.keys()):
            if tag.element == 0 and tag.group > 6:  # a group's length: retired, PS3.5 section 7.2
                continue
            item = dataset.get_item(tag)
            content = self._encoded.get((id(item), syntax))
            if content is None:
                content = _encoded(item, syntax, charsets)
                if id(item) in self._shared:
                    self._encoded[id(item), syntax] = content
                if tag in PIXELS:
                    if not native and self.identifiers.are_in_pixels(content):
                        raise IdentityFound
                elif id(item) not in self._ours:
                    searched.append(content)
            parts.append(content)
        if self.identifiers.are_in_elements(b"".join(searched)):
            raise IdentityFound
        return parts

    def new_uid(self, uid: str) -> str:
        """The UID that stands for `uid` under this profile; those that DICOM itself registers stay."""
        uid = uid.strip(" \0")
        return uid if not uid or UID(uid).type else new_uid(uid, self.profile.name)

    def _fill_what_must_be_there(self, dataset: Dataset) -> None:
        for keyword in PRESENT:
            if keyword not in dataset:
                setattr(dataset, keyword, "")
        if str(dataset.get("SOPClassUID", "")) in MANY_FRAMES:
            for keyword, dummy in (("ContentDate", "19000101"), ("ContentTime", "000000")):
                if not dataset.get(keyword):  # type 1 there
                    setattr(dataset, keyword, dummy)

    def _clean_level(self, dataset: Dataset, pixels: frozenset[BaseTag] = frozenset()) -> None:
        for tag in list(dataset.keys()):
            if tag in pixels:
                continue
            item = dataset.get_item(tag)
            cleaned = self._remembered(dataset, tag, item)
            if cleaned is None:
                del dataset[tag]
            elif cleaned is not item:
                dataset[tag] = cleaned

    def _remembered(
        self, dataset: Dataset, tag: BaseTag, item: DataElement | RawDataElement
    ) -> DataElement | RawDataElement | None:
        if not isinstance(item, RawDataElement) or len(item.value or b"") > LONGEST_REMEMBERED:
            return self._clean_element(dataset, tag, item)
        key = tag, item.VR, item.value, self._encoding
        if key not in self._cleaned:
            self._cleaned[key] = cleaned = self._clean_element(dataset, tag, item)
            if cleaned is not None:
                self._shared.add(id(cleaned))
        return self._cleaned[key]

    def _clean_element(
        self, dataset: Dataset, tag: BaseTag, item: DataElement | RawDataElement
    ) -> DataElement | RawDataElement | None:
        """The element as it may stay; the very same one where nothing changes, None where it goes."""
        vr = _vr_of(tag, item)
        deed = self.profile.deed(tag, vr)
        # Pixels elsewhere than in the image itself are a picture in small, or a hiding place.
        if deed in (Deed.REMOVE, Deed.PIXELS) or (deed is Deed.BINARY and not _is_plain_binary(item, tag, vr)):
            return None
        if deed is Deed.BINARY or self._is_harmless(item, deed):
            return item
        if deed is Deed.PSEUDONYM:
            return DataElement(tag, vr, self.identity.pseudonym)
        if deed is Deed.EMPTY:
            return DataElement(tag, vr, None)
        if deed is Deed.DUMMY:
            return DataElement(tag, vr, "REMOVED" if vr in _TEXT else _DUMMIES.get(vr))
        try:
            element = dataset[tag]
            if deed is Deed.ITEMS:
                for part in element.value or ():
                    self._clean_level(part)
                return element
            change = self._changes[deed]
            return DataElement(tag, vr, _each(element.value, lambda part: change(part, vr)))
        except Exception:  # what cannot be read as what it should be cannot be cleaned
            return None

    def _is_harmless(self, item: DataElement | RawDataElement, deed: Deed) -> bool:
        """Whether raw text may stay without being decoded."""
        if not isinstance(item, RawDataElement) or not item.value:
            return False
        if deed is Deed.NUMBER:
            return _all_match(_NUMBER, item.value)
        if deed is Deed.CODE and not _all_match(_CODE, item.value):
            return False
        return deed in (Deed.TEXT, Deed.CODE) and not self.identifiers.may_be_in(item.value)

    def _code_word(self, value: str) -> str:
        return value if _CODE.fullmatch(value) and not self.identifiers.have_word_of(value) else ""


def _keeps_its_encoding(dataset: Dataset) -> bool:
    """Whether the elements lie in the file as they were read: neither deflated nor in another character set."""
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    kept = (syntax.is_implicit_VR, syntax.is_little_endian) == tuple(dataset.original_encoding)
    return kept and not syntax.is_deflated and dataset.original_character_set == dataset._character_set


def _written(dataset: Dataset) -> bytes:
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def _encoded(item: DataElement | RawDataElement, syntax: UID, charsets: Any) -> bytes:
    """One element as it lies in a file of a transfer syntax."""
    out = DicomBytesIO()
    out.is_implicit_VR, out.is_little_endian = syntax.is_implicit_VR, syntax.is_little_endian
    write_data_element(out, item, charsets)
    return out.getvalue()


def _each(value: object, change: Callable[[object], object]) -> object:
    if value is None or value == "":
        return ""
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [change(part) for part in value]
    return change(value)


def _is_plain_binary(item: DataElement | RawDataElement, tag: BaseTag, vr: str) -> bool:
    """Whether a binary attribute is what the file calls it, and no longer than parameters are."""
    if item.VR not in (None, vr):  # text, perhaps, under a number's tag
        return False
    if tag.group == 0x0028:  # tables of the display, whose lengths other attributes give
        return True
    if isinstance(item, RawDataElement):
        return len(item.value or b"") <= MOST_BINARY_BYTES
    return item.VM <= MOST_BINARY_BYTES // 8


def _all_match(pattern: re.Pattern[str], value: bytes) -> bool:
    """Whether each of the values in raw bytes is of a pattern."""
    return all(pattern.fullmatch(part) for part in value.decode("latin-1").rstrip(" \0").split("\\"))


def _vr_of(tag: BaseTag, item: DataElement | RawDataElement) -> str:
    """An attribute's VR as the standard has it, whatever the file calls it."""
    if not dictionary_has_tag(tag):
        return "UN"
    known = dictionary_VR(tag)
    return known if " " not in known else (item.VR if item.VR in known.split(" or ") else known.split(" ")[0])


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def _file_meta(dataset: Dataset, transfer_syntax: str) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = UID(transfer_syntax)
    meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    meta.ImplementationVersionName = "GROUNDGLASS"
    return meta
