"""Static files beside Django: no thread, no session, whole file in one go.

Found by Django's finders, so nothing has to be collected first. Names that carry a hash (the viewer's build) are
cached for ever; others are asked for again and answered 304.
"""

import asyncio
import gzip
import mimetypes
import re
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from django.contrib.staticfiles import finders
from django.core.exceptions import SuspiciousFileOperation

HASHED_NAME = re.compile(r"-[A-Za-z0-9_-]{8,}\.[a-z0-9.]+$")
TEXT = ("text/", "application/javascript", "application/json", "application/wasm", "image/svg")
GZIP_FROM_BYTES = 1024

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class StaticFiles:
    """ASGI application: `/static/...` from the finders, everything else to `otherwise`."""

    def __init__(self, otherwise: Callable[..., Awaitable[None]], prefix: str = "/static/") -> None:
        self.otherwise = otherwise
        self.prefix = prefix

    async def __call__(self, scope: Scope, receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        if not scope["path"].startswith(self.prefix):
            await self.otherwise(scope, receive, send)
            return
        if scope["method"] not in ("GET", "HEAD"):
            await _answer(send, 405, [(b"allow", b"GET, HEAD")])
            return
        path = await asyncio.to_thread(_find, unquote(scope["path"][len(self.prefix) :]))
        if path is None:
            await _answer(send, 404, [(b"content-type", b"text/plain")], b"There is no such file.")
            return
        await _send_file(scope, send, path)


async def _send_file(scope: Scope, send: Send, path: Path) -> None:
    asked = {name: value.decode("latin-1") for name, value in scope["headers"]}
    stat = path.stat()
    etag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    hashed = HASHED_NAME.search(path.name) and "assets" in path.parts
    headers = [
        (b"content-type", (f"{kind}; charset=utf-8" if kind.startswith("text/") else kind).encode()),
        (b"cache-control", b"public, max-age=31536000, immutable" if hashed else b"no-cache"),
        (b"etag", etag.encode()),
        (b"last-modified", formatdate(stat.st_mtime, usegmt=True).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cross-origin-resource-policy", b"same-origin"),
    ]
    if kind.startswith(TEXT):
        headers.append((b"vary", b"accept-encoding"))
    if asked.get(b"if-none-match") == etag:
        await _answer(send, 304, headers)
        return
    zipped = kind.startswith(TEXT) and stat.st_size >= GZIP_FROM_BYTES and "gzip" in asked.get(b"accept-encoding", "")
    body = await asyncio.to_thread(_read, path, stat.st_mtime_ns, zipped)
    if zipped:
        headers.append((b"content-encoding", b"gzip"))
    headers.append((b"content-length", str(len(body)).encode()))
    await _answer(send, 200, headers, b"" if scope["method"] == "HEAD" else body)


@lru_cache(maxsize=512)
def _found(name: str) -> Path | None:
    try:
        found = finders.find(name)
    except (SuspiciousFileOperation, ValueError):
        return None
    return Path(found) if isinstance(found, str) and Path(found).is_file() else None


def _find(name: str) -> Path | None:
    path = _found(name)
    if path is not None and not path.is_file():  # a new build took the file's place
        _found.cache_clear()
        path = _found(name)
    return path


@lru_cache(maxsize=64)
def _read(path: Path, version: int, zipped: bool) -> bytes:
    body = path.read_bytes()
    return gzip.compress(body, 6, mtime=0) if zipped else body


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes = b"") -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
