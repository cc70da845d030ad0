"""What becomes of each attribute: PS3.15 Annex E's basic profile with its options, and stricter where it is mute.

The table of attributes is dicom-anonymizer's, of DICOM 2026c. `Profile.deed` is the one place that decides, by
attribute and VR; docs/reference/de-identification.md is written from it. The standard's table lets pass what it does
not name; here, text that is not known to be harmless goes as well.
"""

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from dicomanonymizer.simpledicomanonymizer import initialize_actions
from pydicom.datadict import dictionary_has_tag
from pydicom.tag import BaseTag, Tag

from webapp.campaigns.deidentification import CLEAN, SHIFT, DeidentificationOptions

# Names the rules of this file; a change of rules changes it, and with it every UID, so that one UID never has two
# contents.
VERSION = "groundglass-3"


class Deed(Enum):
    """What is done to an attribute, in the words of the reference."""

    REMOVE = "removed"
    EMPTY = "emptied"
    DUMMY = "a dummy"
    PSEUDONYM = "the pseudonym"
    UID = "another UID"
    MOVE = "moved back"
    TIME = "kept if it is a time"
    AGE = "kept, 090Y above 89 years"
    SEX = "kept if M, F or O"
    NUMBER = "kept if it is a number"
    BINARY = "kept"
    CODE = "kept if it is a code word and no word of the patient's"
    CHARACTER_SET = "kept if it is one"
    TEXT = "kept without the patient's words"
    VOCABULARY = "known words only"
    ITEMS = "kept, each item cleaned"
    PIXELS = "kept in the image itself; what lies beside the values is cleared"


# The library's action functions by name, and the letters of the standard's table.
LETTERS = {
    "replace": "D",
    "empty": "Z",
    "delete": "X",
    "replace_UID": "U",
    "empty_or_replace": "Z/D",
    "delete_or_empty": "X/Z",
    "delete_or_replace": "X/D",
    "delete_or_empty_or_replace": "X/Z/D",
    "delete_or_empty_or_replace_UID": "X/Z/U*",
}
# (group, element) -> the letters of the basic profile.
TABLE: dict[tuple[int, int], str] = {
    tag: LETTERS[action.__name__] for tag, action in initialize_actions("dicomfields_2026c").items() if len(tag) == 2
}


def tags(keywords: str) -> frozenset[BaseTag]:
    """The tags of keywords."""
    return frozenset(Tag(keyword) for keyword in keywords.split())


PIXELS = tags("PixelData")
OTHER_PIXELS = tags("FloatPixelData DoubleFloatPixelData")
SEXES = tags("PatientSex")
AGES = tags("PatientAge")
NUMBERS_OF_PATIENT = tags("PatientSize PatientWeight")
CODES_OF_PATIENT = tags("SmokingStatus")
BINARY_OF_PATIENT = tags("PregnancyStatus")
CHARACTERISTICS = SEXES | AGES | NUMBERS_OF_PATIENT | CODES_OF_PATIENT | BINARY_OF_PATIENT
# The option's K attributes that images have. Dates of calibration follow the dates.
DEVICE = tags(
    """StationName DeviceSerialNumber DeviceUID DetectorID GantryID GeneratorID PlateID CassetteID
    ManufacturerDeviceClassUID UniqueDeviceIdentifier XRaySourceID XRayDetectorID XRayDetectorLabel"""
)
DESCRIPTORS = tags("StudyDescription SeriesDescription ProtocolName ContrastBolusAgent ROIName StructureSetLabel")
# Sequences that hold references alone: kept, with the UIDs inside replaced as everywhere.
REFERENCES = tags("ReferencedImageSequence SourceImageSequence ReferencedStudySequence")
# Type 2, or type 1 in files of many frames: such a file without them is none.
EMPTIED = tags("StudyDate StudyTime ContentDate ContentTime AccessionNumber ReferringPhysicianName StudyID")
# Text of the machine: nobody is called so, but it is searched for the patient's words all the same.
MACHINE_TEXT = tags(
    """Manufacturer ManufacturerModelName SoftwareVersions ConvolutionKernel FilterType RescaleType
    ContrastBolusRoute WindowCenterWidthExplanation CodeValue LongCodeValue CodingSchemeDesignator
    CodingSchemeVersion CodeMeaning SegmentLabel SegmentAlgorithmName
    AlgorithmName AlgorithmVersion DimensionDescriptionLabel StackID"""
)
CHARACTER_SETS = tags("SpecificCharacterSet")
# Groups that images, segmentations and structure sets are described in. Patient, trial, request, visit, procedure step,
# document, storage, signature, presentation and plan groups are none of them.
OPEN_GROUPS = {0x0008, 0x0018, 0x0020, 0x0028, 0x0054, 0x0062, 0x3006, 0x5200, 0x7FE0}
# What is said of the de-identification in every file: codes of scheme DCM (PS3.16 CID 7050), and words beside them.
MEANINGS = {
    "113100": "Basic Application Confidentiality Profile",
    "113105": "Clean Descriptors Option",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
    "113108": "Retain Patient Characteristics Option",
    "113109": "Retain Device Identity Option",
}
METHOD = "Groundglass"
WRITTEN_WORDS = frozenset(" ".join([METHOD, "modified removed yes", *MEANINGS.values()]).lower().split())
NUMERIC = {"DS", "IS"}
BINARY = {"US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT"}
BULK = {"OB", "OW", "OD", "OF", "OL", "OV"}
TEMPORAL = {"DA": Deed.MOVE, "DT": Deed.MOVE, "TM": Deed.TIME}
IDENTIFIED = {Tag("PatientName"): Deed.PSEUDONYM, Tag("PatientID"): Deed.PSEUDONYM, Tag("PatientBirthDate"): Deed.EMPTY}


