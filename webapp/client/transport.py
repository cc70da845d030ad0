"""Requests with an access token, and what they answer."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

LONGEST_WAIT_S = 120.0


class ApiError(Exception):
    """The site refused: `status` of HTTP, `code` for programs, `sentence` for people."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(f"{sentence} ({status} {code})")
        self.status, self.code, self.sentence = status, code, sentence


class Transport:
    """One site, spoken to as the person whose token it is."""

    def __init__(self, address: str, token: str, timeout_s: float) -> None:
        parts = urllib.parse.urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError(f"{address!r} is no address of a site: http:// or https:// and a host")
        self.address, self.timeout_s = address.rstrip("/"), timeout_s
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """The JSON that a path answers with."""
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        return json.loads(self._ask(path + (f"?{urllib.parse.urlencode(asked)}" if asked else "")))

    def get_next(self, address: str) -> Any:
        """The JSON of a next page, by the address that the site told; always from this site, whose token it is."""
        parts = urllib.parse.urlsplit(address)
        return self.get(f"{parts.path}?{parts.query}")

    def get_bytes(self, path: str) -> bytes:
        """What a path answers with, as it is."""
        return self._ask(path)

    def post(self, path: str, said: Mapping[str, Any]) -> Any:
        """The JSON that a path answers with to JSON; fields that are None are left out."""
        body = json.dumps({name: value for name, value in said.items() if value is not None}).encode()
        return json.loads(self._ask(path, body))

    def _ask(self, path: str, body: bytes | None = None) -> bytes:
        """Ask once; a site that says "later" is asked again then, for LONGEST_WAIT_S in all."""
        headers = {**self._headers, **({"Content-Type": "application/json"} if body is not None else {})}
        until = time.monotonic() + LONGEST_WAIT_S
        while True:
            request = urllib.request.Request(self.address + path, body, headers)
            try:
                with urllib.request.urlopen(request, timeout=self.timeout_s) as answer:
                    content: bytes = answer.read()
                    return content
            except urllib.error.HTTPError as error:
                wait_s = _wait_s(error)
                if wait_s is None or time.monotonic() + wait_s > until:
                    raise _refused(error) from None
                time.sleep(wait_s)


def _wait_s(error: urllib.error.HTTPError) -> float | None:
    after = error.headers.get("Retry-After", "")
    return float(after) if error.code == 429 and after.isdigit() else None


def _refused(error: urllib.error.HTTPError) -> ApiError:
    try:
        said = json.loads(error.read())
        return ApiError(error.code, str(said["error"]), str(said["sentence"]))
    except (ValueError, KeyError, TypeError):
        return ApiError(error.code, "http", str(error.reason))
