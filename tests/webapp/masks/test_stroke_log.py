"""The stroke log keeps everything, applies only what fits, and can be checked by anyone."""

import dataclasses

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories.sites import Tab, a_reading, a_workplace
from webapp.audit.refusal import ActionRefused
from webapp.masks.actions import create_mask, cut_version, fork_mask, release_lease, take_lease
from webapp.masks.branches import restore_state
from webapp.masks.history import version_state
from webapp.masks.models import Stroke
from webapp.masks.queries import head_layers
from webapp.masks.strokes import GENESIS, append_strokes, stroke_content, stroke_hash

pytestmark = pytest.mark.django_db


@pytest.fixture
def reading():
    return a_reading(a_workplace())


def painted(old: np.ndarray, value: int, *box: slice) -> np.ndarray:
    new = old.copy()
    new[box] = value
    return new


def test_stroke_changes_the_working_state_exactly(reading):
    before = head_layers(reading.mask)
    after = painted(before["findings"], 1, slice(3, 6), slice(10, 20), slice(12, 30))
    tab = Tab(reading, reading.reader)
    answer = tab.send(tab.stroke(before["findings"], after))[0]
    assert (answer.status, answer.stroke_sequence) == ("applied", 1)
    now = head_layers(reading.mask)
    np.testing.assert_array_equal(now["findings"], after)
    np.testing.assert_array_equal(now["anatomy"], before["anatomy"])


def test_erasing_a_finding_never_holes_the_lung(reading):
    before = head_layers(reading.mask)
    tab = Tab(reading, reading.reader)
    tab.send(tab.stroke(before["findings"], np.zeros_like(before["findings"]), tool="eraser"))
    now = head_layers(reading.mask)
    assert not now["findings"].any()
    np.testing.assert_array_equal(now["anatomy"], before["anatomy"])


def test_sending_a_stroke_twice_changes_nothing_more(reading):
    before = head_layers(reading.mask)["findings"]
    tab = Tab(reading, reading.reader)
    stroke = tab.stroke(before, painted(before, 2, slice(0, 1), slice(0, 4), slice(0, 4)))
    assert [a.status for a in tab.send(stroke) + tab.send(stroke)] == ["applied", "duplicate"]
    assert Stroke.objects.filter(mask=reading.mask).count() == 1


def test_a_known_id_with_another_payload_is_refused(reading):
    before = head_layers(reading.mask)["findings"]
    tab = Tab(reading, reading.reader)
    one = tab.stroke(before, painted(before, 2, slice(0, 1), slice(0, 4), slice(0, 4)))
    tab.send(one)
    other = tab.stroke(before, painted(before, 3, slice(1, 2), slice(0, 4), slice(0, 4)), id=one.id)
    with pytest.raises(ActionRefused, match="another stroke"):
        tab.send(other)


def test_stroke_of_a_lost_lease_is_kept_and_not_applied(reading):
    before = head_layers(reading.mask)["findings"]
    old_tab = Tab(reading, reading.reader)
    Tab(reading, reading.reader, take_over=True)
    late = old_tab.stroke(before, painted(before, 2, slice(0, 1), slice(0, 4), slice(0, 4)))
    answer = old_tab.send(late)[0]
    assert answer.status == "branched"
    assert "kept" in answer.sentence
    np.testing.assert_array_equal(head_layers(reading.mask)["findings"], before)
    kept = Stroke.objects.get(pk=late.id)
    assert (kept.applied, kept.branch_reason) == (False, "lease")


def test_stroke_over_voxels_that_changed_is_kept_and_not_applied(reading):
    before = head_layers(reading.mask)["findings"]
    tab = Tab(reading, reading.reader)
    box = (slice(0, 2), slice(0, 4), slice(0, 4))
    one, two = painted(before, 2, *box), painted(before, 3, *box)
    first, second = tab.stroke(before, one), tab.stroke(before, two)
    assert [a.status for a in tab.send(first, second)] == ["applied", "branched"]
    np.testing.assert_array_equal(head_layers(reading.mask)["findings"], one)


