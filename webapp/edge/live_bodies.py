"""Requests whose body is read as it arrives.

Django under ASGI first writes a whole body into a temporary file: a gigabyte of somebody's images, in the clear. For
the addresses named here the view reads from the connection itself, so that who may not send is told at once, and what
is sent is sealed before it touches the disk.
"""

import asyncio
import io
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.core.handlers.asgi import ASGIHandler

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
PATIENCE_S = 120.0


class LiveBody(io.RawIOBase):
    """A body that comes message by message; read it in a view's thread, never in the event loop's.

    Raises OSError where the client vanishes or says nothing for PATIENCE_S.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._held = b""
        self._more, self._gone = True, False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._held and self._more:
            message = asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()
            self._held = message.get("body", b"")
        if self._gone:
            raise OSError("the client is gone")
        size = min(len(buffer), len(self._held))
        buffer[:size] = self._held[:size]
        self._held = self._held[size:]
        return size

    async def _next(self) -> Message:
        try:
            message = await asyncio.wait_for(self._receive(), PATIENCE_S)
        except TimeoutError:
            message = {"type": "http.disconnect"}
        self._gone = message["type"] == "http.disconnect"
        self._more = not self._gone and bool(message.get("more_body", False))
        if not self._more:
            self._over.set()
        return message

    async def after(self) -> Message:
        """The message behind the body: that the client has gone."""
        await self._over.wait()
        return {"type": "http.disconnect"} if self._gone else await self._receive()


class LiveBodies(ASGIHandler):
    """Django's ASGI handler; where `lives(scope)` says so, a view reads the body while it arrives."""

    def __init__(self, lives: Callable[[Message], bool]) -> None:
        super().__init__()
        self._lives = lives

    async def handle(self, scope: Any, receive: Receive, send: Any) -> None:
        if not self._lives(scope):
            await super().handle(scope, receive, send)
            return
        body = LiveBody(receive)
        # Bound, so that `read_body` below knows it from an ordinary `receive`.
        await super().handle(scope, body.after, send)

    async def read_body(self, receive: Receive) -> Any:
        body = getattr(receive, "__self__", None)
        return io.BufferedReader(body, 64 * 1024) if isinstance(body, LiveBody) else await super().read_body(receive)
