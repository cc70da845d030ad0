"""The study's protocol and double reading, as their readers go through them."""

import datetime
from dataclasses import replace

import numpy as np
import pytest
from django.utils import timezone

from tests.factories.filed import letter_f
from tests.factories.sites import a_team, paint, sign, submit
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused
from webapp.audit.verify import faults
from webapp.campaigns.actions import add_member, set_protocol
from webapp.campaigns.models import Case
from webapp.campaigns.queries import current_protocol
from webapp.masks.queries import head_layers, version_layers
from webapp.readings.actions import amend_reading, return_submission, start_reading
from webapp.readings.assignment_actions import (
    assign_reading,
    assign_repeat,
    exclude_case,
    read_cases_again,
    readmit_case,
    reassign_reading,
    release_idle_readings,
    release_reading,
    take_next_case,
)
from webapp.readings.ledger import record_active, record_attests, record_seen, record_verdicts
from webapp.readings.models import Comparison, LedgerRow, Reading, Verdict
from webapp.readings.queries import readings_in_campaign_for
from webapp.readings.standing import reference_of
from webapp.readings.tasks import compare_again, compare_readings

pytestmark = pytest.mark.django_db


def stands(team, place: int = 0) -> tuple[str, str, int]:
    case = team.case(place)
    return case.stage, case.state, case.places_left


def seen_by(team, name: str) -> set:
    return {r.pk for r in readings_in_campaign_for(team[name], team.campaign)}


def test_draft_and_review_ends_in_a_reference():
    team = a_team("draft_and_review")
    with pytest.raises(ActionRefused, match="Only a technician"):
        start_reading(case=team.case(), by=team["robin"])
    draft = start_reading(case=team.case(), by=team["kim"])
    assert stands(team) == ("draft", "with readers", 0)
    drawn = letter_f(team.phantoms[0].findings.shape)
    paint(draft, team["kim"], drawn)
    with pytest.raises(ActionRefused, match="handing the case on"):
        sign(draft)
    submission = submit(draft)
    assert stands(team) == ("review", "to read", 1)
    review = start_reading(case=team.case(), by=team["robin"])
    assert review.begun_mask.forked_from == submission.version
    np.testing.assert_array_equal(head_layers(review.begun_mask)["findings"], drawn)
    assert seen_by(team, "robin") == {review.pk, draft.pk}
    assert seen_by(team, "kim") == {draft.pk}
    assert seen_by(team, "amara") == seen_by(team, "mallory") == set()
    signature = sign(review)
    assert stands(team) == ("review", "done", 0)
    reference = reference_of(team.case())
    assert (reference.version, reference.how, reference.began_from_draft) == (signature.version, "signed", True)
    assert seen_by(team, "kim") == {draft.pk, review.pk}
    assert seen_by(team, "otto") == seen_by(team, "clara") == {draft.pk, review.pk}
    assert list(faults()) == []


def test_one_person_does_not_do_two_stages_of_a_case():
    team = a_team("draft_and_review")
    add_member(campaign=team.campaign, user=team["kim"], role="radiologist", by=team["clara"])
    submit(start_reading(case=team.case(), by=team["kim"]))
    with pytest.raises(ActionRefused, match="somebody else does its review"):
        start_reading(case=team.case(), by=team["kim"])
    with pytest.raises(ActionRefused, match="another stage"):
        assign_reading(case=team.case(), reader=team["kim"], by=team["clara"])
    team.campaign.protocols.update(terms={**team.campaign.protocols.get().terms, "separate_duties": False})
    assert start_reading(case=team.case(), by=team["kim"]).stage == "review"