def test_undo_is_a_stroke_that_names_what_it_undoes(reading):
    before = head_layers(reading.mask)["findings"]
    after = painted(before, 2, slice(0, 2), slice(0, 4), slice(0, 4))
    tab = Tab(reading, reading.reader)
    stroke = tab.stroke(before, after)
    undo = tab.stroke(after, before, tool="undo", undoes=stroke.id)
    redo = tab.stroke(before, after, tool="redo", undoes=undo.id)
    assert {a.status for a in tab.send(stroke, undo)} == {"applied"}
    np.testing.assert_array_equal(head_layers(reading.mask)["findings"], before)
    tab.send(redo)
    np.testing.assert_array_equal(head_layers(reading.mask)["findings"], after)


def test_undo_of_a_stroke_that_was_not_applied_takes_nothing_from_the_mask(reading):
    before = head_layers(reading.mask)["findings"]
    box = (slice(0, 2), slice(0, 4), slice(0, 4))
    saved = painted(before, 2, *box)
    tab = Tab(reading, reading.reader)
    tab.send(tab.stroke(before, saved))
    # The same voxels, the same label, drawn over a picture of before: it does not fit, and nor may its undo.
    late = tab.stroke(before, saved)
    undo = tab.stroke(saved, before, tool="undo", undoes=late.id)
    assert [a.status for a in tab.send(late, undo)] == ["branched", "branched"]
    np.testing.assert_array_equal(head_layers(reading.mask)["findings"], saved)


def test_stroke_kept_beside_is_answered_so_again_when_its_answer_was_lost(reading):
    before = head_layers(reading.mask)["findings"]
    old_tab = Tab(reading, reading.reader)
    Tab(reading, reading.reader, take_over=True)
    late = old_tab.stroke(before, painted(before, 2, slice(0, 1), slice(0, 4), slice(0, 4)))
    first, again = old_tab.send(late)[0], old_tab.send(late)[0]
    assert first == again
    assert again.status == "branched"


def test_undo_and_restore_give_back_a_label_that_was_imported(reading):
    lobes = head_layers(reading.mask)["anatomy"]
    lobes[lobes == 2] = 9
    mask = create_mask(
        scan=reading.mask.scan,
        label_set=reading.mask.label_set,
        by=reading.reader,
        author_kind="import",
        layers={"anatomy": lobes},
    )
    version = cut_version(mask=mask, reason="draft", by=reading.reader)
    reading.mask = fork_mask(version=version, by=reading.reader)
    tab = Tab(reading, reading.reader)
    erased = painted(lobes, 0, slice(2, 5))
    stroke = tab.stroke(lobes, erased, layer="anatomy", tool="eraser")
    undo = tab.stroke(erased, lobes, layer="anatomy", tool="undo", undoes=stroke.id)
    assert {a.status for a in tab.send(stroke, undo)} == {"applied"}
    redo = tab.stroke(lobes, erased, layer="anatomy", tool="redo", undoes=undo.id)
    tab.send(redo)
    state = version_state(version)
    restore_state(mask=reading.mask, state=state, named="x", tab=tab.id, epoch=tab.epoch, by=reading.reader)
    np.testing.assert_array_equal(head_layers(reading.mask)["anatomy"], lobes)
    with pytest.raises(ActionRefused, match="Label 9"):
        tab.send(tab.stroke(lobes, painted(lobes, 9, slice(0, 1)), layer="anatomy"))


def test_strokes_to_a_closed_mask_are_kept_beside_it(reading):
    before = head_layers(reading.mask)["findings"]
    tab = Tab(reading, reading.reader)
    stroke = tab.stroke(before, painted(before, 2, slice(0, 1), slice(0, 4), slice(0, 4)))
    (answer,) = append_strokes(mask=reading.mask, sent=[stroke], by=reading.reader, closed=True)
    assert (answer.status, Stroke.objects.get(pk=stroke.id).branch_reason) == ("branched", "closed")
    np.testing.assert_array_equal(head_layers(reading.mask)["findings"], before)


def test_a_stroke_and_its_undo_cost_as_many_statements_on_two_slices_as_on_twelve(reading):
    tab = Tab(reading, reading.reader)
    empty = np.zeros_like(head_layers(reading.mask)["findings"])
    tab.send(tab.stroke(head_layers(reading.mask)["findings"], empty, tool="eraser"))
    counted = []
    for slices in (2, 12):
        full = painted(empty, 2, slice(0, slices), slice(3, 40), slice(5, 50))
        stroke = tab.stroke(empty, full)
        undo = tab.stroke(full, empty, tool="undo", undoes=stroke.id)
        for sent in (stroke, undo):
            with CaptureQueriesContext(connection) as statements:
                assert tab.send(sent)[0].status == "applied"
            counted.append(len(statements))
    assert counted[0] == counted[2] < 12
    assert counted[1] == counted[3]
    assert not head_layers(reading.mask)["findings"].any()


