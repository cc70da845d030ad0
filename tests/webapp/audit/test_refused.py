"""A refused action leaves an event that no rollback takes away, with who asked, as what, and the rule's sentence."""

import pytest
from django.db import transaction

from tests.factories.sites import a_person, a_workplace
from webapp.audit.actor import SYSTEM, Actor
from webapp.audit.models import Event
from webapp.audit.record import record
from webapp.audit.refusal import ActionRefused, Refusal
from webapp.audit.trail import audited
from webapp.audit.verify import faults
from webapp.campaigns.actions import add_case, add_member, chain_of
from webapp.readings.actions import start_reading

pytestmark = pytest.mark.django_db
KIM = Actor("person", "", "Kim")


def refusals():
    return list(Event.objects.filter(name="action.refused").order_by("id"))


@audited("thing.done")
def do(*, by, code="no") -> None:
    record("thing.done", by=by)
    raise ActionRefused(Refusal(code, "It cannot be done."))


@audited("thing.done")
def do_all(*, by) -> None:
    record("thing.done", by=by)
    do(by=by)


def test_refused_action_leaves_an_event_and_nothing_else():
    with pytest.raises(ActionRefused):
        do(by=KIM)
    (event,) = refusals()
    assert event.content["details"] == {
        "about": [],
        "action": "tests.do",
        "code": "no",
        "sentence": "It cannot be done.",
    }
    assert not Event.objects.filter(name="thing.done").exists()
    assert list(faults()) == []


def test_only_the_outermost_action_is_told_of():
    with pytest.raises(ActionRefused):
        do_all(by=KIM)
    (event,) = refusals()
    assert event.content["details"]["action"].endswith(".do_all")


def test_same_refusal_again_is_told_once_in_a_while_and_another_at_once():
    for code in ("no", "no", "never"):
        with pytest.raises(ActionRefused):
            do(by=KIM, code=code)
    assert [event.content["details"]["code"] for event in refusals()] == ["no", "never"]


def test_refusal_says_of_which_case_and_as_what_the_person_asked():
    place = a_workplace()
    technician = a_person("tech", place.campaign, "technician")
    with pytest.raises(ActionRefused) as refused:
        start_reading(case=place.case, by=technician)
    (event,) = refusals()
    assert (event.chain, event.subject) == (chain_of(place.campaign), f"case:{place.case.pk}")
    assert event.content["actor"]["roles"] == ["technician"]
    assert event.content["details"]["sentence"] == refused.value.sentence


def test_refusal_of_an_action_on_a_scan_names_the_scan():
    place = a_workplace()
    with pytest.raises(ActionRefused):
        add_case(campaign=place.campaign, scan=place.case.scan, by=place.reader)
    (event,) = refusals()
    assert event.content["details"]["about"] == [f"campaign:{place.campaign.pk}", f"scan:{place.case.scan_id}"]


def test_event_keeps_the_roles_that_were_held_then():
    place = a_workplace()
    before = record("thing.done", by=place.reader, chain=chain_of(place.campaign))
    add_member(campaign=place.campaign, user=place.reader, role="auditor", by=SYSTEM)
    after = record("thing.done", by=place.reader, chain=chain_of(place.campaign))
    elsewhere = record("thing.done", by=place.reader)
    assert [e.content["actor"]["roles"] for e in (before, after, elsewhere)] == [
        ["radiologist"],
        ["auditor", "radiologist"],
        [],
    ]


def test_administrator_is_called_so_in_every_chain():
    place = a_workplace()
    place.outsider.is_superuser = True
    event = record("thing.done", by=place.outsider, chain=chain_of(place.campaign))
    assert event.content["actor"]["roles"] == ["administrator"]


def test_algorithms_and_the_system_have_no_roles():
    assert "roles" not in record("thing.done", by=SYSTEM).content["actor"]


@pytest.mark.django_db(transaction=True)
def test_refusal_inside_a_larger_transaction_can_be_written_after_it():
    """What a view does: the first writing goes with the view's own transaction, the second stays."""
    from webapp.audit.refused import record_refusal

    with pytest.raises(ActionRefused) as refused, transaction.atomic():
        do(by=KIM)
    assert refusals() == []
    for _ in range(2):
        record_refusal(action=refused.value.action, refused=refused.value, about=refused.value.arguments)
    assert len(refusals()) == 1
