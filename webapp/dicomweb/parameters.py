"""What a search asks for: matching keys, paging and fields, checked before anything is looked up. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from pydicom.datadict import dictionary_has_tag

from webapp.dicomweb.attributes import (
    BY_TAG,
    IGNORED,
    INSTANCE,
    LEVELS,
    REQUEST_KEYS,
    Attribute,
    names_of_keys,
    tag_of,
)
from webapp.dicomweb.faults import BadRequest

MOST_RESULTS = 5000
MOST_UIDS, LONGEST_VALUE = 1000, 256
UID = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))*")
TAG = re.compile(r"[0-9A-Fa-f]{8}")
DAY = re.compile(r"\d{8}")
TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?")
INTEGER = re.compile(r"[+-]?[0-9]{1,12}")
OWN = {"limit", "offset", "includefield", "fuzzymatching", "emptyvaluematching", "accept", "charset"}
UNIVERSAL = re.compile(r"\**")

Span = tuple[str, str]


@dataclass(frozen=True)
class Key:
    """One matching key: an attribute and what it must be.

    `values` are UIDs, words or one integer; `span` is the first and last day (YYYYMMDD) or time, "" where open.
    `wildcard` is set where * and ? stand for letters.
    """

    attribute: Attribute
    values: tuple[str, ...] = ()
    span: Span | None = None
    wildcard: bool = False


@dataclass
class Search:
    """A search that makes sense. `include` holds tags asked for beside the default ones; `everything` asks for all."""

    level: str
    keys: list[Key] = field(default_factory=list)
    include: set[str] = field(default_factory=set)
    everything: bool = False
    limit: int = MOST_RESULTS
    offset: int = 0
    warnings: list[str] = field(default_factory=list)


def read_search(level: str, pairs: Iterable[tuple[str, list[str]]]) -> Search:
    """The search that a request's query asks for; raises BadRequest with a sentence."""
    search, seen = Search(level), set[str]()
    for name, given in pairs:
        if any("\0" in text for text in (name, *given)):
            raise BadRequest("A parameter holds a NUL character; no DICOM text has one.")
        if name == "includefield":
            _include(search, given)
            continue
        if len(given) > 1:
            raise BadRequest(f"{_shown(name)} stands in the address more than once.")
        if name in OWN:
            _own(search, name, given[0])
            continue
        tag = _tag_of(name)
        if tag in seen:
            raise BadRequest(f"{_shown(name)} stands in the address more than once, by keyword and by tag.")
        seen.add(tag)
        _key(search, name, tag, given[0].strip())
    return search


def check_uid(uid: str, what: str) -> str:
    """A UID of the address or of a key; raises BadRequest where it is none (PS3.5 9.1)."""
    if len(uid) > 64 or not UID.fullmatch(uid):
        raise BadRequest(f"This is no {what}: {_shown(uid)}. A UID is digits and points, at most 64 of them.")
    return uid


def _own(search: Search, name: str, text: str) -> None:
    if name in ("fuzzymatching", "emptyvaluematching"):
        if text.lower() not in ("true", "false", ""):
            raise BadRequest(f"{name} is true or false.")
        if name == "fuzzymatching" and text.lower() == "true":
            sentence = "The fuzzymatching parameter is not supported. Only literal matching has been performed."
            search.warnings.append(sentence)
        return
    if name in ("limit", "offset"):
        if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
            raise BadRequest(f"{name} is a number, 0 or more.")
        value = int(text)
        if name == "limit":
            search.limit = min(value, MOST_RESULTS)
        else:
            search.offset = value


def _include(search: Search, given: list[str]) -> None:
    """Fields asked for. Those that are unknown here are not answered; that is no fault (8.3.4.3)."""
    for text in given:
        for name in text.split(","):
            if name.strip().lower() == "all":
                search.everything = True
            else:
                search.include.add(name.strip().upper() if TAG.fullmatch(name.strip()) else tag_of(name.strip()))
    search.include.discard("")


def _tag_of(name: str) -> str:
    """The tag, or the path of tags, that a parameter names; raises BadRequest for what is no attribute."""
    tags = []
    for part in name.split("."):
        tag = part.upper() if TAG.fullmatch(part) else tag_of(part)
        if not tag or not (int(tag[:4], 16) % 2 or dictionary_has_tag(int(tag, 16))):
            raise BadRequest(f"{_shown(name)} is no parameter and no DICOM attribute that this server knows.")
        tags.append(tag)
    return ".".join(tags)


def _key(search: Search, name: str, tag: str, text: str) -> None:
    if tag in IGNORED:
        return
    attribute = BY_TAG.get(tag)
    if UNIVERSAL.fullmatch(text):  # an empty key, or * alone, matches everything and asks for the attribute
        search.include.add(tag)
        return
    if tag in REQUEST_KEYS:
        search.keys.append(Key(BY_TAG[tag_of("AccessionNumber")], (text,)))
        return
    if attribute is None or attribute.match == "answer":
        sentence = f"This server does not search by {_shown(name)}. It searches by {names_of_keys(search.level)}."
        raise BadRequest(sentence)
    if LEVELS.index(attribute.level) > LEVELS.index(search.level):
        raise BadRequest(f"{attribute.keyword} belongs to {_plural(attribute.level)}: search for those by it.")
    if len(text) > LONGEST_VALUE and attribute.vr != "UI":
        raise BadRequest(f"The value of {attribute.keyword} is longer than any that DICOM allows.")
    search.include.add(tag)
    search.keys.append(_read_key(attribute, text))


def _read_key(attribute: Attribute, text: str) -> Key:
    if attribute.vr == "UI":
        uids = tuple(check_uid(uid.strip(), attribute.keyword) for uid in re.split(r"[,\\]", text))
        if len(uids) > MOST_UIDS:
            raise BadRequest(f"At most {MOST_UIDS} UIDs can be asked for at once.")
        return Key(attribute, uids)
    if attribute.match in ("date", "time"):
        return Key(attribute, span=_span(attribute, text))
    if attribute.vr == "IS":
        if not INTEGER.fullmatch(text):
            raise BadRequest(f"{attribute.keyword} is a whole number.")
        return Key(attribute, (str(int(text)),))
    if attribute.match == "modalities":
        return Key(attribute, tuple(word.strip() for word in re.split(r"[,\\]", text)))
    return Key(attribute, (text,), wildcard="*" in text or "?" in text)


def _span(attribute: Attribute, text: str) -> Span:
    """First and last day or time of a range (PS3.4 C.2.2.2.5); one value is a range of itself."""
    first, dash, last = text.partition("-")
    if not dash:
        last = first
    check = _day if attribute.match == "date" else _moment
    if not (first or last) or not all(check(end) for end in (first, last) if end):
        example = "20240101, 20240101-20240131, 20240101- or -20240131"
        if attribute.match == "time":
            example = "0830, 083000-120000, 0830- or -1200"
        raise BadRequest(f"{attribute.keyword} is written {example}.")
    return first, last


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").date() if DAY.fullmatch(text) else None
    except ValueError:
        return None


def _moment(text: str) -> bool:
    return bool(TIME.fullmatch(text))


def _plural(level: str) -> str:
    return "instances" if level == INSTANCE else level


def _shown(text: str) -> str:
    """A piece of a request, short and printable, as a sentence may repeat it."""
    plain = "".join(c if c.isprintable() else "?" for c in text[:64])
    return f"{plain}..." if len(text) > 64 else plain or "(nothing)"