def test_returned_draft_goes_back_and_comes_again_to_the_same_reviewer():
    team = a_team("draft_and_review")
    draft = start_reading(case=team.case(), by=team["kim"])
    first = submit(draft)
    review = start_reading(case=team.case(), by=team["robin"])
    drawn = letter_f(team.phantoms[0].findings.shape)
    paint(review, team["robin"], drawn)
    for reason in ("", "no", "x" * 501):
        with pytest.raises(ActionRefused, match="reason"):
            return_submission(reading=review, reason=reason, stroke_sequence=1, by=team["robin"])
    returned = return_submission(
        reading=review, reason="The left base is missing.", stroke_sequence=1, by=team["robin"]
    )
    assert returned.submission == first
    assert stands(team) == ("draft", "with readers", 0)
    draft.refresh_from_db()
    review.refresh_from_db()
    assert (draft.state, review.state) == ("returned", "superseded")
    # What the reviewer had drawn is kept.
    kept = review.begun_mask.versions.get(reason="return")
    np.testing.assert_array_equal(version_layers(kept)["findings"], drawn)
    with pytest.raises(ActionRefused):
        start_reading(case=team.case(), by=team["robin"])
    paint(draft, team["kim"], drawn)
    second = submit(draft)
    assert stands(team) == ("review", "with readers", 0)
    with pytest.raises(ActionRefused, match="given to its readers"):
        start_reading(case=team.case(), by=team["amara"])
    again = take_next_case(campaign=team.campaign, by=team["robin"])
    assert again.begun_mask.forked_from == second.version
    sign(again)
    assert stands(team) == ("review", "done", 0)
    assert Event.objects.get(name="reading.returned").content["details"]["reason"] == "The left base is missing."


def test_amendment_supersedes_and_changes_nothing_that_was_signed():
    team = a_team("ai_check")
    reading = start_reading(case=team.case(), by=team["robin"])
    first = sign(reading)
    before = version_layers(first.version)["findings"].copy()
    for who, reason in (("amara", "I know better"), ("robin", "")):
        with pytest.raises(ActionRefused):
            amend_reading(reading=Reading.objects.get(pk=reading.pk), reason=reason, by=team[who])
    amendment = amend_reading(
        reading=Reading.objects.get(pk=reading.pk), reason="A nodule was taken for lesion.", by=team["robin"]
    )
    with pytest.raises(ActionRefused, match="begun already"):
        amend_reading(reading=Reading.objects.get(pk=reading.pk), reason="Once more", by=team["robin"])
    # Until it is signed, what was signed stands.
    assert (stands(team), reference_of(team.case()).version) == (("check", "done", 0), first.version)
    paint(amendment, team["robin"], letter_f(before.shape))
    second = sign(amendment)
    reading.refresh_from_db()
    assert (reading.state, reading.signature, second.meaning) == ("superseded", first, "amended and approved")
    assert (first.independent, second.independent) == (True, False)
    np.testing.assert_array_equal(version_layers(first.version)["findings"], before)
    reference = reference_of(team.case())
    assert (reference.number, reference.version, reference.how) == (2, second.version, "amended")
    third = amend_reading(reading=Reading.objects.get(pk=amendment.pk), reason="And once more", by=team["robin"])
    assert third.supersedes == amendment


def read_both(team, first, second, run_jobs, place: int = 0):
    """Two blinded readings of a case; while the second is open, neither knows of the other."""
    a = start_reading(case=team.case(place), by=team["robin"])
    paint(a, team["robin"], first)
    sign(a)
    b = start_reading(case=team.case(place), by=team["amara"])
    assert a.pk not in seen_by(team, "amara")
    assert b.pk not in seen_by(team, "robin")
    paint(b, team["amara"], second)
    sign(b)
    assert stands(team, place)[1] == "comparing"
    run_jobs()
    return a, b


def test_two_readings_alike_are_accepted(run_jobs):
    team = a_team("double_reading")
    letter = letter_f(team.phantoms[0].findings.shape)
    a, b = read_both(team, letter, letter, run_jobs)
    assert stands(team) == ("reading", "done", 0)
    comparison = Comparison.objects.get()
    assert (comparison.accepted, comparison.reasons, comparison.pairs[0]["dice"]) == (True, [], 1.0)
    reference = reference_of(team.case())
    assert reference.how == "accepted"
    assert reference.version in (a.signature.version, b.signature.version)
    assert {a.pk, b.pk} <= seen_by(team, "amara") & seen_by(team, "robin")


