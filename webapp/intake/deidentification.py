"""De-identification of one DICOM data set: PS3.15 Annex E Basic Profile with four of its options.

The table of attributes is dicom-anonymizer's, of DICOM 2026c; it is applied at every level of nesting. Options:
Retain Longitudinal Temporal Information with Modified Dates, Retain Patient Characteristics (sex, age, size,
weight), Clean Descriptors, and retention of the scanner's make and model, which the profile leaves alone.
Beyond the table goes everything that can hold free text or is unknown; what text stays is searched for the
patient's own words, and so is the finished file.
"""

from collections.abc import Callable, Iterable
from io import BytesIO

import pydicom
from dicomanonymizer.simpledicomanonymizer import initialize_actions
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag
from pydicom.uid import PYDICOM_IMPLEMENTATION_UID, UID

from webapp.intake.descriptors import clean_description
from webapp.intake.identity import PROFILE, Identity, new_uid
from webapp.intake.personal import Identifiers
from webapp.intake.reading import transfer_syntax_of
from webapp.intake.shifting import capped_age, shifted_date, shifted_datetime

METHOD = f"Groundglass {PROFILE}"
METHOD_CODES = [
    ("113100", "Basic Application Confidentiality Profile"),
    ("113105", "Clean Descriptors Option"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ("113108", "Retain Patient Characteristics Option"),
]

# (group, element) -> the library's action function: delete, empty, replace, replace_UID, delete_or_empty, ...
TABLE: dict[tuple[int, int], str] = {
    tag: action.__name__ for tag, action in initialize_actions("dicomfields_2026c").items() if len(tag) == 2
}

PATIENT_NAME, PATIENT_ID = Tag("PatientName"), Tag("PatientID")
PATIENT_AGE, PATIENT_SEX = Tag("PatientAge"), Tag("PatientSex")
PIXEL_TAGS = {Tag("PixelData"), Tag("FloatPixelData"), Tag("DoubleFloatPixelData")}
CHARACTERISTICS = {PATIENT_AGE, PATIENT_SEX, Tag("PatientSize"), Tag("PatientWeight")}
DESCRIPTORS = {Tag(k) for k in ("StudyDescription", "SeriesDescription", "ProtocolName", "ContrastBolusAgent")}
# Sequences that only hold references: kept, with the UIDs inside replaced as everywhere.
REFERENCES = {Tag(k) for k in ("ReferencedImageSequence", "SourceImageSequence", "ReferencedStudySequence")}
# Patient, trial, request, visit, procedure step, storage and signature groups; overlays and curves are below.
CLOSED_GROUPS = {0x0010, 0x0012, 0x0032, 0x0038, 0x0040, 0x0042, 0x0088, 0x0400, 0x4000, 0x4008, 0xFFFA, 0xFFFC}
FREE_TEXT = {"LT", "ST", "UT", "UR", "AE", "UN", "PN"}
SHORT_TEXT = {"LO", "SH", "CS", "UC"}
BULK = {"OB", "OW", "OD", "OF", "OL", "OV"}
NATIVE = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"}
# Enumerated words that a decoder or a viewer needs, and which nobody is called.
TECHNICAL = {Tag(k) for k in ("Modality", "PatientPosition", "SpecificCharacterSet", "CodingSchemeDesignator")}


class IdentityFound(Exception):
    """The patient's own words were still in the finished file: inside the compressed pixels, say."""


class Deidentifier:
    """De-identifies the data sets of one patient's series."""

    def __init__(self, identity: Identity, identifiers: Identifiers) -> None:
        self.identity = identity
        self.identifiers = identifiers

    def clean(self, dataset: Dataset) -> Dataset:
        """De-identify `dataset` in place and return it; its pixels stay as they are encoded."""
        transfer_syntax = transfer_syntax_of(dataset)
        self._clean_level(dataset)
        dataset.PatientName = self.identity.pseudonym
        dataset.PatientID = self.identity.pseudonym
        dataset.PatientBirthDate = ""
        dataset.PatientIdentityRemoved = "YES"
        dataset.DeidentificationMethod = METHOD
        dataset.DeidentificationMethodCodeSequence = Sequence([_code(*code) for code in METHOD_CODES])
        dataset.LongitudinalTemporalInformationModified = "MODIFIED"
        for keyword in ("StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyID"):
            if keyword not in dataset:  # type 2: present, perhaps empty
                setattr(dataset, keyword, "")
        dataset.file_meta = _file_meta(dataset, transfer_syntax)
        dataset.preamble = b"\0" * 128
        return dataset

    def file_of(self, dataset: Dataset) -> bytes:
        """The bytes of a cleaned data set as a DICOM file. Raises IdentityFound."""
        buffer = BytesIO()
        pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
        content = buffer.getvalue()
        # Native pixels are numbers; compressed ones carry comments, and every header is searched.
        native = dataset.file_meta.TransferSyntaxUID in NATIVE
        searched = content[: -len(dataset.PixelData)] if native and "PixelData" in dataset else content
        if self.identifiers.are_in_file(searched):
            raise IdentityFound
        return content

    def _clean_level(self, dataset: Dataset) -> None:
        for tag in list(dataset.keys()):
            if tag in PIXEL_TAGS:
                continue
            if _is_dropped(tag):
                del dataset[tag]
                continue
            action = TABLE.get((tag.group, tag.element))
            item = dataset.get_item(tag)
            vr = _vr_of(tag, item)
            if vr == "SQ":
                self._clean_sequence(dataset, tag, action)
            elif action is not None or vr in _BY_VR or tag in DESCRIPTORS:
                self._clean_element(dataset, tag, vr, action)
            elif vr in SHORT_TEXT:
                self._search_text(dataset, tag, item)
            elif vr in FREE_TEXT or (vr in BULK and tag.group not in (0x0028, 0x7FE0)):
                del dataset[tag]

    def _clean_sequence(self, dataset: Dataset, tag: BaseTag, action: str | None) -> None:
        if action is not None and tag not in REFERENCES:
            del dataset[tag]
            return
        for item in dataset[tag].value or ():
            self._clean_level(item)

    def _clean_element(self, dataset: Dataset, tag: BaseTag, vr: str, action: str | None) -> None:
        element = dataset[tag]
        if tag == PATIENT_AGE:
            element.value = capped_age(str(element.value or ""))
        elif tag == PATIENT_SEX:
            element.value = element.value if element.value in ("M", "F", "O") else ""
        elif tag in CHARACTERISTICS:
            pass
        elif tag in DESCRIPTORS:
            element.value = self.identifiers.cleaned(clean_description(str(element.value or "")))
        elif vr in _BY_VR and tag.group != 0x0010:
            element.value = _each(element.value, lambda value: _BY_VR[vr](self.identity, value))
        elif action in ("delete", "delete_or_empty", "delete_or_replace", "delete_or_empty_or_replace"):
            del dataset[tag]
        else:
            element.value = None if vr in BULK else ""

    def _search_text(self, dataset: Dataset, tag: BaseTag, item: DataElement | RawDataElement) -> None:
        if tag in TECHNICAL or tag.group == 0x0028:
            return
        if isinstance(item, RawDataElement) and item.value and not self.identifiers.may_be_in(item.value):
            return
        element = dataset[tag]
        element.value = _each(element.value, lambda value: self.identifiers.cleaned(str(value)))


def _each(value: object, change: Callable[[object], str]) -> object:
    if value is None or value == "":
        return ""
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [change(part) for part in value]
    return change(value)


def _is_dropped(tag: BaseTag) -> bool:
    if tag.is_private or tag.element == 0:
        return True
    if 0x5000 <= tag.group <= 0x50FF or 0x6000 <= tag.group <= 0x60FF:
        return True
    if tag.group in CLOSED_GROUPS:
        return tag not in CHARACTERISTICS
    try:
        dictionary_VR(tag)
    except KeyError:
        return True
    return False


def _vr_of(tag: BaseTag, item: DataElement | RawDataElement) -> str:
    known = dictionary_VR(tag)
    # A file that calls a known attribute by another VR is read as the standard has it, unless it is binary.
    return known if " " not in known else (item.VR or "OW")


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def _replaced_uid(_: Identity, value: object) -> str:
    uid = str(value)
    # UIDs that the standard itself registers (SOP classes, well-known instances) name no one.
    return uid if not uid or uid.startswith("1.2.840.10008.") else new_uid(uid)


_BY_VR: dict[str, Callable[[Identity, object], str]] = {
    "UI": _replaced_uid,
    "DA": shifted_date,
    "DT": shifted_datetime,
}


def _file_meta(dataset: Dataset, transfer_syntax: str) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = UID(transfer_syntax)
    meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    meta.ImplementationVersionName = "GROUNDGLASS"
    return meta
