"""QIDO-RS: searches for studies, series and instances (PS3.18 10.6)."""

import json
from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from webapp.dicomweb.access import Place, dicomweb
from webapp.dicomweb.attributes import INSTANCE, SERIES, STUDY
from webapp.dicomweb.caching import VARY, accepted
from webapp.dicomweb.holdings import series_in
from webapp.dicomweb.media import XML, header_form
from webapp.dicomweb.parameters import Search, read_search
from webapp.dicomweb.search import Found, find_instances, find_series, find_studies
from webapp.dicomweb.streams import Part, in_one_piece
from webapp.dicomweb.xml import to_xml


@dicomweb
def studies(request: HttpRequest, place: Place) -> HttpResponseBase:
    """All studies."""
    search = _search(request, STUDY)
    return _answer(request, place, search, find_studies(place.series, search, place.url))


@dicomweb
def series(request: HttpRequest, place: Place) -> HttpResponseBase:
    """All series."""
    search = _search(request, SERIES)
    return _answer(request, place, search, find_series(place.series, search, place.url, with_study=True))


@dicomweb
def instances(request: HttpRequest, place: Place) -> HttpResponseBase:
    """All instances."""
    search = _search(request, INSTANCE)
    return _answer(request, place, search, find_instances(place.series, search, place.url, within="all"))


@dicomweb
def studys_series(request: HttpRequest, place: Place, study_uid: str) -> HttpResponseBase:
    """The series of a study."""
    search = _search(request, SERIES)
    series_in(place, study_uid)
    rows = place.series.filter(scan__study__uid=study_uid)
    return _answer(request, place, search, find_series(rows, search, place.url, with_study=False))


@dicomweb
def studys_instances(request: HttpRequest, place: Place, study_uid: str) -> HttpResponseBase:
    """The instances of a study."""
    search = _search(request, INSTANCE)
    series_in(place, study_uid)
    rows = place.series.filter(scan__study__uid=study_uid)
    return _answer(request, place, search, find_instances(rows, search, place.url, within="study"))


@dicomweb
def seriess_instances(request: HttpRequest, place: Place, study_uid: str, series_uid: str) -> HttpResponseBase:
    """The instances of a series."""
    search = _search(request, INSTANCE)
    (row,) = series_in(place, study_uid, series_uid)
    rows = place.series.filter(pk=row.pk)
    return _answer(request, place, search, find_instances(rows, search, place.url, within="series"))


def _search(request: HttpRequest, level: str) -> Search:
    return read_search(level, request.GET.lists())


def _answer(request: HttpRequest, place: Place, search: Search, found: Found) -> HttpResponseBase:
    """200 with the results, or 204 where there is none; warnings as the standard words them (8.3.4)."""
    form = header_form(accepted(request))
    warnings = list(search.warnings)
    if found.remaining:
        warnings.append(f"There are {found.remaining} additional results that can be requested")
    response: HttpResponseBase
    if not found.results:
        response = HttpResponse(status=204)
    elif form.media_type == XML:
        parts = [Part(XML, place.url, to_xml(model)) for model in found.results]
        response = in_one_piece(XML, parts, request.get_full_path())
    else:
        response = HttpResponse(json.dumps(found.results, separators=(",", ":")), content_type=form.media_type)
    return _headed(response, place, warnings)


def _headed(response: HttpResponseBase, place: Place, warnings: Iterable[str]) -> HttpResponseBase:
    texts = [f"299 {place.url}: {warning}" for warning in warnings]
    if texts:
        response["Warning"] = ", ".join(texts)
    # Results differ from person to person and from minute to minute.
    response["Cache-Control"], response["Vary"] = "private, no-store", VARY
    return response