def test_undo_that_is_not_the_inverse_is_refused(reading):
    before = head_layers(reading.mask)["findings"]
    after = painted(before, 2, slice(0, 2), slice(0, 4), slice(0, 4))
    tab = Tab(reading, reading.reader)
    stroke = tab.stroke(before, after)
    wrong = tab.stroke(after, painted(after, 0, slice(0, 1)), tool="undo", undoes=stroke.id)
    with pytest.raises(ActionRefused, match="inverse"):
        tab.send(stroke, wrong)
    assert not Stroke.objects.filter(mask=reading.mask).exists()


def test_damaged_and_hostile_payloads_change_nothing(reading):
    before = head_layers(reading.mask)["findings"]
    tab = Tab(reading, reading.reader)
    good = tab.stroke(before, painted(before, 2, slice(0, 1), slice(0, 4), slice(0, 4)))
    with pytest.raises(ActionRefused, match="damaged"):
        tab.send(dataclasses.replace(good, payload=good.payload + b"x"))
    import hashlib

    broken = good.payload[:-2]
    with pytest.raises(ActionRefused, match="does not hold 4 runs") as refused:
        tab.send(dataclasses.replace(good, payload=broken, payload_sha256=hashlib.sha256(broken).hexdigest()))
    assert refused.value.about == {"stroke": str(good.id)}, "the sender learns which stroke it was"
    with pytest.raises(ActionRefused, match="Label 77"):
        tab.send(tab.stroke(before, painted(before, 77, slice(0, 1), slice(0, 4), slice(0, 4))))
    np.testing.assert_array_equal(head_layers(reading.mask)["findings"], before)
    assert not Stroke.objects.filter(mask=reading.mask).exists()


def test_the_chain_of_strokes_can_be_recomputed(reading):
    state = head_layers(reading.mask)["findings"]
    tab = Tab(reading, reading.reader)
    for z in range(4):
        new = painted(state, 2, slice(z, z + 1), slice(0, 4), slice(0, 4))
        tab.send(tab.stroke(state, new))
        state = new
    head = GENESIS
    for place, stroke in enumerate(Stroke.objects.filter(mask=reading.mask).order_by("stroke_sequence"), start=1):
        assert (stroke.stroke_sequence, stroke.prev_hash) == (place, head)
        head = stroke_hash(head, stroke_content(stroke))
        assert stroke.hash == head
    reading.mask.refresh_from_db()
    assert (reading.mask.stroke_sequence, reading.mask.head_hash) == (4, head)


def test_late_stroke_of_a_lease_let_go_counts_until_another_takes_it(reading):
    before = head_layers(reading.mask)["findings"]
    after = painted(before, 2, slice(0, 1), slice(0, 4), slice(0, 4))
    tab = Tab(reading, reading.reader)
    release_lease(mask=reading.mask, tab=tab.id, by=reading.reader)
    assert tab.send(tab.stroke(before, after))[0].status == "applied"
    Tab(reading, reading.reader)
    assert tab.send(tab.stroke(after, before))[0].status == "branched"


def test_tab_that_takes_its_own_lease_again_goes_on_under_its_epoch(reading):
    before = head_layers(reading.mask)["findings"]
    after = painted(before, 2, slice(0, 1), slice(0, 4), slice(0, 4))
    tab = Tab(reading, reading.reader)
    under_way = tab.stroke(before, after)
    assert release_lease(mask=reading.mask, tab=tab.id, by=reading.reader)
    assert not release_lease(mask=reading.mask, tab=tab.id, by=reading.reader), "it was let go already"
    again = take_lease(mask=reading.mask, tab=tab.id, by=reading.reader, take_over=False)
    assert (again.epoch, again.released) == (tab.epoch, False)
    assert tab.send(under_way)[0].status == "applied"
    other = Tab(reading, reading.reader, take_over=True)
    back = take_lease(mask=reading.mask, tab=tab.id, by=reading.reader, take_over=True)
    assert [other.epoch, back.epoch] == [tab.epoch + 1, tab.epoch + 2], "after somebody else, the epoch is a new one"
    assert tab.send(tab.stroke(after, before))[0].status == "branched"
