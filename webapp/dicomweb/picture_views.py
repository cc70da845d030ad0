"""WADO-RS: rendered images and thumbnails (PS3.18 10.4.1.1.3 and 10.4.1.1.4)."""

from collections.abc import Sequence

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from pydicom import Dataset

from inference.imaging.rendering import encoded, render, representative_frame
from inference.imaging.transcode import frame_count
from webapp.dicomweb.access import Place, dicomweb
from webapp.dicomweb.caching import accepted, etag_of, is_known, kept, unchanged
from webapp.dicomweb.faults import BadRequest
from webapp.dicomweb.frame_views import check_frames, read_frame_numbers
from webapp.dicomweb.holdings import Holding, holding_in, holdings_in, middle_of, series_in
from webapp.dicomweb.media import Form, picture_form
from webapp.dicomweb.noting import note_view
from webapp.dicomweb.picture_parameters import PictureWish, read_picture_wish, thumbnail_wish
from webapp.dicomweb.streams import Part, in_parts, sent

FORMATS = ("image/jpeg", "image/png", "image/gif")


@dicomweb
def rendered_study(request: HttpRequest, place: Place, study_uid: str) -> HttpResponseBase:
    """A picture of every image of a study."""
    return _pictures(request, place, holdings_in(series_in(place, study_uid)))


@dicomweb
def rendered_series(request: HttpRequest, place: Place, study_uid: str, series_uid: str) -> HttpResponseBase:
    """A picture of every image of a series."""
    return _pictures(request, place, holdings_in(series_in(place, study_uid, series_uid)))


@dicomweb
def rendered_instance(
    request: HttpRequest, place: Place, study_uid: str, series_uid: str, sop_uid: str
) -> HttpResponseBase:
    """A picture of an image; of one with many frames, the frame that stands for it."""
    holding = holding_in(place, study_uid, series_uid, sop_uid)
    return _picture(request, place, holding, None, read_picture_wish(request.GET))


@dicomweb
def rendered_frames(
    request: HttpRequest, place: Place, study_uid: str, series_uid: str, sop_uid: str, numbers: str
) -> HttpResponseBase:
    """Pictures of frames: one alone, or one a part."""
    holding, wanted = holding_in(place, study_uid, series_uid, sop_uid), read_frame_numbers(numbers)
    return _picture(request, place, holding, wanted, read_picture_wish(request.GET))


@dicomweb
def study_thumbnail(request: HttpRequest, place: Place, study_uid: str) -> HttpResponseBase:
    """A small picture of a study: the middle of its first scan."""
    return _picture(request, place, middle_of(series_in(place, study_uid)), None, thumbnail_wish(request.GET))


@dicomweb
def series_thumbnail(request: HttpRequest, place: Place, study_uid: str, series_uid: str) -> HttpResponseBase:
    """A small picture of a series: its middle."""
    holding = middle_of(series_in(place, study_uid, series_uid))
    return _picture(request, place, holding, None, thumbnail_wish(request.GET))


@dicomweb
def instance_thumbnail(
    request: HttpRequest, place: Place, study_uid: str, series_uid: str, sop_uid: str
) -> HttpResponseBase:
    """A small picture of an image."""
    holding = holding_in(place, study_uid, series_uid, sop_uid)
    return _picture(request, place, holding, None, thumbnail_wish(request.GET))


@dicomweb
def frame_thumbnail(
    request: HttpRequest, place: Place, study_uid: str, series_uid: str, sop_uid: str, numbers: str
) -> HttpResponseBase:
    """A small picture of a frame."""
    holding, wanted = holding_in(place, study_uid, series_uid, sop_uid), read_frame_numbers(numbers)
    return _picture(request, place, holding, wanted[:1], thumbnail_wish(request.GET))


def _picture(
    request: HttpRequest, place: Place, holding: Holding, wanted: Sequence[int] | None, wish: PictureWish
) -> HttpResponseBase:
    media_type = picture_form(accepted(request), FORMATS)
    etag = etag_of(holding.sha256, wanted, wish, media_type)
    if is_known(request, etag):
        return unchanged(etag)
    dataset = holding.dataset()
    check_frames(dataset, wanted or [1])
    note_view(request, place.campaign, [holding.series])
    numbers = wanted or [representative_frame(dataset) + 1]
    base = f"{place.url}{holding.path}"
    makers = [
        (lambda number=number: [_part(dataset, number, wish, media_type, f"{base}/frames/{number}/rendered")])
        for number in numbers
    ]
    form = Form(media_type, multipart=len(numbers) > 1)
    return _warned(kept(sent(form, makers, etag), etag, for_ever=True), place, wish)


def _pictures(request: HttpRequest, place: Place, holdings: Sequence[Holding]) -> HttpResponseBase:
    wish, media_type = read_picture_wish(request.GET), picture_form(accepted(request), FORMATS)
    rows = list({holding.series.pk: holding.series for holding in holdings}.values())
    etag = etag_of(*(holding.sha256 for holding in holdings), wish, media_type)
    if is_known(request, etag):
        return unchanged(etag)
    note_view(request, place.campaign, rows)
    makers = [(lambda holding=holding: _parts(place, holding, wish, media_type)) for holding in holdings]
    return _warned(kept(in_parts(media_type, makers, etag), etag, for_ever=False), place, wish)


def _parts(place: Place, holding: Holding, wish: PictureWish, media_type: str) -> list[Part]:
    dataset = holding.dataset()
    if not frame_count(dataset):
        return []
    url = f"{place.url}{holding.path}/rendered"
    return [_part(dataset, representative_frame(dataset) + 1, wish, media_type, url)]


def _part(dataset: Dataset, number: int, wish: PictureWish, media_type: str, url: str) -> Part:
    try:
        picture = render(dataset, number - 1, wish.window, wish.viewport)
    except ValueError as error:
        raise BadRequest(str(error)) from error
    return Part(media_type, url, encoded(picture, media_type, wish.quality))


def _warned(response: HttpResponseBase, place: Place, wish: PictureWish) -> HttpResponseBase:
    if wish.ignored:
        what = ", ".join(wish.ignored)
        response["Warning"] = f"299 {place.url}: The following annotation values are not supported: {what}"
    return response
