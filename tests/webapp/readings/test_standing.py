"""Where a case stands, from its readings and its protocol alone."""

import pytest

from webapp.campaigns.models import ROLES
from webapp.campaigns.protocols import (
    PRESETS,
    Acceptance,
    Arms,
    Stage,
    Terms,
    fault_in,
    stages_of,
    stored_stages,
)
from webapp.readings.comparing import objections
from webapp.readings.standing import standing

REVIEW = PRESETS["draft_and_review"].stages
DOUBLE = PRESETS["double_reading"].stages


@pytest.mark.parametrize(
    ("stages", "readings", "accepted", "expected"),
    [
        (REVIEW, [], {}, ("draft", "to read", 1)),
        (REVIEW, [("draft", "assigned")], {}, ("draft", "with readers", 0)),
        (REVIEW, [("draft", "submitted")], {}, ("review", "to read", 1)),
        (REVIEW, [("draft", "submitted"), ("review", "in progress")], {}, ("review", "with readers", 0)),
        (REVIEW, [("draft", "returned"), ("review", "assigned")], {}, ("draft", "with readers", 0)),
        (REVIEW, [("draft", "submitted"), ("review", "signed")], {}, ("review", "done", 0)),
        (DOUBLE, [("reading", "signed")], {}, ("reading", "to read", 1)),
        (DOUBLE, [("reading", "signed"), ("reading", "in progress")], {}, ("reading", "with readers", 0)),
        (DOUBLE, [("reading", "signed")] * 2, {}, ("reading", "comparing", 0)),
        (DOUBLE, [("reading", "signed")] * 2, {"reading": True}, ("reading", "done", 0)),
        (DOUBLE, [("reading", "signed")] * 2, {"reading": False}, ("adjudication", "to read", 1)),
        (DOUBLE, [("reading", "signed")] * 2 + [("adjudication", "signed")], {"reading": False},
         ("adjudication", "done", 0)),
        (DOUBLE[:1], [("reading", "signed")] * 2, {"reading": False}, ("reading", "disputed", 0)),
    ],
)  # fmt: skip
def test_a_case_stands_where_its_readings_and_its_protocol_say(stages, readings, accepted, expected):
    place = standing(stages, readings, accepted)
    assert (place.stage.name, place.state, place.places_left) == expected
    assert standing(stages, readings, accepted, excluded=True).state in ("excluded", "done", "disputed", "comparing")


def pair(**said):
    return {
        "dice": 0.9, "extent_difference": 0.5, "empty": [False, False], "contradicting_slices": [], **said
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, None),
        ({"dice": None, "empty": [True, True], "extent_difference": 0.0}, None),
        ({"dice": 0.0, "empty": [True, False]}, "One reading has lesion and the other has none."),
        ({"dice": 0.699}, "Their Dice is 0.70, below 0.70."),
        ({"extent_difference": -2.5}, "Their extents differ by 2.5 points, more than 2.0."),
        ({"contradicting_slices": [3]}, "Their verdicts contradict each other on 1 slice."),
        ({"extent_difference": None}, "Their extents cannot be compared: a reading has no lung."),
    ],
)
def test_two_readings_are_accepted_by_the_rule_of_the_records(said, words):
    assert objections([pair(**said)], Acceptance()) == ([words] if words else [])


def test_without_a_rule_every_case_goes_to_the_adjudicator():
    assert len(objections([pair()], None)) == 1


def test_every_preset_is_a_protocol_and_survives_being_stored():
    for preset in PRESETS.values():
        assert fault_in(preset.stages, preset.terms, roles=ROLES, has_algorithm=True) is None
        assert stages_of(stored_stages(preset.stages)) == preset.stages
        assert Terms.of(preset.terms.stored) == preset.terms
    assert Terms.of({}) == Terms()
    assert Terms.of(Terms(arms=Arms(seed=7)).stored).arms == Arms(seed=7)


READER = Stage("reading", "radiologist")


@pytest.mark.parametrize(
    ("stages", "terms", "words"),
    [
        ([], Terms(), "one to 8 stages"),
        ([READER, READER], Terms(), "same name"),
        ([Stage(" ", "radiologist")], Terms(), "its name needs"),
        ([Stage("a", "wizard")], Terms(), "there is no role"),
        ([Stage("a", "radiologist", readers=0)], Terms(), "1 to 20 readers"),
        ([Stage("a", "radiologist", ends_with="submit")], Terms(), "must end with a signature"),
        ([Stage("a", "radiologist", starts_from="previous")], Terms(), "readings begin from"),
        ([Stage("a", "radiologist", starts_from="imported_mask")], Terms(), "data set"),
        ([READER, Stage("b", "adjudicator", only_if_disputed=True)], Terms(), "has one reader"),
        ([READER, Stage("b", "adjudicator", starts_from="union")], Terms(), "has one reader"),
        ([Stage("a", "radiologist", readers=2), Stage("b", "adjudicator", starts_from="majority")], Terms(), "three"),
        ([Stage("a", "radiologist", readers=2), Stage("b", "adjudicator", starts_from="previous")], Terms(), "2 masks"),
        ([READER], Terms(attests={"nonsense": "warn"}), "cannot attest"),
        ([READER], Terms(attests={"verdicts": "perhaps"}), "off, warn, block"),
        ([READER], Terms(dwell_ms=-1), "60,000 ms"),
        ([READER], Terms(acceptance=Acceptance(dice_at_least=1.5)), "between 0 and 1"),
        ([READER], Terms(acceptance=Acceptance(takes="majority")), "three readings"),
        ([READER], Terms(arms=Arms(draft_in=4, of=4)), "at least one"),
        ([READER], Terms(release_after_days=0), "idle days"),
    ],
)
def test_a_protocol_that_cannot_work_is_refused_in_words(stages, terms, words):
    refusal = fault_in(stages, terms, roles=ROLES, has_algorithm=True)
    assert refusal is not None
    assert words in refusal.sentence


def test_a_protocol_that_drafts_needs_an_algorithm():
    refusal = fault_in([READER], Terms(), roles=ROLES, has_algorithm=False)
    assert refusal is not None
    assert refusal.code == "no_algorithm"
    empty = [Stage("a", "radiologist", starts_from="empty")]
    assert fault_in(empty, Terms(), roles=ROLES, has_algorithm=False) is None


def test_arms_are_balanced_in_blocks_and_the_same_for_the_same_seed():
    arms = Arms(seed=3, draft_in=1, of=4)
    drawn = [arms.arm_of(number) for number in range(1, 401)]
    assert [drawn[i : i + 4].count("with_draft") for i in range(0, 400, 4)] == [1] * 100
    assert drawn == [Arms(seed=3, draft_in=1, of=4).arm_of(number) for number in range(1, 401)]
    assert drawn != [Arms(seed=4, draft_in=1, of=4).arm_of(number) for number in range(1, 401)]
    assert len({tuple(drawn[i : i + 4]) for i in range(0, 400, 4)}) == 4
