"""Answers of many parts (RFC 2387), made while they are sent: memory holds one part at a time."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from webapp.dicomweb.media import Form

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """One part: its media type with parameters, its address, its bytes."""

    content_type: str
    location: str
    content: bytes


Maker = Callable[[], Iterable[Part]]


def content_type_of(media_type: str, syntax: str) -> str:
    """A media type with its transfer syntax."""
    return f"{media_type}; transfer-syntax={syntax}" if syntax else media_type


def boundary_of(tag: str) -> str:
    """A boundary that follows from what is sent, so that the same answer is the same bytes."""
    return hashlib.sha256(f"boundary {tag}".encode()).hexdigest()[:40]


def sent(form: Form, makers: Sequence[Maker], tag: str) -> HttpResponseBase:
    """The answer in a form: one thing is made at once, so that a fault is still told; many are made while sent."""
    if len(makers) > 1:
        return in_parts(form.media_type, makers, tag)
    parts = list(makers[0]())
    return in_one_piece(form.media_type, parts, tag) if form.multipart else alone(parts[0])


def in_parts(media_type: str, makers: Iterable[Maker], tag: str) -> HttpResponseBase:
    """A multipart/related answer, each maker's parts made in a thread when their turn comes.

    Whatever fails once the answer has begun breaks it off without its last boundary, so that no client takes a part
    for the whole.
    """
    boundary = boundary_of(tag)
    response = StreamingHttpResponse(_stream(list(makers), boundary))
    response["Content-Type"] = f'multipart/related; type="{media_type}"; boundary={boundary}'
    return response


def in_one_piece(media_type: str, parts: list[Part], tag: str) -> HttpResponseBase:
    """A multipart/related answer whose parts are there already."""
    boundary = boundary_of(tag)
    body = b"".join(_written(parts, boundary)) + _end(boundary)
    return HttpResponse(body, content_type=f'multipart/related; type="{media_type}"; boundary={boundary}')


def alone(part: Part) -> HttpResponseBase:
    """An answer of one part without an envelope."""
    response = HttpResponse(part.content, content_type=part.content_type)
    response["Content-Location"] = part.location
    return response


async def _stream(makers: list[Maker], boundary: str) -> AsyncIterator[bytes]:
    for maker in makers:
        try:
            for piece in await asyncio.to_thread(lambda: list(_written(maker(), boundary))):  # noqa: B023
                yield piece
        except Exception as error:
            log.error("A DICOMweb answer was broken off: %s", error)
            raise
    yield _end(boundary)


def _written(parts: Iterable[Part], boundary: str) -> Iterator[bytes]:
    for part in parts:
        yield (
            f"--{boundary}\r\nContent-Type: {part.content_type}\r\nContent-Length: {len(part.content)}\r\n"
            f"Content-Location: {part.location}\r\n\r\n"
        ).encode()
        yield part.content
        yield b"\r\n"


def _end(boundary: str) -> bytes:
    return f"--{boundary}--\r\n".encode()
