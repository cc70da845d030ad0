"""Where the present request came from, for the events that it causes."""

from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

_address: ContextVar[str] = ContextVar("address", default="")


def present_address() -> str:
    """Return the IP address of the request under way, "" outside of requests."""
    return _address.get()


class OriginMiddleware:
    """Remember the address of each request while it is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request with its address at hand."""
        token = _address.set(str(request.META.get("REMOTE_ADDR") or ""))
        try:
            return self.get_response(request)
        finally:
            _address.reset(token)
