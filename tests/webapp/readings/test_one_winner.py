"""People who want the same at once: of a place there is one winner, and nothing is half done."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from tests.factories.sites import a_team, sign
from webapp.algorithms.models import DraftRun
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused
from webapp.audit.verify import faults
from webapp.campaigns.models import Case
from webapp.readings.actions import start_reading
from webapp.readings.assignment_actions import reassign_reading, take_next_case
from webapp.readings.models import Reading, Signature

pytestmark = pytest.mark.django_db(transaction=True)
CASES = 200


def at_once(*works: Callable[[], object]) -> list[str]:
    """Run functions together, each in a thread and a connection of its own; what became of each."""
    start = threading.Barrier(len(works))
    said = [""] * len(works)

    def run(place: int, work: Callable[[], object]) -> None:
        try:
            start.wait(60)
            work()
            said[place] = "done"
        except ActionRefused as refused:
            said[place] = refused.code
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n, work)) for n, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"
    return said


def test_two_readers_who_pull_their_next_case_at_once_never_get_one_place_twice():
    team = a_team("ai_check")
    first = team.cases[0]
    # Rows like the first case's, by the hundred: what is asked is who gets which, not what is on them.
    for number in range(2, CASES + 1):
        copy = Case.objects.get(pk=first.pk)
        scan = copy.scan
        scan.pk, scan.series_uid = None, f"{scan.series_uid}.{number}"
        scan.save(force_insert=True)
        Case.objects.create(campaign=team.campaign, scan=scan, number=number, stage=copy.stage, places_left=1)
        drafted = {"algorithm": team.campaign.draft_algorithm, "label_set": team.campaign.label_set}
        DraftRun.objects.create(scan=scan, state=DraftRun.FAILED, **drafted)
    taken: dict[str, list[int]] = {"robin": [], "amara": []}

    def pull(name: str) -> Callable[[], None]:
        def work() -> None:
            while True:
                try:
                    reading = take_next_case(campaign=team.campaign, by=team[name])
                except ActionRefused as refused:
                    if refused.code != "nothing_to_read":
                        raise
                    return
                taken[name].append(reading.case.number)

        return work

    assert at_once(pull("robin"), pull("amara")) == ["done", "done"]
    assert sorted(taken["robin"] + taken["amara"]) == list(range(1, CASES + 1))
    assert min(map(len, taken.values())) > 0
    assert Reading.objects.values("case").distinct().count() == Reading.objects.count() == CASES
    assert list(faults()) == []


def test_of_two_who_begin_one_case_one_does():
    team = a_team("ai_check")
    for _ in range(5):
        said = at_once(*(lambda n=n: start_reading(case=team.case(), by=team[n]) for n in ("robin", "amara")))
        assert sorted(said) == ["done", "taken"]
        reading = Reading.objects.get(state=Reading.IN_PROGRESS)
        Reading.objects.filter(pk=reading.pk).update(state=Reading.RELEASED)
        Case.objects.filter(pk=team.cases[0].pk).update(state=Case.TO_READ, places_left=1)


def test_reader_who_signs_while_being_replaced_either_signs_or_is_replaced():
    outcomes = set()
    team = a_team("ai_check", cases=8)
    for place in range(8):
        reading = start_reading(case=team.case(place), by=team["robin"])
        works = [
            lambda reading=reading: sign(reading),
            lambda reading=reading: reassign_reading(
                reading=reading, reader=team["amara"], reason="On leave", by=team["clara"]
            ),
        ]
        said = at_once(*(works if place % 2 else works[::-1]))
        assert said.count("done") == 1, said
        reading.refresh_from_db()
        case = team.case(place)
        signed = Signature.objects.filter(reading=reading).exists()
        given = Reading.objects.filter(case=case, reader=team["amara"]).exists()
        assert (reading.state, signed, given, case.state) in (
            ("signed", True, False, "done"),
            ("released", False, True, "with readers"),
        )
        outcomes.add(reading.state)
    assert Event.objects.filter(name="reading.signed").count() == Signature.objects.count()
    assert list(faults()) == []
