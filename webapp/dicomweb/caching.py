"""Entity tags and how long answers keep: content never changes under its name, rights are asked for each time."""

import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags, quote_etag

from webapp.dicomweb.media import Range, read_accept

FOR_EVER = "private, max-age=31536000, immutable"
REVALIDATED = "private, no-cache"
VARY = "Accept, Authorization, Cookie"


def accepted(request: HttpRequest) -> list[Range]:
    """What a client accepts, by its header or by the query's `accept`, which speaks louder (PS3.18 8.3.3.1)."""
    return read_accept(request.GET.get("accept") or request.headers.get("Accept"))


def etag_of(*facts: Any) -> str:
    """The entity tag of whatever follows from these facts."""
    return quote_etag(hashlib.sha256("\n".join(map(str, facts)).encode()).hexdigest()[:40])


def is_known(request: HttpRequest, etag: str) -> bool:
    """Whether the client holds this answer already."""
    return etag in parse_etags(request.headers.get("If-None-Match", ""))


def unchanged(etag: str) -> HttpResponseBase:
    """304: what the client holds is still right."""
    return kept(HttpResponseNotModified(), etag, for_ever=False)


def kept(response: HttpResponseBase, etag: str, *, for_ever: bool) -> HttpResponseBase:
    """An answer with its entity tag: kept for ever where its content can never be another, asked about otherwise."""
    response["ETag"], response["Vary"] = etag, VARY
    response["Cache-Control"] = FOR_EVER if for_ever else REVALIDATED
    return response
