"""The audit trail: chained by the database, checked by anyone, and no action without its event."""

import hashlib

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from webapp.audit.actor import SYSTEM, Actor
from webapp.audit.models import Event
from webapp.audit.trail import UnauditedAction, audited, record
from webapp.audit.verify import faults

pytestmark = pytest.mark.django_db
KIM = Actor("person", "7", "Kim")


def test_events_are_chained_in_order():
    events = [record("thing.done", by=KIM, chain="campaign:x", subject=f"thing:{n}", n=n) for n in range(5)]
    rows = list(Event.objects.filter(chain="campaign:x").order_by("seq"))
    assert [r.seq for r in rows] == [1, 2, 3, 4, 5]
    prev = "0" * 64
    for row in rows:
        text = "\n".join([prev, row.chain, str(row.seq), row.at, row.body])
        prev = hashlib.sha256(text.encode()).hexdigest()
        assert row.hash == prev
    assert len(events) == 5
    assert list(faults()) == []


def test_each_chain_has_its_own_places():
    record("thing.done", by=KIM, chain="a")
    record("thing.done", by=KIM, chain="b")
    assert Event.objects.get(chain="b").seq == 1


def test_any_text_is_hashed_as_it_is():
    record("thing.done", by=Actor("person", "1", 'O\'Hara "ß" \\n <b>\n'), subject="thing:1", note="日本\u0001\n\\")
    assert list(faults()) == []


@pytest.mark.parametrize("sql", ["UPDATE audit_event SET name = 'x'", "DELETE FROM audit_event"])
def test_events_cannot_be_changed(sql):
    record("thing.done", by=KIM)
    with pytest.raises(DatabaseError), transaction.atomic():
        connection.cursor().execute(sql)


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE audit_event SET body = replace(body, 'thing:2', 'thing:9') WHERE seq = 2",
        "UPDATE audit_event SET actor_id = 'somebody' WHERE seq = 2",
        "DELETE FROM audit_event WHERE seq = 2",
        "DELETE FROM audit_event WHERE seq = 4",
    ],
)
def test_tampering_behind_the_triggers_is_found(tamper):
    for n in range(1, 5):
        record("thing.done", by=KIM, chain="c", subject=f"thing:{n}")
    assert list(faults("c")) == []
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_event DISABLE TRIGGER USER")
        cursor.execute(tamper + " AND chain = 'c'")
        cursor.execute("ALTER TABLE audit_event ENABLE TRIGGER USER")
    assert list(faults("c"))


def test_action_without_its_event_is_rolled_back(django_user_model):
    @audited("person.made")
    def forgetful() -> None:
        django_user_model.objects.create(username="ghost")

    with pytest.raises(UnauditedAction):
        forgetful()
    assert not django_user_model.objects.filter(username="ghost").exists()


def test_event_of_a_failed_action_goes_with_it():
    @audited("thing.done")
    def failing() -> None:
        record("thing.done", by=SYSTEM, subject="thing:failing")
        raise ValueError

    with pytest.raises(ValueError):
        failing()
    assert not Event.objects.filter(subject="thing:failing").exists()
