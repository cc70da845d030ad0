"""The patient's own words: collected from what is removed, and looked for in what is kept, shown or logged.

By where they stood. Names, numbers and addresses: every word counts, a date in all the ways that people write it, and
of names the short ones too (Li, Ng). Places and services: all but ordinary words ("Chest Clinic Todmorden" is known
by Todmorden). Free text: all but ordinary words as well, and it takes a word out of what is kept but never refuses a
series, since a history is full of words that mean nobody.
"""

import contextlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from webapp.intake.profile import tags
from webapp.intake.vocabulary import ORDINARY


class Kind(Enum):
    """What a text's words may give away."""

    NAME = 1
    PERSON = 2
    PLACE = 3
    REMARK = 4


# Whole values that name a visit, a thing or a way to reach somebody.
NUMBERS = tags("AccessionNumber DeviceSerialNumber StudyID AdmissionID PersonAddress PersonTelephoneNumbers")
PLACES = tags(
    """InstitutionName InstitutionAddress InstitutionalDepartmentName StationName RequestingService
    CurrentPatientLocation"""
)
# Of the patient's group, what is free text beside LT, ST and UT.
REMARKS = tags(
    """MedicalAlerts Allergies EthnicGroup Occupation PatientReligiousPreference PatientSpeciesDescription
    PatientBreedDescription StrainDescription"""
)
LONG_TEXT = {"LT", "ST", "UT"}
SHORTEST_ANYWHERE = 4
# A remark's shorter words count only where they stand alone: "form" is no part of "Transform".
SHORTEST_REMARK_ANYWHERE = 6
SHORTEST_WORD = 3
# Shorter ones stand by chance in numbers, and in what compressed pixels are.
SHORTEST_IN_ELEMENTS = 5
SHORTEST_IN_PIXELS = 6
SHORTEST_NUMBER_IN_FILE = 6
# Words in identifying attributes that identify nobody; half of them stand in a scanner maker's name as well.
_HARMLESS = """
    anonymous anonymized unknown none patient name test the and for nil null removed
    hospital hospitals medical medicine clinic clinics center centre university college school institute institution
    department dept radiology imaging radiologie klinik klinikum universitaet universität krankenhaus hopital
    dr mr ms jr sr md ii iv
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
_DATE = re.compile(r"(?:18|19|20)\d{6}")
# In English and German, whole and short.
_MONTHS = [
    *(("Jan", "January", "Januar"), ("Feb", "February", "Februar"), ("Mar", "March", "März"), ("Apr", "April")),
    *(("May", "Mai"), ("Jun", "June", "Juni"), ("Jul", "July", "Juli"), ("Aug", "August"), ("Sep", "September")),
    *(("Oct", "October", "Oktober", "Okt"), ("Nov", "November"), ("Dec", "December", "Dezember", "Dez")),
]
_LETTERS = re.compile(rb"[a-z]+")


@dataclass(frozen=True)
class PersonalTexts:
    """Texts about a patient, by kind."""

    of: dict[Kind, set[str]] = field(default_factory=lambda: {kind: set() for kind in Kind})

    def add(self, dataset: Dataset, kept: frozenset[BaseTag]) -> None:
        """Add those of a data set, at any depth, but for attributes that are kept."""
        for element in dataset:
            if element.VR == "SQ":
                for item in element.value or ():
                    self.add(item, kept)
            elif element.tag not in kept and (kind := _kind_of(element.tag, element.VR)) is not None:
                self.of[kind].update(_texts(element))


def identifiers_in(datasets: Iterable[Dataset], kept: frozenset[BaseTag] = frozenset()) -> "Identifiers":
    """What many data sets say of their patient, but for attributes that are kept. What slices share is decoded once."""
    seen: set[tuple[int, bytes]] = set()
    texts = PersonalTexts()
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
                texts.add(only, kept)
    return Identifiers(
        texts.of[Kind.PERSON],
        names=texts.of[Kind.NAME],
        places=texts.of[Kind.PLACE],
        remarks=texts.of[Kind.REMARK],
    )


def _kind_of(tag: BaseTag, vr: str) -> Kind | None:
    """What kind of text an attribute is, whatever VR the file gives it; None where it is none of the patient's."""
    if tag in PLACES:
        return Kind.PLACE
    known = dictionary_VR(tag) if dictionary_has_tag(tag) else vr
    if "PN" in (vr, known):
        return Kind.NAME
    if tag in NUMBERS:
        return Kind.PERSON
    if tag.group != 0x0010:
        return None
    return Kind.REMARK if known in LONG_TEXT or tag in REMARKS else Kind.PERSON