def test_two_empty_readings_agree_and_one_empty_goes_to_the_adjudicator(run_jobs):
    team = a_team("double_reading", cases=2)
    letter = letter_f(team.phantoms[0].findings.shape)
    read_both(team, letter * 0, letter * 0, run_jobs)
    assert stands(team) == ("reading", "done", 0)
    read_both(team, letter * 0, letter, run_jobs, place=1)
    assert stands(team, 1) == ("adjudication", "to read", 1)
    assert Comparison.objects.get(case=team.cases[1]).reasons[0] == "One reading has lesion and the other has none."


def test_disputed_readings_are_settled_by_an_adjudicator(run_jobs):
    team = a_team("double_reading")
    letter = letter_f(team.phantoms[0].findings.shape)
    moved = np.roll(letter, 2, axis=2)
    a, b = read_both(team, letter, moved, run_jobs)
    assert stands(team) == ("adjudication", "to read", 1)
    with pytest.raises(ActionRefused):
        start_reading(case=team.case(), by=team["robin"])
    settling = start_reading(case=team.case(), by=team["ada"])
    both = head_layers(settling.begun_mask)["findings"] > 0
    np.testing.assert_array_equal(both, (letter > 0) & (moved > 0))
    assert settling.begun_mask.forked_from.mask.author_kind == "consensus"
    # While it is being settled, the adjudicator is told no names.
    assert seen_by(team, "ada") == {settling.pk}
    signature = sign(settling)
    assert signature.meaning == "adjudicated"
    reference = reference_of(team.case())
    assert (reference.version, reference.how) == (signature.version, "adjudicated")
    assert seen_by(team, "ada") == {settling.pk, a.pk, b.pk}


def test_contradicting_verdicts_are_a_dispute(run_jobs):
    team = a_team("double_reading")
    letter = letter_f(team.phantoms[0].findings.shape)
    a = start_reading(case=team.case(), by=team["robin"])
    b = start_reading(case=team.case(), by=team["amara"])
    for reading, name, verdict in ((a, "robin", "present"), (b, "amara", "absent")):
        paint(reading, team[name], letter)
        said = [{"z_first": 2, "z_last": 3, "verdict": verdict, "how": "range"}]
        record_verdicts(reading=reading, verdicts=said, by=team[name])
        sign(reading)
    run_jobs()
    assert Comparison.objects.get().pairs[0]["contradicting_slices"] == [2, 3]
    assert stands(team) == ("adjudication", "to read", 1)


def test_blinding_until_the_campaign_is_closed(run_jobs):
    team = a_team("double_reading", unblinded_when="campaign_closed")
    letter = letter_f(team.phantoms[0].findings.shape)
    a, b = read_both(team, letter, letter, run_jobs)
    assert seen_by(team, "robin") == {a.pk}
    assert seen_by(team, "otto") == {a.pk, b.pk}
    team.campaign.closed_at = timezone.now()
    team.campaign.save()
    assert seen_by(team, "robin") == {a.pk, b.pk}


def test_coordinator_who_reads_blinded_sees_no_more_than_a_reader(run_jobs):
    team = a_team("double_reading")
    a = start_reading(case=team.case(), by=team["robin"])
    assert seen_by(team, "clara") == {a.pk}
    add_member(campaign=team.campaign, user=team["clara"], role="radiologist", by=team["clara"])
    assert seen_by(team, "clara") == set()


def test_repeat_reading_hides_the_first_until_it_is_signed(run_jobs):
    team = a_team("double_reading")
    letter = letter_f(team.phantoms[0].findings.shape)
    a, _b = read_both(team, letter, letter, run_jobs)
    a.refresh_from_db()
    again = assign_repeat(reading=a, after_days=0, by=team["clara"])
    with pytest.raises(ActionRefused, match="already"):
        assign_repeat(reading=a, after_days=0, by=team["clara"])
    assert seen_by(team, "robin") == {again.pk}
    begun = take_next_case(campaign=team.campaign, by=team["robin"])
    assert (begun.pk, begun.repeat) == (again.pk, 1)
    assert not (head_layers(begun.begun_mask)["findings"] == letter).all()
    sign(begun)
    assert a.pk in seen_by(team, "robin")
    assert stands(team) == ("reading", "done", 0)
    later = assign_repeat(reading=a, after_days=30, by=team["clara"])
    with pytest.raises(ActionRefused):
        take_next_case(campaign=team.campaign, by=team["robin"])
    assert later.not_before > timezone.now() + datetime.timedelta(days=29)


