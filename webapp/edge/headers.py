"""Security headers of every answer."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

# WebAssembly and workers: the viewer decodes slabs with them. Inline style attributes: the viewer's library sets them.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "worker-src 'self' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob: {sockets}",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
PERMISSIONS_POLICY = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"


class SecurityHeadersMiddleware:
    """Adds the content security policy and its companions; a view's own header stands."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        answer = self.get_response(request)
        if isinstance(answer, HttpResponseBase):
            return secured(answer, request)
        return self._later(answer, request)

    async def _later(
        self, answer: "Awaitable[HttpResponseBase] | HttpResponseBase", request: HttpRequest
    ) -> HttpResponseBase:
        return secured(await answer if isinstance(answer, Awaitable) else answer, request)


def secured(response: HttpResponseBase, request: HttpRequest) -> HttpResponseBase:
    """Return `response` with the headers set."""
    # Older browsers do not count a WebSocket of the same host as 'self'.
    host = request.META.get("HTTP_HOST", "")
    safe = host.replace(".", "").replace(":", "").replace("-", "").replace("[", "").replace("]", "").isalnum()
    sockets = f"ws://{host} wss://{host}" if safe else ""
    response.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY.format(sockets=sockets))
    response.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
    response.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    return response
