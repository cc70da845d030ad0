"""WADO-RS: whole instances and their metadata (PS3.18 10.4.1.1.1 and 10.4.1.1.2)."""

import json
from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from inference.imaging.dicomjson import with_addresses
from inference.imaging.transcode import explicit_little_endian
from webapp.archive.headers import header_lines
from webapp.archive.models import Series
from webapp.dicomweb.access import Place, dicomweb
from webapp.dicomweb.attributes import tag_of
from webapp.dicomweb.caching import accepted, etag_of, is_known, kept, unchanged
from webapp.dicomweb.faults import NotFound
from webapp.dicomweb.holdings import Holding, holding_in, holdings_in, series_in
from webapp.dicomweb.media import DICOM, EXPLICIT, REWRITTEN, XML, Form, dicom_form, header_form
from webapp.dicomweb.noting import note_download, note_view
from webapp.dicomweb.streams import Part, content_type_of, in_one_piece, sent
from webapp.dicomweb.xml import to_xml

SOP_UID = tag_of("SOPInstanceUID")


@dicomweb
def study(request: HttpRequest, place: Place, study_uid: str) -> HttpResponseBase:
    """Every instance of a study."""
    return _instances(request, place, holdings_in(series_in(place, study_uid)))


@dicomweb
def series(request: HttpRequest, place: Place, study_uid: str, series_uid: str) -> HttpResponseBase:
    """Every instance of a series."""
    return _instances(request, place, holdings_in(series_in(place, study_uid, series_uid)))


@dicomweb
def instance(request: HttpRequest, place: Place, study_uid: str, series_uid: str, sop_uid: str) -> HttpResponseBase:
    """One instance."""
    return _instances(request, place, [holding_in(place, study_uid, series_uid, sop_uid)])


@dicomweb
def study_metadata(request: HttpRequest, place: Place, study_uid: str) -> HttpResponseBase:
    """The headers of a study's instances."""
    return _metadata(request, place, series_in(place, study_uid))


@dicomweb
def series_metadata(request: HttpRequest, place: Place, study_uid: str, series_uid: str) -> HttpResponseBase:
    """The headers of a series' instances."""
    return _metadata(request, place, series_in(place, study_uid, series_uid))


@dicomweb
def instance_metadata(
    request: HttpRequest, place: Place, study_uid: str, series_uid: str, sop_uid: str
) -> HttpResponseBase:
    """The header of an instance."""
    return _metadata(request, place, series_in(place, study_uid, series_uid), sop_uid)


def _instances(request: HttpRequest, place: Place, holdings: Sequence[Holding]) -> HttpResponseBase:
    rows = list({holding.series.pk: holding.series for holding in holdings}.values())
    form = dicom_form(accepted(request), {row.transfer_syntax_uid for row in rows}, len(holdings))
    etag = etag_of(*(holding.sha256 for holding in holdings), form, place.url)
    if is_known(request, etag):
        return unchanged(etag)
    note_download(request, place.campaign, rows)
    makers = [(lambda holding=holding: [_part(place, holding, form)]) for holding in holdings]
    return kept(sent(form, makers, etag), etag, for_ever=len(holdings) == 1)


def _part(place: Place, holding: Holding, form: Form) -> Part:
    """One file, as it is kept or as Explicit VR Little Endian."""
    content, stored = holding.content(), holding.series.transfer_syntax_uid
    as_kept = bool(form.syntax) and stored not in REWRITTEN
    syntax = stored if as_kept else EXPLICIT
    content = content if as_kept else explicit_little_endian(content)
    return Part(content_type_of(DICOM, syntax), f"{place.url}{holding.path}", content)


def _metadata(
    request: HttpRequest, place: Place, rows: Sequence[Series], sop_uid: str | None = None
) -> HttpResponseBase:
    form = header_form(accepted(request))
    etag = etag_of(*(row.uid for row in rows), sop_uid, form, place.url)
    if is_known(request, etag):
        return unchanged(etag)
    found = [(url, text) for row in rows for url, text in _headers(place, row, sop_uid)]
    if not found:
        raise NotFound("There is no such instance in this series.")
    note_view(request, place.campaign, rows)
    if form.media_type == XML:
        parts = [Part(XML, f"{url}/metadata", to_xml(json.loads(text))) for url, text in found]
        return kept(in_one_piece(XML, parts, etag), etag, for_ever=False)
    body = f"[{','.join(text for _, text in found)}]"
    return kept(HttpResponse(body, content_type=form.media_type), etag, for_ever=False)


def _headers(place: Place, row: Series, sop_uid: str | None) -> list[tuple[str, str]]:
    """Address and DICOM JSON text of the instances of a series, or of the one named."""
    found = []
    for line in header_lines(row):
        uid = json.loads(line)[SOP_UID]["Value"][0]
        if sop_uid in (None, uid):
            url = f"{place.url}/studies/{row.scan.study.uid}/series/{row.uid}/instances/{uid}"
            found.append((url, with_addresses(line, url)))
    return found
