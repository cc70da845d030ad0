"""Bodies are read by the view as they arrive, refused before they are read, and end where their client ends."""

import asyncio
import threading

from asgiref.testing import ApplicationCommunicator
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path

from webapp.edge.live_bodies import LiveBodies

seen: list[bytes] = []
first_read = threading.Event()


def echo(request: HttpRequest) -> HttpResponse:
    """Read the body in small parts."""
    try:
        while part := request.read(4):
            seen.append(part)
            first_read.set()
    except OSError:
        seen.append(b"gone")
        return HttpResponse(status=503)
    return HttpResponse(b"".join(seen))


def refuse(request: HttpRequest) -> HttpResponse:
    """Answer without a look at the body."""
    return HttpResponse("no", status=403)


urlpatterns = [path("live/", echo), path("live/refused/", refuse), path("spooled/", echo)]


def communicator(path: str) -> ApplicationCommunicator:
    seen.clear()
    first_read.clear()
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"testserver"), (b"content-type", b"application/octet-stream")],
        "http_version": "1.1",
    }
    return ApplicationCommunicator(LiveBodies(lambda scope: scope["path"].startswith("/live/")), scope)


def body(content: bytes, more: bool) -> dict:
    return {"type": "http.request", "body": content, "more_body": more}


async def answer_of(site: ApplicationCommunicator) -> tuple[int, bytes]:
    start = await site.receive_output(20)
    content = b""
    while True:
        message = await site.receive_output(20)
        content += message.get("body", b"")
        if not message.get("more_body"):
            return start["status"], content


def run(scene) -> None:
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[]):
        asyncio.run(scene())


def test_view_reads_what_has_arrived_before_the_rest_is_sent():
    async def scene() -> None:
        site = communicator("/live/")
        await site.send_input(body(b"first", True))
        assert await asyncio.to_thread(first_read.wait, 20)
        assert seen[0] == b"firs"
        await site.send_input(body(b"", True))
        await site.send_input(body(b" last", False))
        assert await answer_of(site) == (200, b"first last")

    run(scene)


def test_who_may_not_send_is_told_before_sending():
    async def scene() -> None:
        site = communicator("/live/refused/")
        assert await answer_of(site) == (403, b"no")

    run(scene)


def test_client_that_vanishes_ends_the_reading():
    async def scene() -> None:
        site = communicator("/live/")
        await site.send_input(body(b"first", True))
        assert await asyncio.to_thread(first_read.wait, 20)
        await site.send_input({"type": "http.disconnect"})
        await site.wait(20)
        while b"gone" not in seen:
            await asyncio.sleep(0.01)

    run(scene)


def test_other_addresses_are_read_as_ever():
    async def scene() -> None:
        site = communicator("/spooled/")
        await site.send_input(body(b"all ", True))
        await site.send_input(body(b"of it", False))
        assert await answer_of(site) == (200, b"all of it")

    run(scene)
