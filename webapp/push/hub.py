"""One LISTEN connection a process, shared by all its open sockets."""

import asyncio
import contextlib
import json
import logging
from collections import defaultdict
from typing import Any, Protocol

import psycopg
from django.db import connections

from webapp.push import CHANNEL

log = logging.getLogger(__name__)
RETRY_S = (0.1, 0.2, 0.5, 1.0, 2.0)
CHECK_EVERY_S = 30.0


class Listener(Protocol):
    """What the hub needs of a socket."""

    async def hear(self, message: dict[str, Any]) -> None:
        """Take one event."""


class Hub:
    """Hands each notification to the listeners of its topic; after a lost connection tells all to read anew."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[Listener]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None
        self._listening = asyncio.Event()

    async def add(self, topic: str, listener: Listener) -> None:
        """Start handing events of `topic` to `listener`; returns once the database is being listened to."""
        self._listeners[topic].add(listener)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="push hub")
        await self._listening.wait()

    def drop(self, topic: str, listener: Listener) -> None:
        """Stop handing events of `topic` to `listener`."""
        self._listeners[topic].discard(listener)
        if not self._listeners[topic]:
            del self._listeners[topic]

    async def _run(self) -> None:
        failures, connected_before = 0, False
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(autocommit=True, **_address()) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self._listening.set()
                    failures = 0
                    if connected_before:
                        await self._tell_all_to_read_anew()
                    connected_before = True
                    while True:
                        async for notice in connection.notifies(timeout=CHECK_EVERY_S):
                            await self._hand_out(notice.payload)
                        await connection.execute("SELECT 1")  # a dead peer shows here
            except (psycopg.Error, OSError) as error:
                self._listening.clear()
                pause = RETRY_S[min(failures, len(RETRY_S) - 1)]
                failures += 1
                log.warning("Push lost the database (%s): trying again in %s s", error, pause)
                await asyncio.sleep(pause)

    async def _hand_out(self, payload: str) -> None:
        message = json.loads(payload)
        for listener in list(self._listeners.get(message.get("topic"), ())):
            # One broken socket must not cost the others their event.
            with contextlib.suppress(Exception):
                await listener.hear(message)

    async def _tell_all_to_read_anew(self) -> None:
        """Events sent while we were away are lost: what the browsers show may be old."""
        for topic, listeners in list(self._listeners.items()):
            for listener in list(listeners):
                with contextlib.suppress(Exception):
                    await listener.hear({"topic": topic, "kind": "reread"})


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def hub() -> Hub:
    """Return the hub of the running event loop (one in a server process)."""
    loop = asyncio.get_running_loop()
    for old in [old for old in _hubs if old.is_closed()]:
        del _hubs[old]
    return _hubs.setdefault(loop, Hub())


def _address() -> dict[str, Any]:
    parameters = connections["default"].get_connection_params()
    wanted = ("dbname", "user", "password", "host", "port", "sslmode", "options")
    address = {name: parameters[name] for name in wanted if parameters.get(name)}
    return {**address, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
