"""Dates moved back by the patient's own number of days; ages above 89 made 90."""

import re
from datetime import date

from webapp.intake.identity import Identity

OLDEST_AGE_YEARS = 89
_DAY = re.compile(r"^(\d{4})[.:-]?(\d{2})[.:-]?(\d{2})")
_TIME = re.compile(r"\s*\d{2}(?::?\d{2}(?::?\d{2}(?:\.\d{1,6})?)?)?\s*")
_REST = re.compile(r"(?:\d{2}){0,3}(?:\.\d{1,6})?(?:[+-]\d{4})?")
_AGE = re.compile(r"^\s*(\d{1,4})\s*([DWMY])?\s*$", re.IGNORECASE)
_AGE_UNITS_PER_YEAR = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}


def parsed_day(text: str) -> date | None:
    """The day that a DICOM date (YYYYMMDD, or the old YYYY.MM.DD) names; None where it names none."""
    match = _DAY.match(text.strip())
    if not match:
        return None
    try:
        return date(*(int(part) for part in match.groups()))
    except ValueError:
        return None


def shifted_date(identity: Identity, value: object) -> str:
    """A DA value moved back; empty where it is no date."""
    day = parsed_day(str(value))
    moved = identity.shifted(day) if day else None
    return f"{moved:%Y%m%d}" if moved and moved.year >= 1000 else ""


def shifted_datetime(identity: Identity, value: object) -> str:
    """A DT value with its day moved back, its time of day kept; empty where it has no day."""
    text = str(value).strip()
    moved = shifted_date(identity, text)
    rest = text[8:] if re.match(r"^\d{8}", text) else ""
    return moved + rest if moved and _REST.fullmatch(rest) else moved


def plain_time(text: str) -> str:
    """A TM value as it is; empty where it is none."""
    return text if _TIME.fullmatch(text) else ""


def capped_age(text: str) -> str:
    """An AS value; 090Y for every age above 89 years; empty where it is none."""
    match = _AGE.match(text)
    if not match:
        return ""
    number, unit = int(match.group(1)), (match.group(2) or "Y").upper()
    if number / _AGE_UNITS_PER_YEAR[unit] > OLDEST_AGE_YEARS:
        return "090Y"
    return f"{number:03d}{unit}" if number <= 999 else ""


def age_years(text: str) -> int | None:
    """Whole years of an AS value."""
    match = _AGE.match(text)
    if not match:
        return None
    return int(int(match.group(1)) / _AGE_UNITS_PER_YEAR[(match.group(2) or "Y").upper()])
