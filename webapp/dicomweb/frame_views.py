"""WADO-RS: frames and bulk data (PS3.18 10.4.1.1.1)."""

import re
from collections.abc import Iterable, Sequence

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from pydicom import Dataset

from inference.imaging.transcode import frame_count, native_frames, plain_pixels, stored_frames, syntax_of
from webapp.dicomweb.access import Place, dicomweb
from webapp.dicomweb.caching import accepted, etag_of, is_known, kept, unchanged
from webapp.dicomweb.faults import BadRequest, NotFound
from webapp.dicomweb.holdings import Holding, holding_in, holdings_in, series_in
from webapp.dicomweb.media import EXPLICIT, OCTETS, Form, frames_form
from webapp.dicomweb.noting import note_download, note_view
from webapp.dicomweb.streams import Part, content_type_of, in_parts, sent

MOST_FRAMES = 10_000
PIXEL_DATA = "7FE00010"
TAG = re.compile(r"[0-9A-Fa-f]{8}")
PLAIN = content_type_of(OCTETS, EXPLICIT)


@dicomweb
def frames(
    request: HttpRequest, place: Place, study_uid: str, series_uid: str, sop_uid: str, numbers: str
) -> HttpResponseBase:
    """Frames of an instance, by their numbers from 1."""
    holding, wanted = holding_in(place, study_uid, series_uid, sop_uid), read_frame_numbers(numbers)
    form = frames_form(accepted(request), holding.series.transfer_syntax_uid, len(wanted))
    etag = etag_of(holding.sha256, numbers, form, place.url)
    if is_known(request, etag):
        return unchanged(etag)
    dataset = holding.dataset()
    check_frames(dataset, wanted)
    note_view(request, place.campaign, [holding.series])
    base = f"{place.url}{holding.path}/frames"
    makers = [(lambda number=number: _frames(dataset, form, [number - 1], f"{base}/{number}")) for number in wanted]
    return kept(sent(form, makers, etag), etag, for_ever=True)


@dicomweb
def bulkdata(
    request: HttpRequest, place: Place, study_uid: str, series_uid: str, sop_uid: str, tag: str
) -> HttpResponseBase:
    """The bulk data of one attribute, as the metadata names it."""
    holding, name = holding_in(place, study_uid, series_uid, sop_uid), tag.upper()
    if not TAG.fullmatch(tag):
        raise BadRequest("Bulk data is named by a tag of eight hexadecimal digits, as the metadata gives it.")
    stored = holding.series.transfer_syntax_uid if name == PIXEL_DATA else EXPLICIT
    form = frames_form(accepted(request), stored, 1)
    etag = etag_of(holding.sha256, name, form, place.url)
    if is_known(request, etag):
        return unchanged(etag)
    dataset = holding.dataset()
    if int(name, 16) not in dataset:
        raise NotFound("This instance has no bulk data of that name.")
    note_download(request, place.campaign, [holding.series])
    url = f"{place.url}{holding.path}/bulkdata/{name}"
    return kept(sent(form, [lambda: _bulk(dataset, form, name, url)], etag), etag, for_ever=True)


@dicomweb
def study_bulkdata(request: HttpRequest, place: Place, study_uid: str) -> HttpResponseBase:
    """The pixel data of every image of a study."""
    return _all_pixels(request, place, holdings_in(series_in(place, study_uid)))


@dicomweb
def series_bulkdata(request: HttpRequest, place: Place, study_uid: str, series_uid: str) -> HttpResponseBase:
    """The pixel data of every image of a series."""
    return _all_pixels(request, place, holdings_in(series_in(place, study_uid, series_uid)))


@dicomweb
def instance_bulkdata(
    request: HttpRequest, place: Place, study_uid: str, series_uid: str, sop_uid: str
) -> HttpResponseBase:
    """The pixel data of an image."""
    return _all_pixels(request, place, [holding_in(place, study_uid, series_uid, sop_uid)])


def read_frame_numbers(text: str) -> list[int]:
    """Frame numbers of an address, "1,2,3"; raises BadRequest."""
    if not re.fullmatch(r"[0-9]{1,6}(,[0-9]{1,6})*", text):
        raise BadRequest("Frames are numbers from 1, separated by commas.")
    numbers = [int(number) for number in text.split(",")]
    if 0 in numbers or len(numbers) > MOST_FRAMES:
        raise BadRequest(f"Frames are counted from 1, and at most {MOST_FRAMES} can be asked for at once.")
    return numbers


def check_frames(dataset: Dataset, wanted: Iterable[int]) -> None:
    """Raise NotFound unless an instance has these frames."""
    count = frame_count(dataset)
    if not count:
        raise NotFound("This instance is no image: it has no frames.")
    if max(wanted) > count:
        raise NotFound(f"This instance has {count} frame{'s' if count > 1 else ''}.")


def _frames(dataset: Dataset, form: Form, indices: Sequence[int], url: str) -> list[Part]:
    read, syntax = (stored_frames, syntax_of(dataset)) if form.syntax else (native_frames, EXPLICIT)
    return [Part(content_type_of(form.media_type, syntax), url, data) for data in read(dataset, indices)]


def _bulk(dataset: Dataset, form: Form, name: str, url: str) -> list[Part]:
    """Plain pixel data is one part of all frames, compressed one part a frame (8.7.3.3.2)."""
    if name != PIXEL_DATA:
        value = dataset[int(name, 16)].value
        if not isinstance(value, bytes):
            raise NotFound("This attribute is written out in the metadata; it has no bulk data.")
        return [Part(PLAIN, url, value)]
    if form.syntax:
        return _frames(dataset, form, range(frame_count(dataset)), url)
    return [Part(PLAIN, url, plain_pixels(dataset))]


def _all_pixels(request: HttpRequest, place: Place, holdings: Sequence[Holding]) -> HttpResponseBase:
    rows = list({holding.series.pk: holding.series for holding in holdings}.values())
    frames_form(accepted(request), EXPLICIT, 2)
    etag = etag_of(*(holding.sha256 for holding in holdings), "bulkdata", place.url)
    if is_known(request, etag):
        return unchanged(etag)
    note_download(request, place.campaign, rows)
    makers = [(lambda holding=holding: _pixels_of(place, holding)) for holding in holdings]
    return kept(in_parts(OCTETS, makers, etag), etag, for_ever=False)


def _pixels_of(place: Place, holding: Holding) -> list[Part]:
    dataset = holding.dataset()
    if "PixelData" not in dataset:
        return []
    return [Part(PLAIN, f"{place.url}{holding.path}/bulkdata/{PIXEL_DATA}", plain_pixels(dataset))]