def test_assigned_case_is_the_readers_and_may_be_taken_away_again():
    team = a_team("ai_check", cases=2)
    given = assign_reading(case=team.case(1), reader=team["robin"], by=team["clara"])
    for who, reader in (("clara", "kim"), ("clara", "amara"), ("robin", "amara")):
        with pytest.raises(ActionRefused):
            assign_reading(case=team.case(1), reader=team[reader], by=team[who])
    assert take_next_case(campaign=team.campaign, by=team["robin"]).pk == given.pk
    given.refresh_from_db()
    paint(given, team["robin"], letter_f(team.phantoms[1].findings.shape))
    other = reassign_reading(reading=given, reader=team["amara"], reason="On leave", by=team["clara"])
    given.refresh_from_db()
    assert (given.state, other.state, other.reader) == ("released", "assigned", team["amara"])
    assert given.begun_mask.versions.count() == 1
    with pytest.raises(ActionRefused, match="released"):
        sign(given)
    sign(start_reading(case=team.case(1), by=team["amara"]))
    assert stands(team, 1) == ("check", "done", 0)


def test_what_lies_idle_goes_back():
    team = a_team("ai_check", release_after_days=3)
    reading = start_reading(case=team.case(), by=team["robin"])
    assert release_idle_readings(by=team["robin"].actor) == 0
    long_ago = timezone.now() - datetime.timedelta(days=4)
    Reading.objects.filter(pk=reading.pk).update(started_at=long_ago)
    from webapp.audit.actor import SYSTEM

    assert release_idle_readings(by=SYSTEM) == 1
    assert stands(team) == ("check", "to read", 1)


def test_excluded_case_is_read_no_more_until_it_comes_back():
    team = a_team("ai_check")
    reading = start_reading(case=team.case(), by=team["robin"])
    exclude_case(case=team.case(), reason="Wrong body part", by=team["clara"])
    assert stands(team) == ("check", "excluded", 0)
    with pytest.raises(ActionRefused, match="Wrong body part"):
        sign(reading)
    readmit_case(case=team.case(), reason="It was not", by=team["clara"])
    sign(reading)
    assert stands(team) == ("check", "done", 0)


STRICT = {"slices_seen": "block", "verdicts": "block", "no_contradictions": "block", "lung_checked": "warn"}


def test_signature_waits_for_what_it_attests():
    team = a_team("ai_check", attests=STRICT)
    reading = start_reading(case=team.case(), by=team["robin"])
    findings = head_layers(reading.begun_mask)["findings"]
    lung = [int(z) for z in np.flatnonzero(head_layers(reading.begun_mask)["anatomy"].any(axis=(1, 2)))]
    robin = team["robin"]
    with pytest.raises(ActionRefused, match="slices with lung were not seen"):
        sign(reading)
    record_seen(reading=reading, seen=[{"z": z, "dwell_ms": 300} for z in lung], by=robin)
    with pytest.raises(ActionRefused, match="are undecided"):
        sign(reading)
    whole = {"z_first": lung[0], "z_last": lung[-1]}
    record_verdicts(reading=reading, verdicts=[{**whole, "verdict": "absent", "how": "range"}], by=robin)
    with pytest.raises(ActionRefused, match="not fit the mask"):
        sign(reading)
    derived = [
        {"z_first": z, "z_last": z, "verdict": "present" if findings[z].any() else "absent", "how": "derived"}
        for z in range(lung[0], lung[-1] + 1)
    ]
    record_verdicts(reading=reading, verdicts=derived, by=robin)
    with pytest.raises(ActionRefused, match="in spite of it"):
        sign(reading)
    signature = sign(reading, ["lung_checked"])
    assert signature.acknowledged == ["lung_checked"]
    assert (signature.attested["unseen"], signature.attested["undecided"]) == (0, 0)
    assert signature.attested["present"] == int(findings.any(axis=(1, 2)).sum())
    # The range stays a range in what was said, beside what was said after.
    first = Verdict.objects.filter(reading=reading).order_by("pk").first()
    assert (first.z_first, first.z_last, first.how) == (lung[0], lung[-1], "range")
    for write, said in ((record_seen, {"seen": []}), (record_verdicts, {"verdicts": []})):
        with pytest.raises(ActionRefused, match="signed"):
            write(reading=reading, by=robin, **said)


