"""Cases dealt out to readers: balanced, repeatable, fast for many; and a sample to be read again."""

from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories.sites import a_team, sign, submit
from webapp.archive.models import Patient, Scan, Study
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused
from webapp.audit.verify import faults
from webapp.campaigns.models import Case
from webapp.notices.models import Notice
from webapp.readings.actions import start_reading
from webapp.readings.balancing import Open, deal
from webapp.readings.bulk_actions import assign_at_random, assign_cases, draw_repeats, exclude_cases, move_readings
from webapp.readings.models import Reading
from webapp.readings.standing import settle, standing_of

# A machine under load draws slowly: that is no finding.
patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
cases = st.lists(
    st.builds(Open, number=st.integers(1, 10_000), stratum=st.sampled_from(["A", "B", "C"]), places=st.integers(1, 3)),
    unique_by=lambda case: case.number,
    max_size=60,
)
readers = st.lists(st.integers(1, 50), unique=True, min_size=3, max_size=7)


@patiently
@given(cases, readers, st.integers(0, 2**31 - 1))
def test_loads_differ_by_one_at_most_in_each_stratum_and_in_all(cases, readers, seed):
    dealt = deal(cases, readers, seed)
    strata = {case.number: case.stratum for case in cases}
    assert len(set(dealt)) == len(dealt) == sum(case.places for case in cases)
    for stratum in {None, *strata.values()}:
        loads = Counter({reader: 0 for reader in readers})
        loads.update(reader for number, reader in dealt if stratum in (None, strata[number]))
        assert max(loads.values()) - min(loads.values()) <= 1


@patiently
@given(cases, readers, st.integers(0, 2**31 - 1), st.randoms())
def test_same_seed_deals_the_same_hands_in_whichever_order_cases_come(cases, readers, seed, chance):
    shuffled = list(cases)
    chance.shuffle(shuffled)
    assert deal(cases, readers, seed) == deal(shuffled, readers, seed)


@patiently
@given(cases, readers, st.integers(0, 1000))
def test_nobody_is_dealt_what_they_may_not_read(cases, readers, seed):
    dealt = deal(cases, readers, seed, lambda number, reader: reader != readers[0] and number % 2 == 0)
    assert all(reader != readers[0] and number % 2 == 0 for number, reader in dealt)
    assert len(dealt) == sum(min(case.places, len(readers) - 1) for case in cases if case.number % 2 == 0)


def test_seed_matters():
    many = [Open(number, "A", 1) for number in range(1, 41)]
    assert deal(many, ["a", "b"], 1) != deal(many, ["a", "b"], 2)


def given_to(team, name: str) -> list[int]:
    held = Reading.objects.filter(reader=team[name], state=Reading.ASSIGNED)
    return sorted(held.values_list("case__number", flat=True))


@pytest.mark.django_db
def test_bulk_leaves_cases_as_one_by_one_would():
    team = a_team("double_reading", cases=3)
    count = assign_at_random(
        campaign=team.campaign, numbers=[1, 2, 3, 99], readers=[team["robin"], team["amara"]], seed=5, by=team["clara"]
    )
    assert count == 6
    for case in Case.objects.all():
        place = standing_of(case)
        assert (case.stage, case.state, case.places_left) == (place.stage.name, place.state, place.places_left)
    assert start_reading(case=team.case(), by=team["robin"]).state == Reading.IN_PROGRESS
    taken, given_on = move_readings(
        campaign=team.campaign,
        numbers=[1, 2, 3],
        source=team["robin"],
        target=None,
        reason="Went on leave",
        by=team["clara"],
    )
    assert (taken, given_on, given_to(team, "robin")) == (3, 0, [])
    for case in Case.objects.all():
        place = standing_of(case)
        assert (case.stage, case.state, case.places_left) == (place.stage.name, place.state, place.places_left)
    exclude_cases(campaign=team.campaign, numbers=[2, 3], reason="Wrong body part", by=team["clara"])
    for case in Case.objects.all():
        before = (case.stage, case.state, case.places_left)
        settle(case)
        assert (case.stage, case.state, case.places_left) == before
    assert Notice.objects.filter(kind="assigned", person=team["amara"]).count() == 1
    assert list(faults()) == []


