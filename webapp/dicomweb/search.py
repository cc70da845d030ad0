"""Searches for studies, series and instances (QIDO-RS, PS3.18 10.6) in the series that one person may see."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet

from webapp.archive.headers import header_lines
from webapp.archive.models import Series
from webapp.dicomweb.answers import Model, asked_of, in_order, instance_model, series_model, study_model, value_of
from webapp.dicomweb.attributes import INSTANCE
from webapp.dicomweb.facts import study_facts
from webapp.dicomweb.faults import TooBroad
from webapp.dicomweb.matching import matching_series, matching_studies
from webapp.dicomweb.parameters import Key, Search

# Of so many series a search may open the headers to look for an instance by its number.
MOST_OPENED = 200
# With all attributes, an instance takes some 50 kB of memory while it is answered.
MOST_WHOLE_HEADERS = 500
# Keys for which headers are opened; all instances of a series are of one SOP class.
IN_HEADERS = ("SOPInstanceUID", "InstanceNumber")
STUDY_ORDER = (F("shifted_date").desc(nulls_last=True), F("uid"))
SERIES_ORDER = (
    F("scan__study__shifted_date").desc(nulls_last=True),
    F("scan__study__uid"),
    F("number").asc(nulls_last=True),
    F("uid"),
)


@dataclass(frozen=True)
class Found:
    """The results of a search as DICOM JSON, and how many more there are."""

    results: list[Model]
    remaining: int


def find_studies(series: QuerySet[Series], search: Search, root_url: str) -> Found:
    """Studies of the given series, the youngest first."""
    studies = matching_studies(series, search.keys).select_related("patient").order_by(*STUDY_ORDER)
    page, remaining = _page(studies, search)
    facts = study_facts(series, page)
    return Found([study_model(search, study, facts[study.pk], root_url) for study in page], remaining)


def find_series(series: QuerySet[Series], search: Search, root_url: str, *, with_study: bool) -> Found:
    """Series, by study; `with_study` answers the study's attributes too (the resource All Series)."""
    found = matching_series(series, search.keys).select_related("scan__study__patient").defer("headers")
    page, remaining = _page(found.order_by(*SERIES_ORDER), search)
    facts = study_facts(series, (row.scan.study for row in page)) if with_study or search.include else {}
    results = []
    for row in page:
        model = series_model(search, row, root_url)
        if row.scan.study_id in facts:
            of_study = facts[row.scan.study_id]
            model = {**study_model(search, row.scan.study, of_study, root_url, only_asked=not with_study), **model}
        results.append(in_order(model))
    return Found(results, remaining)


def find_instances(series: QuerySet[Series], search: Search, root_url: str, *, within: str) -> Found:
    """Instances, by series; `within` is the resource's reach: "series", "study" or "all" (10.6.3.3.3)."""
    keys = [key for key in search.keys if key.attribute.keyword in IN_HEADERS]
    limit = min(search.limit, MOST_WHOLE_HEADERS) if search.everything else search.limit
    window, chosen = _Window(search.offset, limit), []
    for row in _series_to_open(series, search):
        # Without keys only the count of a series outside the window matters: its headers stay unread.
        if not keys and window.passes_by(row.instance_count):
            continue
        chosen += [(row, asked_of(search, header)) for header in _matching_headers(row, keys) if window.takes()]
    facts = study_facts(series, (row.scan.study for row, _ in chosen))
    results = [
        instance_model(search, row, header, facts[row.scan.study_id], root_url, within) for row, header in chosen
    ]
    return Found(results, window.remaining)


class _Window:
    """Which of a long row of matches a page shows."""

    def __init__(self, offset: int, limit: int) -> None:
        self.first, self.end, self.seen = offset, offset + limit, 0

    def takes(self) -> bool:
        """Whether the next match is on the page."""
        self.seen += 1
        return self.first < self.seen <= self.end

    def passes_by(self, count: int) -> bool:
        """Whether none of the next `count` matches is on the page; they are counted then."""
        outside = self.seen + count <= self.first or self.seen >= self.end
        self.seen += count if outside else 0
        return outside

    @property
    def remaining(self) -> int:
        """How many matches come after the page."""
        return max(0, self.seen - self.end)


def _page(rows: QuerySet[Any], search: Search) -> tuple[list[Any], int]:
    """One page of rows and the number of those after it."""
    if search.offset >= 2**31:
        return [], 0
    page = list(rows[search.offset : search.offset + search.limit + 1])
    if len(page) <= search.limit:
        return page, 0
    return page[: search.limit], rows.count() - search.offset - search.limit


def _series_to_open(series: QuerySet[Series], search: Search) -> Iterator[Series]:
    """The series that can hold what is sought, headers not yet read."""
    found = matching_series(series, search.keys).select_related("scan__study__patient").defer("headers")
    asked = {key.attribute.keyword: key.values for key in search.keys if key.attribute.level == INSTANCE}
    if "SOPInstanceUID" in asked:
        uids = asked["SOPInstanceUID"]
        own = series.filter(made_from=None, scan__instances__sop_uid__in=uids).values("pk")
        derived = series.filter(derived__sop_uid__in=uids).values("pk")
        found = found.filter(pk__in=own.union(derived))
    if "SOPClassUID" in asked:
        found = found.filter(sop_class_uid__in=asked["SOPClassUID"])
    if "InstanceNumber" in asked and found.count() > MOST_OPENED:
        raise TooBroad("Too many series would have to be opened for that: name the study or the series.")
    return found.order_by(*SERIES_ORDER).iterator(chunk_size=200)


def _matching_headers(row: Series, keys: list[Key]) -> Iterator[Model]:
    for line in header_lines(row):
        header = json.loads(line)
        if all(value_of(header, key.attribute.tag) in key.values for key in keys):
            yield header
