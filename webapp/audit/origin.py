"""Where the present request came from, for the events that it causes."""

import ipaddress
from collections.abc import Callable
from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse

_address: ContextVar[str] = ContextVar("address", default="")


def present_address() -> str:
    """Return the IP address of the request under way, "" outside of requests."""
    return _address.get()


def address_of(request: HttpRequest, trusted_proxies: int) -> str:
    """The IP address that a request came from, behind so many proxies of the installation's own.

    Each proxy appends to X-Forwarded-For whom it was called by: the entry that our outermost proxy wrote is the
    `trusted_proxies`-th from the right, and everything left of it is what the client claims. Where the header has
    fewer entries, or no address in that place, the request did not come through our proxies: its own address counts.
    """
    direct = str(request.META.get("REMOTE_ADDR") or "")
    if trusted_proxies < 1:
        return direct
    entries = str(request.META.get("HTTP_X_FORWARDED_FOR") or "").split(",")
    if len(entries) < trusted_proxies:
        return direct
    return _plain(entries[-trusted_proxies]) or direct


def _plain(entry: str) -> str:
    """An address as proxies write it, without its port; "" for what is none."""
    text = entry.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


class OriginMiddleware:
    """Remember the address of each request while it is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request with its address at hand."""
        token = _address.set(address_of(request, settings.TRUSTED_PROXIES))
        try:
            return self.get_response(request)
        finally:
            _address.reset(token)
