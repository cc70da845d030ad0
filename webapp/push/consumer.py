"""The WebSocket at /push/: a browser subscribes to topics and hears their events.

Browser to server: `{"subscribe": [topics]}`, `{"unsubscribe": [topics]}`. Server to browser: events
`{"topic", "kind", ...}`, and of its own the kinds `subscribed`, `refused` and `reread` (the state may have changed
unheard: read it again).
"""

import json
import time
from importlib import import_module
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth import get_user_model

from webapp.push import may_listen
from webapp.push.hub import hub

TOPICS_LIMIT = 200
MESSAGE_LIMIT = 64 * 1024
RIGHT_HOLDS_S = 15.0  # a right is asked for again when it is older than this and an event is due
SIGNED_OUT, TOO_MUCH = 4401, 4400


class PushConsumer(AsyncWebsocketConsumer):
    """One open socket of one signed-in user."""

    async def connect(self) -> None:
        self.checked_at: dict[str, float] = {}
        await self.accept()
        if not self.scope["user"].is_authenticated:
            await self.close(code=SIGNED_OUT)

    async def disconnect(self, code: int) -> None:
        for topic in list(getattr(self, "checked_at", ())):
            self._forget(topic)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            if text_data is None or len(text_data) > MESSAGE_LIMIT:
                raise ValueError
            message = json.loads(text_data)
            wanted, unwanted = (_topics(message, word) for word in ("subscribe", "unsubscribe"))
        except (ValueError, AttributeError):
            await self.close(code=TOO_MUCH)
            return
        for topic in unwanted:
            self._forget(topic)
        if len({*self.checked_at, *wanted}) > TOPICS_LIMIT:
            await self.close(code=TOO_MUCH)
            return
        for topic in wanted:
            if await self._may_hear(topic):
                await hub().add(topic, self)
                await self._send({"topic": topic, "kind": "subscribed"})
            else:
                await self._send({"topic": topic, "kind": "refused"})

    async def hear(self, message: dict[str, Any]) -> None:
        """Pass an event on, if its reader still has the right to it."""
        topic = message["topic"]
        if time.monotonic() - self.checked_at.get(topic, 0) > RIGHT_HOLDS_S and not await self._may_hear(topic):
            await self._send({"topic": topic, "kind": "refused"})
            return
        await self._send(message)

    async def _may_hear(self, topic: str) -> bool:
        allowed = await database_sync_to_async(_still_allowed)(self.scope, topic)
        if allowed:
            self.checked_at[topic] = time.monotonic()
        else:
            self._forget(topic)
        return allowed

    def _forget(self, topic: str) -> None:
        if self.checked_at.pop(topic, None) is not None:
            hub().drop(topic, self)

    async def _send(self, message: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(message, separators=(",", ":")))


def _topics(message: dict[str, Any], word: str) -> list[str]:
    topics = message.get(word, [])
    if not isinstance(topics, list) or not all(isinstance(topic, str) for topic in topics):
        raise ValueError
    return topics


def _still_allowed(scope: dict[str, Any], topic: str) -> bool:
    """Ask anew: is the session alive, the user active, the topic theirs to hear?"""
    store = import_module(settings.SESSION_ENGINE).SessionStore(session_key=scope["session"].session_key)
    user_id = store.get("_auth_user_id")
    user = get_user_model().objects.filter(pk=user_id, is_active=True).first() if user_id else None
    return user is not None and str(user.pk) == str(scope["user"].pk) and may_listen(user, topic)