def _may_be_personal(tag: BaseTag, vr: str | None) -> bool:
    if tag.is_private:
        return vr in ("PN", "SQ")
    return (
        tag.group == 0x0010
        or tag in PLACES
        or tag in NUMBERS
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
    """The words and phrases by which a patient could be known: `texts` of the person, names, places, and remarks."""

    def __init__(
        self,
        texts: Iterable[str],
        *,
        names: Iterable[str] = (),
        places: Iterable[str] = (),
        remarks: Iterable[str] = (),
    ) -> None:
        texts, names = set(texts), set(names)
        words = set()
        for text in texts | names:
            words |= _phrases(text) | {word for word in _words(text) if word.lower() not in HARMLESS}
        days = {day for text in texts if (day := _day(text)) is not None}
        dates = {form for day in days for form in _telling_forms(day)}
        words |= dates
        for text in places:
            telling = {word for word in _words(text) if word.lower() not in HARMLESS | ORDINARY}
            words |= telling | (_phrases(text) if telling else set())
        said = {word for text in remarks for word in _words(text) if word.lower() not in ORDINARY}
        said |= {form for day in days for form in _short_forms(day)}
        short = {word for name in names for word in _WORD.findall(name) if _is_short_name(word)}
        said = (said | short) - words
        self.words = frozenset(words)
        self._folded = frozenset(word.lower() for word in words | said)
        self._text = _pattern(words, said)
        self._bytes = _byte_pattern(words | said)
        self._in_elements = _file_forms(words - dates, SHORTEST_IN_ELEMENTS)
        self._dates_in_elements = _file_forms(dates, SHORTEST_IN_ELEMENTS)
        self._in_pixels = _file_forms(words - dates, SHORTEST_IN_PIXELS)
        numbers = [word.encode() for word in words if word.isdigit() and word.isascii()]
        # A number inside a longer one is chance: UIDs and coordinates are full of digits.
        self._numbers = {
            number: re.compile(rb"(?<![0-9.])" + number + rb"(?![0-9.])")
            for number in sorted(numbers)
            if len(number) >= SHORTEST_NUMBER_IN_FILE
        }

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

    def are_in_elements(self, content: bytes) -> bool:
        """Whether encoded elements hold one of the longer words, in capitals or not, but within an ordinary word."""
        lowered = content.lower()
        if any(form in lowered for form in self._dates_in_elements):
            return True
        if not self._are_in(lowered, self._in_elements):
            return False
        # "Prima" stands in PRIMARY: what is an ordinary word is nobody's.
        rest = _LETTERS.sub(lambda run: b" " if run[0].decode() in ORDINARY else run[0], lowered)
        return self._are_in(rest, self._in_elements)

    def are_in_pixels(self, content: bytes) -> bool:
        """Whether compressed pixels hold one of the longest words, in capitals or not."""
        return self._are_in(content.lower(), self._in_pixels)

    def _are_in(self, lowered: bytes, forms: list[bytes]) -> bool:
        # Plain search first: it is many times faster than a pattern over a whole image.
        if any(number in lowered and alone.search(lowered) for number, alone in self._numbers.items()):
            return True
        return any(form in lowered for form in forms)


def _phrases(text: str) -> set[str]:
    text = text.strip()
    return {text} if len(text) >= SHORTEST_WORD and text.lower() not in HARMLESS else set()


def _is_short_name(word: str) -> bool:
    """Whether a part of a name is shorter than other words are looked for: but initials, titles and ordinary words."""
    if word.isdigit() or len(word) >= SHORTEST_WORD or word.lower() in HARMLESS | ORDINARY:
        return False
    return len(word) == 2 or _is_ideographic(word)


def _is_ideographic(word: str) -> bool:
    """Whether letters are of a script that leaves no spaces between words."""
    return all(unicodedata.category(letter) == "Lo" for letter in word)


def _day(text: str) -> date | None:
    """The day that a date as DICOM writes it is."""
    with contextlib.suppress(ValueError):
        return datetime.strptime(text, "%Y%m%d").date() if _DATE.fullmatch(text) else None
    return None


def _telling_forms(day: date) -> set[str]:
    """A date with its whole year, in the ways that people and programs write it."""
    y, m, d = f"{day:%Y}", f"{day:%m}", f"{day:%d}"
    forms = {y + m + d, d + m + y, m + d + y, f"{day.day}.{day.month}.{y}", f"{day.month}/{day.day}/{y}"}
    forms |= {sign.join(order) for sign in "-./ " for order in ((y, m, d), (d, m, y), (m, d, y))}
    for month in _MONTHS[day.month - 1]:
        forms |= {f"{number}{sign}{month}{sign}{y}" for number in {d, str(day.day)} for sign in (" ", "-", "")}
        forms |= {f"{day.day}. {month} {y}", f"{month} {day.day}, {y}", f"{month} {d}, {y}"}
    return forms


def _short_forms(day: date) -> set[str]:
    """A date with two digits of its year: taken out where it stands alone; times and versions look the same."""
    y, m, d = f"{day:%y}", f"{day:%m}", f"{day:%d}"
    return {sign.join(order) for sign in ("-", ".", "/", "") for order in ((y, m, d), (d, m, y), (m, d, y))}


def _words(text: str) -> set[str]:
    return {word for word in _WORD.findall(text) if len(word) >= SHORTEST_WORD and not _is_small(word)}


def _is_small(word: str) -> bool:
    """Short numbers are counts and sizes more often than parts of an identifier."""
    return word.isdigit() and len(word) < 4


def _pattern(words: Iterable[str], said: Iterable[str]) -> re.Pattern[str] | None:
    """What finds words wherever they stand; short ones, and those of remarks (`said`), only as words of their own."""
    anywhere = {
        word: _is_ideographic(word) or (len(word) >= SHORTEST_REMARK_ANYWHERE and not word[0].isdigit())
        for word in said
    }
    anywhere |= {word: len(word) >= SHORTEST_ANYWHERE or _is_ideographic(word) for word in words}
    if not anywhere:
        return None
    ordered = sorted(anywhere, key=lambda word: (-len(word), word))
    return re.compile(
        "|".join(re.escape(w) if anywhere[w] else rf"(?<![^\W_]){re.escape(w)}(?![^\W_])" for w in ordered),
        re.IGNORECASE,
    )


def _byte_forms(words: Iterable[str]) -> set[bytes]:
    forms = set()
    for word in words:
        for encoding in ENCODINGS:
            with contextlib.suppress(UnicodeError):
                # The escape sequences around are the file's own choice.
                forms.add(_ESCAPE.sub(b"", word.encode(encoding)))
    return {form for form in forms if len(form) >= 2}


def _file_forms(words: Iterable[str], shortest: int) -> list[bytes]:
    """Encoded words of some length, in lower case as far as ASCII goes, with capitals and without beyond that."""
    long = [word for word in words if len(word) >= shortest and not word.isdigit()]
    written = {form for word in long for form in (word, word.lower(), word.upper(), word.title())}
    return sorted({form.lower() for form in _byte_forms(written)})


def _byte_pattern(words: Iterable[str]) -> re.Pattern[bytes] | None:
    ordered = sorted(_byte_forms(words), key=lambda form: (-len(form), form))
    return re.compile(b"|".join(map(re.escape, ordered)), re.IGNORECASE) if ordered else None