def test_work_counts_no_longer_than_it_can_have_lasted():
    team = a_team("ai_check")
    reading = start_reading(case=team.case(), by=team["robin"])
    Reading.objects.filter(pk=reading.pk).update(started_at=timezone.now() - datetime.timedelta(seconds=10))
    record_active(reading=reading, active_ms=4000, by=team["robin"])
    record_active(reading=reading, active_ms=3_600_000, by=team["robin"])
    reading.refresh_from_db()
    assert 4000 <= reading.active_ms < 10_000
    record_attests(reading=reading, attests={"lung_checked": True, "coronal_viewed": True}, by=team["robin"])
    record_attests(reading=reading, attests={"lung_checked": False, "coronal_viewed": False}, by=team["robin"])
    reading.refresh_from_db()
    assert set(reading.attests) == {"coronal_viewed"}
    for wrong in ({"nonsense": True}, {"lung_checked": 1}, []):
        with pytest.raises(ActionRefused):
            record_attests(reading=reading, attests=wrong, by=team["robin"])
    for wrong in ([{"z_first": 0, "z_last": 99, "verdict": "absent"}], [{"z_first": 2, "z_last": 1}], [3], "x",
                  [{"z_first": 0, "z_last": 1, "verdict": "maybe"}]):  # fmt: skip
        with pytest.raises(ActionRefused):
            record_verdicts(reading=reading, verdicts=wrong, by=team["robin"])
    assert not LedgerRow.objects.exists()


def another_version(team) -> None:
    """The protocol's next version: a longer look at each slice."""
    before = current_protocol(team.campaign)
    set_protocol(
        campaign=team.campaign,
        stages=before.stage_list,
        terms=replace(before.said, dwell_ms=before.said.dwell_ms + 50),
        statement=before.statement,
        note="",
        known_version=before.version,
        by=team["clara"],
    )


def test_case_that_is_read_anew_comes_to_the_same_reader_again():
    team = a_team("ai_check")
    sign(take_next_case(campaign=team.campaign, by=team["robin"]))
    another_version(team)
    read_cases_again(campaign=team.campaign, cases=[team.case()], reason="A longer look", by=team["clara"])
    again = take_next_case(campaign=team.campaign, by=team["robin"])
    assert (again.protocol.version, stands(team)) == (2, ("check", "with readers", 0))
    # One that was taken from its reader does not come back to them by itself.
    release_reading(reading=again, reason="On leave", by=team["clara"])
    with pytest.raises(ActionRefused, match="no case for you"):
        take_next_case(campaign=team.campaign, by=team["robin"])
    assert take_next_case(campaign=team.campaign, by=team["amara"]).case == team.cases[0]


def test_what_was_settled_before_is_hidden_while_a_case_is_read_anew(run_jobs):
    team = a_team("double_reading")
    letter = letter_f(team.phantoms[0].findings.shape)
    a, b = read_both(team, letter, np.roll(letter, 2, axis=2), run_jobs)
    settled = start_reading(case=team.case(), by=team["ada"])
    sign(settled)
    assert {a.pk, b.pk, settled.pk} == seen_by(team, "robin")
    another_version(team)
    read_cases_again(campaign=team.campaign, cases=[team.case()], reason="A longer look", by=team["clara"])
    assert seen_by(team, "robin") == {a.pk}
    anew = start_reading(case=team.case(), by=team["robin"])
    assert seen_by(team, "robin") == {a.pk, anew.pk}
    assert reference_of(team.case()).version == settled.signature.version


def test_case_whose_comparison_was_lost_is_compared_again(run_jobs):
    team = a_team("double_reading")
    for name in ("robin", "amara"):
        sign(start_reading(case=team.case(), by=team[name]))
    Case.objects.filter(pk=team.cases[0].pk).update(settled_at=timezone.now() - datetime.timedelta(hours=1))
    compare_again()
    run_jobs()
    assert stands(team) == ("reading", "done", 0)
    compare_readings(str(team.cases[0].pk))
    assert Comparison.objects.count() == 1