@dataclass(frozen=True)
class Profile:
    """The rules under one choice of options."""

    options: DeidentificationOptions

    @property
    def name(self) -> str:
        """What stands in (0012,0063), and salts every UID."""
        return f"{VERSION}-{self.options.code}"

    @property
    def codes(self) -> list[tuple[str, str]]:
        """(0012,0064): code and meaning of the basic profile and of each option, in scheme DCM."""
        held = {
            "113100": True,
            "113105": self.options.descriptors == CLEAN,
            "113107": self.options.dates == SHIFT,
            "113108": self.options.characteristics,
            "113109": self.options.device,
        }
        return [(code, MEANINGS[code]) for code, holds in held.items() if holds]

    def deed(self, tag: BaseTag, vr: str) -> Deed:
        """What becomes of an attribute that is `vr` in the file."""
        return _deed(self.options, tag, vr)


@lru_cache(maxsize=20_000)
def _deed(options: DeidentificationOptions, tag: BaseTag, vr: str) -> Deed:
    if tag in PIXELS:
        return Deed.PIXELS
    if tag in OTHER_PIXELS:  # no image that is taken has them
        return Deed.REMOVE
    if tag in IDENTIFIED:
        return IDENTIFIED[tag]
    if tag in CHARACTERISTICS:
        return _characteristic(options, tag)
    if is_unknown(tag):
        return Deed.REMOVE
    letters = TABLE.get((tag.group, tag.element))
    if vr in TEMPORAL:
        return _temporal(options, tag, vr, letters)
    if tag in DEVICE and options.device:
        return Deed.BINARY if vr == "UI" else Deed.TEXT
    if tag in DESCRIPTORS and options.descriptors == CLEAN:
        return Deed.VOCABULARY
    if letters is not None:
        return _by_letters(tag, vr, letters)
    return _by_vr(tag, vr)


def is_unknown(tag: BaseTag) -> bool:
    """Whether an attribute is private, a group's length, of a group that is closed, or in no dictionary."""
    return tag.is_private or tag.element == 0 or tag.group not in OPEN_GROUPS or not dictionary_has_tag(tag)


def _characteristic(options: DeidentificationOptions, tag: BaseTag) -> Deed:
    if not options.characteristics:
        return Deed.EMPTY if tag in SEXES else Deed.REMOVE
    if tag in SEXES:
        return Deed.SEX
    if tag in AGES:
        return Deed.AGE
    if tag in CODES_OF_PATIENT:
        return Deed.CODE
    return Deed.BINARY if tag in BINARY_OF_PATIENT else Deed.NUMBER


def _temporal(options: DeidentificationOptions, tag: BaseTag, vr: str, letters: str | None) -> Deed:
    if options.dates == SHIFT:
        return TEMPORAL[vr]
    if tag in EMPTIED:
        return Deed.EMPTY
    return Deed.DUMMY if letters == "D" else Deed.REMOVE


def _by_letters(tag: BaseTag, vr: str, letters: str) -> Deed:
    if tag in REFERENCES:
        return Deed.ITEMS
    if vr == "UI":
        return Deed.UID
    if letters.startswith("X"):
        return Deed.EMPTY if tag in EMPTIED else Deed.REMOVE
    if vr == "SQ" or vr in BULK:
        return Deed.REMOVE
    return Deed.EMPTY if letters.startswith("Z") else Deed.DUMMY


def _by_vr(tag: BaseTag, vr: str) -> Deed:
    if vr == "SQ":
        return Deed.ITEMS
    if vr == "UI":
        return Deed.UID
    if vr == "AS":
        return Deed.AGE
    if tag in CHARACTER_SETS:
        return Deed.CHARACTER_SET
    if vr in BINARY:
        return Deed.BINARY
    if vr in NUMERIC:
        return Deed.NUMBER
    if vr == "CS":
        return Deed.CODE
    if vr in BULK:
        return Deed.BINARY if tag.group == 0x0028 else Deed.REMOVE
    # What is left is text of people, addresses and applications (PN, LT, ST, UT, UR, AE, UN), or short text.
    return Deed.TEXT if tag in MACHINE_TEXT else Deed.REMOVE
