"""Events reach those who may hear them, at the commit, and a lost database is told of."""

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, connections, transaction
from django.test import Client

from webapp import push
from webapp.asgi import application

pytestmark = pytest.mark.django_db(transaction=True)


class Socket(ApplicationCommunicator):
    """A browser's end of /push/ (Channels' own test client asks for another web server)."""

    def __init__(self, headers: list[tuple[bytes, bytes]]) -> None:
        scope = {"type": "websocket", "path": "/push/", "query_string": b"", "headers": headers, "subprotocols": []}
        super().__init__(application, scope)

    async def connect(self) -> bool:
        """Open; whether the server took us."""
        await self.send_input({"type": "websocket.connect"})
        return (await self.receive_output(5))["type"] == "websocket.accept"

    async def say(self, message: dict) -> None:
        """Send a message."""
        await self.send_input({"type": "websocket.receive", "text": json.dumps(message)})

    async def hear(self, within_s: float = 10) -> dict:
        """The next message."""
        return json.loads((await self.receive_output(within_s))["text"])

    async def disconnect(self) -> None:
        """Close."""
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(5)


@pytest.fixture(autouse=True)
def letters(monkeypatch):
    """A topic that everybody may hear but the id `secret`."""
    allowed = {"open"}
    monkeypatch.setitem(push._may_listen, "letter", lambda user, identifier: identifier in allowed)
    return allowed


def sign_in(username: str = "reader") -> str:
    """Make a user and return the value of their session cookie."""
    client = Client()
    client.force_login(get_user_model().objects.create_user(username, password="not-used-here-1"))
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def socket(session: str | None = None, origin: str = "http://127.0.0.1:8000") -> Socket:
    headers = [(b"origin", origin.encode()), (b"host", b"127.0.0.1:8000")]
    if session:
        headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={session}".encode()))
    return Socket(headers)


async def ask(opened: Socket, *topics: str) -> list[str]:
    await opened.say({"subscribe": topics})
    return [(await opened.hear())["kind"] for _ in topics]


def run(scene) -> None:
    """Run a scene in a loop of its own, and end what it left running, with the connection of its thread."""

    async def whole() -> None:
        try:
            await scene()
        finally:
            await sync_to_async(connections.close_all)()

    asyncio.run(whole())


def publish(*arguments, **data) -> None:
    with transaction.atomic():
        push.publish(*arguments, **data)


def test_event_is_heard_at_the_commit_and_not_after_a_rollback():
    session = sign_in()

    def rolled_back() -> None:
        with transaction.atomic():
            push.publish("letter:open", "never.sent")
            transaction.set_rollback(True)

    async def scene():
        opened = socket(session)
        assert await opened.connect()
        assert await ask(opened, "letter:open") == ["subscribed"]
        await sync_to_async(rolled_back)()
        await sync_to_async(publish)("letter:open", "letter.sent", number=7)
        assert await opened.hear() == {"topic": "letter:open", "kind": "letter.sent", "number": 7}
        await opened.disconnect()

    run(scene)


def test_topics_of_others_are_refused():
    session = sign_in()

    async def scene():
        opened = socket(session)
        await opened.connect()
        assert await ask(opened, "letter:secret", "nothing:1", "letter:", "letter") == ["refused"] * 4
        await sync_to_async(publish)("letter:secret", "letter.sent")
        assert await opened.receive_nothing(timeout=0.3)
        await opened.disconnect()

    run(scene)


def test_right_that_is_taken_away_ends_the_events(letters, monkeypatch):
    monkeypatch.setattr("webapp.push.consumer.RIGHT_HOLDS_S", 0)
    session = sign_in()

    async def scene():
        opened = socket(session)
        await opened.connect()
        assert await ask(opened, "letter:open") == ["subscribed"]
        letters.clear()
        await sync_to_async(publish)("letter:open", "letter.sent")
        assert (await opened.hear())["kind"] == "refused"
        await sync_to_async(publish)("letter:open", "letter.sent")
        assert await opened.receive_nothing(timeout=0.3)
        await opened.disconnect()

    run(scene)


def test_signed_out_people_and_foreign_pages_get_no_socket():
    session = sign_in()

    async def scene():
        signed_out = socket()
        await signed_out.connect()
        assert (await signed_out.receive_output(5))["code"] == 4401
        foreign = socket(session, origin="https://elsewhere.example")
        assert not await foreign.connect()

    run(scene)


def test_browsers_are_told_to_read_anew_when_the_database_was_lost():
    session = sign_in()

    def cut_listeners() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%'"
                " AND datname = current_database()"
            )

    async def scene():
        opened = socket(session)
        await opened.connect()
        assert await ask(opened, "letter:open") == ["subscribed"]
        await sync_to_async(cut_listeners)()
        assert await opened.hear() == {"topic": "letter:open", "kind": "reread"}
        await sync_to_async(publish)("letter:open", "letter.sent")
        assert (await opened.hear())["kind"] == "letter.sent"
        await opened.disconnect()

    run(scene)


def test_event_too_large_for_a_notification_is_an_error():
    with pytest.raises(ValueError, match="publish ids"):
        push.publish("letter:open", "letter.sent", text="x" * 8000)
