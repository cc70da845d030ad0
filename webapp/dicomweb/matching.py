"""Matching keys as conditions of the database (PS3.4 C.2.2.2): on series, and on studies by what their series say."""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from typing import Any

from django.db.models import CharField, Lookup, Q, QuerySet

from webapp.archive.headers import time_of
from webapp.archive.models import Series, Study
from webapp.dicomweb.attributes import INSTANCE
from webapp.dicomweb.parameters import Key

TO_STUDY = "scan__study__"
Reader = Callable[[str], date | time]


@CharField.register_lookup
class Wildcard(Lookup):
    """A column that matches a pattern of * (any letters) and ? (one letter), whatever the case."""

    lookup_name = "dicom_wildcard"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """ILIKE, with its own wildcards escaped."""
        left, parameters = self.process_lhs(compiler, connection)
        escaped = re.sub(r"([\\%_])", r"\\\1", str(self.rhs))
        return f"{left} ILIKE %s", (*parameters, escaped.replace("*", "%").replace("?", "_"))


def matching_series(series: QuerySet[Series], keys: Iterable[Key]) -> QuerySet[Series]:
    """Of the series that a person may see, those that match every key of study or series level."""
    seen = series
    for key in keys:
        if key.attribute.level == INSTANCE:
            continue
        if key.attribute.match == "modalities":
            series = series.filter(scan__study__in=seen.filter(condition(key)).values("scan__study_id"))
        else:
            series = series.filter(condition(key))
    return series


def matching_studies(series: QuerySet[Series], keys: Iterable[Key]) -> QuerySet[Study]:
    """Studies of the series that a person may see; each key matches by some series of theirs, or by the study."""
    studies = Study.objects.filter(pk__in=series.filter(made_from=None).values("scan__study_id"))
    for key in keys:
        column = key.attribute.column
        if column.startswith(TO_STUDY):
            studies = studies.filter(condition(key, column.removeprefix(TO_STUDY)))
        else:
            studies = studies.filter(pk__in=series.filter(condition(key)).values("scan__study_id"))
    return studies


def condition(key: Key, column: str = "") -> Q:
    """The condition that a key puts on a column (by default the attribute's own, from a series)."""
    column = column or key.attribute.column
    match key.attribute.match:
        case "empty":
            return Q(pk__in=[])
        case "date":
            return _between(column, key, _day, _day)
        case "time":
            return _between(column, key, _first_moment, _last_moment)
        case "integer":
            return Q(**{column: int(key.values[0])}) if abs(int(key.values[0])) < 2**31 else Q(pk__in=[])
        case "text" | "code" if key.wildcard:
            return Q(**{f"{column}__dicom_wildcard": key.values[0]})
        case "text":
            return Q(**{f"{column}__iexact": key.values[0]})
        case _:  # UIDs, and codes, which are written one way only
            return Q(**{f"{column}__in": key.values})


def _between(column: str, key: Key, first_of: Reader, last_of: Reader) -> Q:
    assert key.span is not None
    first, last = key.span
    found = Q()
    if first:
        found &= Q(**{f"{column}__gte": first_of(first)})
    if last:
        found &= Q(**{f"{column}__lte": last_of(last)})
    return found


def _day(text: str) -> date:
    return datetime.strptime(text, "%Y%m%d").date()


def _first_moment(text: str) -> time:
    return time_of(text) or time.min


def _last_moment(text: str) -> time:
    """The last moment of what is written: 12 is the whole hour, 1230 the whole minute (PS3.4 C.2.2.2.5)."""
    digits, _, fraction = text.partition(".")
    whole = digits + "5959"[len(digits) - 2 :]
    return time_of(f"{whole}.{fraction.ljust(6, '9')}") or time.max