@pytest.mark.django_db
def test_bulk_asks_what_one_by_one_asks():
    team = a_team("draft_and_review", cases=2)
    submit(start_reading(case=team.case(0), by=team["kim"]))
    for name, numbers in (("kim", [1]), ("clara", [1, 2]), ("robin", [2])):
        with pytest.raises(ActionRefused, match="None of these cases has a place"):
            assign_cases(campaign=team.campaign, numbers=numbers, reader=team[name], by=team["clara"])
    assert assign_cases(campaign=team.campaign, numbers=[1, 2], reader=team["robin"], by=team["clara"]) == 1
    for by in ("robin", "otto", "mallory"):
        with pytest.raises(ActionRefused, match="Only a coordinator"):
            assign_cases(campaign=team.campaign, numbers=[2], reader=team["tom"], by=team[by])
    with pytest.raises(ActionRefused, match="At most 10,000"):
        assign_cases(campaign=team.campaign, numbers=list(range(10_001)), reader=team["tom"], by=team["clara"])
    assert not Reading.objects.filter(reader=team["tom"]).exists()


def many_cases(team, count: int) -> None:
    """Cases of scans that nobody filed, at three sites."""
    patient = Patient.objects.create(pseudonym="MANY")
    study = Study.objects.create(patient=patient, uid="2.25.77")
    like = team.case().scan
    scans = [
        Scan(
            study=study,
            series_uid=f"2.25.77.{number}",
            source="dicom",
            shape_zyx=like.shape_zyx,
            affine_lps=like.affine_lps,
            geometry_sha256=like.geometry_sha256,
            voxels_sha256=like.voxels_sha256,
            slabs=[],
            site="ABC"[number % 3],
        )
        for number in range(count)
    ]
    Scan.objects.bulk_create(scans)
    protocol = team.campaign.protocols.get()
    stage = protocol.stage_list[0]
    Case.objects.bulk_create(
        Case(campaign=team.campaign, scan=scan, number=number, stage=stage.name, places_left=stage.readers)
        for number, scan in enumerate(scans, 2)
    )


@pytest.mark.django_db
def test_many_cases_take_no_more_statements_than_few():
    team = a_team("double_reading")
    many_cases(team, 2000)
    people = [team["robin"], team["amara"]]
    statements = []
    for numbers in (range(1, 11), range(11, 2002)):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assign_at_random(campaign=team.campaign, numbers=list(numbers), readers=people, seed=1, by=team["clara"])
        statements.append(len(queries))
    # Readings are written a thousand at a time: two for the few, four more for the many.
    assert statements[1] - statements[0] <= 4
    assert Event.objects.filter(name="case.many_assigned").count() == 2
    details = Event.objects.filter(name="case.many_assigned").latest("id").content["details"]
    assert details["at_random"]["seed"] == 1
    assert sorted(details["given"][str(team["robin"].pk)]) == list(range(11, 2002))


@pytest.mark.django_db
def test_sample_to_be_read_again_is_drawn_by_its_seed(run_jobs):
    team = a_team("ai_check", cases=4)
    for place in range(4):
        sign(start_reading(case=team.case(place), by=team["robin"]))
    with pytest.raises(ActionRefused, match="1 to 500"):
        draw_repeats(campaign=team.campaign, count=0, after_days=1, seed=1, by=team["clara"])
    assert draw_repeats(campaign=team.campaign, count=2, after_days=28, seed=3, by=team["clara"]) == 2
    again = Reading.objects.filter(repeat=1)
    assert {reading.state for reading in again} == {Reading.ASSIGNED}
    first = again[0]
    original = Reading.objects.get(case=first.case, repeat=0)
    assert (first.not_before - original.signature.signed_at).days == 28
    # Those that wait to be read again are not drawn a second time.
    assert draw_repeats(campaign=team.campaign, count=9, after_days=0, seed=3, by=team["clara"]) == 2
    with pytest.raises(ActionRefused, match="No signed reading"):
        draw_repeats(campaign=team.campaign, count=1, after_days=0, seed=3, by=team["clara"])
    assert list(faults()) == []
