"""What belongs to a case or to a campaign and is no reading's own: pixels, and pictures of guidelines."""

import gzip
import uuid

import zstandard
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from webapp.accounts.authentication import open_to_programs
from webapp.archive.models import Preview
from webapp.archive.queries import preview_bytes, slab_bytes
from webapp.archive.storage import DamagedFile
from webapp.campaigns.models import GuidelinePicture
from webapp.campaigns.queries import campaign_for, case_by_id_for

# The name carries the content's hash. The right is asked for on each request that reaches the server all the same.
FOR_EVER = "private, max-age=31536000, immutable"


@require_GET
@open_to_programs
def case_slab(request: HttpRequest, case_id: uuid.UUID, index: int, sha256: str) -> HttpResponse:
    """One slab of a case's pixels. The right is the case's, checked each time; the hash only names the content."""
    scan = case_by_id_for(request.user, case_id).scan
    if index >= len(scan.slabs) or scan.slabs[index]["sha256"] != sha256:
        raise Http404("No such slab.")
    try:
        return _pixels(request, slab_bytes(scan, index))
    except DamagedFile:
        return _damaged(f"The pixels of slab {index + 1}")
    except OSError:
        return _away()


@require_GET
@open_to_programs
def case_preview(request: HttpRequest, case_id: uuid.UUID, sha256: str) -> HttpResponse:
    """A case's scan at low resolution, as one slab. The right is the case's, checked each time."""
    preview = Preview.objects.filter(scan=case_by_id_for(request.user, case_id).scan, sha256=sha256).first()
    if preview is None:
        raise Http404("No such preview.")
    try:
        return _pixels(request, preview_bytes(preview))
    except DamagedFile:
        return _damaged("The pixels of the preview")
    except OSError:
        return _away()


@require_GET
@open_to_programs
def guideline_picture(request: HttpRequest, slug: str, sha256: str) -> HttpResponse:
    """One picture of a campaign's guideline, for the campaign's members."""
    picture = GuidelinePicture.objects.filter(campaign=campaign_for(request.user, slug), sha256=sha256).first()
    if picture is None:
        raise Http404("No such picture.")
    response = HttpResponse(bytes(picture.content), content_type=picture.content_type)
    response["Cache-Control"] = FOR_EVER
    return response


def _damaged(what: str) -> JsonResponse:
    sentence = f"{what} are damaged in storage. Tell an administrator: archive verify."
    return JsonResponse({"error": "damaged", "sentence": sentence}, status=500)


def _away() -> JsonResponse:
    sentence = "The storage of pixels does not answer. Nothing is lost; try again in a moment."
    return JsonResponse({"error": "storage_away", "sentence": sentence}, status=503, headers={"Retry-After": "5"})


def _pixels(request: HttpRequest, data: bytes) -> HttpResponse:
    """The zstd bytes of a slab as the browser takes them: zstd, gzip or plain."""
    accepted = request.headers.get("Accept-Encoding", "")
    encoding = "zstd"
    if "zstd" not in accepted:
        raw = zstandard.ZstdDecompressor().decompress(data)
        data, encoding = (gzip.compress(raw, 1), "gzip") if "gzip" in accepted else (raw, "")
    response = HttpResponse(data, content_type="application/octet-stream")
    if encoding:
        response["Content-Encoding"] = encoding
    response["Vary"] = "Accept-Encoding"
    response["Cache-Control"] = FOR_EVER
    return response
