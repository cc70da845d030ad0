"""The patient's own words: collected from what is removed, and looked for in what is kept, shown or logged."""

import contextlib
import re
from collections.abc import Iterable, Iterator

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

# Whole values that name a person, a place or a visit.
PHRASES = {
    Tag(keyword)
    for keyword in (
        "AccessionNumber",
        "InstitutionName",
        "InstitutionAddress",
        "InstitutionalDepartmentName",
        "StationName",
        "DeviceSerialNumber",
        "StudyID",
        "RequestingService",
        "AdmissionID",
        "CurrentPatientLocation",
        "PersonAddress",
        "PersonTelephoneNumbers",
    )
}
SHORTEST_WORD = 3
SHORTEST_IN_FILE = 6
# Words in identifying attributes that identify nobody; half of them stand in a scanner maker's name as well.
_HARMLESS = """
    anonymous anonymized unknown none patient name test the and for nil null removed
    hospital hospitals medical medicine clinic clinics center centre university college school institute institution
    department dept radiology imaging radiologie klinik klinikum universitaet universität krankenhaus hopital
    hospitalier ospedale health healthcare care general national regional street road avenue
"""
HARMLESS = frozenset(_HARMLESS.split())
# Python's names of the character sets of PS3.3 C.12.1.1.2, and UTF-16 for private hiding places.
ENCODINGS = (
    *("utf-8", "latin-1", "gb18030", "shift_jis", "iso2022_jp_2", "euc_jp", "euc_kr", "utf-16-le"),
    *(f"iso8859_{part}" for part in (2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15)),
    *("tis_620", "cp1251", "cp1252"),
)
_ESCAPE = re.compile(rb"\x1b[$()][@-Z(]?[@-Z]?")
_PART = re.compile(r"[A-Za-z]+|[0-9]+")
_WORD = re.compile(r"[^\W_]+")


def personal_texts(dataset: Dataset, kept: frozenset[BaseTag] = frozenset()) -> Iterator[str]:
    """Every value, at any depth, of names, of the patient's group and of PHRASES; but for attributes that are kept."""
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value or ():
                yield from personal_texts(item, kept)
        elif element.tag in kept:
            continue
        elif element.VR == "PN" or element.tag.group == 0x0010 or element.tag in PHRASES:
            yield from _texts(element)


def personal_texts_of(datasets: Iterable[Dataset], kept: frozenset[BaseTag] = frozenset()) -> set[str]:
    """The personal texts of many data sets, but for attributes that are kept. What slices share is decoded once."""
    seen: set[tuple[int, bytes]] = set()
    texts: set[str] = set()
    for dataset in datasets:
        for tag in list(dataset.keys()):
            item = dataset.get_item(tag)
            if isinstance(item, RawDataElement):
                if not isinstance(item.value, bytes) or (int(tag), item.value) in seen:
                    continue
                seen.add((int(tag), item.value))
            if tag in kept or not _may_be_personal(tag, item.VR):
                continue
            with contextlib.suppress(Exception):  # a value that cannot be decoded is removed, not shown
                only = Dataset()
                only.add(dataset[tag])
                texts.update(personal_texts(only, kept))
    return texts


def _may_be_personal(tag: BaseTag, vr: str | None) -> bool:
    if tag.is_private:
        return vr in ("PN", "SQ")
    return (
        tag.group == 0x0010
        or tag in PHRASES
        or vr in ("PN", "SQ")
        or (vr is None and dictionary_has_tag(tag) and dictionary_VR(tag) in ("PN", "SQ"))
    )


def _texts(element: DataElement) -> Iterator[str]:
    if element.VR not in ("PN", "LO", "SH", "LT", "ST", "UT", "UC", "DA"):
        return
    values = element.value if isinstance(element.value, list | tuple) or element.VM > 1 else [element.value]
    for value in values:
        if value not in (None, ""):
            yield str(value)


class Identifiers:
    """The words and phrases by which a patient could be known."""

    def __init__(self, texts: Iterable[str]) -> None:
        phrases, words = set(), set()
        for text in texts:
            text = text.strip()
            if len(text) >= SHORTEST_WORD and text.lower() not in HARMLESS:
                phrases.add(text)
            for word in _WORD.findall(text):
                if len(word) >= SHORTEST_WORD and word.lower() not in HARMLESS and not _is_small(word):
                    words.add(word)
        self.phrases = frozenset(phrases)
        self.words = frozenset(words | phrases)
        self._folded = frozenset(word.lower() for word in self.words)
        self._text = _pattern(self.words)
        self._bytes = _byte_pattern(self.words)
        long = [word for word in self.words if len(word) >= SHORTEST_IN_FILE]
        self._in_file = sorted(_byte_forms(word for word in long if not word.isdigit()))
        numbers = sorted(word.encode() for word in long if word.isdigit() and word.isascii())
        # A number inside a longer one is chance: UIDs and coordinates are full of digits.
        self._numbers = re.compile(rb"(?<![0-9.])(?:" + b"|".join(numbers) + rb")(?![0-9.])") if numbers else None

    def cleaned(self, text: str) -> str:
        """`text` without the patient's words."""
        if self._text is None or not self._text.search(text):
            return text
        return " ".join(self._text.sub(" ", text).split()).strip(" ^-_,;")

    def have_word_of(self, code: str) -> bool:
        """Whether a part of a code word is one of the words: MONOCHROME2 names nobody called Mono."""
        return not self._folded.isdisjoint(part.lower() for part in _PART.findall(code)) or code.lower() in self._folded

    def may_be_in(self, value: bytes) -> bool:
        """Whether raw bytes of a short text may hold one of the words, in a common encoding."""
        # An escape sequence announces an encoding that only decoding can tell.
        return b"\x1b" in value or (self._bytes is not None and self._bytes.search(value) is not None)

    def are_in_file(self, content: bytes) -> bool:
        """Whether a finished file holds one of the longer words, anywhere at all."""
        if self._numbers is not None and self._numbers.search(content):
            return True
        return any(form in content for form in self._in_file)


def _is_small(word: str) -> bool:
    """Short numbers are counts and sizes more often than parts of an identifier."""
    return word.isdigit() and len(word) < 4


def _pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    ordered = sorted(words, key=lambda word: (-len(word), word))
    if not ordered:
        return None
    return re.compile(
        "|".join(
            # Three letters only as a word of their own; longer ones wherever they stand.
            re.escape(w) if len(w) > 3 else rf"(?<![^\W_]){re.escape(w)}(?![^\W_])"
            for w in ordered
        ),
        re.IGNORECASE,
    )


def _byte_forms(words: Iterable[str]) -> set[bytes]:
    forms = set()
    for word in words:
        for encoding in ENCODINGS:
            with contextlib.suppress(UnicodeError):
                # The escape sequences around are the file's own choice.
                forms.add(_ESCAPE.sub(b"", word.encode(encoding)))
    return {form for form in forms if len(form) >= SHORTEST_WORD}


def _byte_pattern(words: Iterable[str]) -> re.Pattern[bytes] | None:
    ordered = sorted(_byte_forms(words), key=lambda form: (-len(form), form))
    return re.compile(b"|".join(map(re.escape, ordered)), re.IGNORECASE) if ordered else None
