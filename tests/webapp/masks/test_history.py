"""What a mask was at any moment and who set each voxel, against a plain replay of the log."""

import itertools
import uuid

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.imaging.delta import decode_delta, encode_delta, invert_runs
from inference.imaging.masks import read_container
from tests.factories.sites import Tab, a_reading, a_workplace
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused
from webapp.masks import branches, checkpoints, history
from webapp.masks.actions import cut_version
from webapp.masks.branches import branches_of, restore_state, settle_branch, strokes_waiting_beside
from webapp.masks.history import (
    chapters_of,
    extent_of,
    head_state,
    layer_difference,
    provenance_map,
    state_at,
    version_state,
    voxel_history,
)
from webapp.masks.models import Mask, Stroke
from webapp.masks.queries import head_layers, version_layers
from webapp.masks.strokes import payload_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def reading():
    return a_reading(a_workplace())


@pytest.mark.parametrize("most_cost", [1, 30, 10**9])
def test_a_past_state_is_near_a_stored_one_whatever_became_of_its_strokes(reading, monkeypatch, most_cost):
    """Strokes, undo and redo, strokes beside, a merge: the state after each is that of a plain replay."""
    monkeypatch.setattr(checkpoints, "MOST_COST", most_cost)
    late, painter = Tab(reading, reading.reader), Painter(reading, take_over=True)
    roll = np.random.default_rng(4)
    for number in range(40):
        z, y, x = (int(roll.integers(0, n)) for n in (10, 40, 50))
        painter.paint("findings", int(roll.integers(0, 3)), (slice(z, z + 2), slice(y, y + 8), slice(x, x + 8)))
        if number % 5 == 4:
            painter.step("undo")
        if number % 10 == 9:
            painter.step("redo")
        if number == 20:
            spoiled = painter.now["findings"].copy()
            spoiled[5, 3:9, 3:9] = 4
            kept = late.stroke(painter.now["findings"], spoiled)
            assert [a.status for a in late.send(kept)] == ["branched"]
            painter.states.append(painter.states[-1])
            painter.paint("findings", 4, (slice(5, 6), slice(3, 9), slice(3, 9)), tool="merge")
    reading.mask.refresh_from_db()
    replayed = []
    plain = history.decode_delta
    monkeypatch.setattr(history, "decode_delta", lambda *about: replayed.append(1) or plain(*about))
    farthest = 0
    for sequence in [*range(len(painter.states)), *map(int, roll.integers(0, len(painter.states), 20))]:
        replayed.clear()
        found = layers_of(state_at(reading.mask, sequence))
        farthest = max(farthest, len(replayed))
        np.testing.assert_array_equal(found["findings"], painter.states[sequence]["findings"])
    strokes = len(painter.states)
    assert farthest <= {1: 1, 30: 5, 10**9: strokes // 2}[most_cost]
    assert (reading.mask.checkpoints.count() > 0) == (most_cost < 10**9)


def layers_of(state):
    found = read_container(state.container())
    return {"anatomy": found.anatomy, "findings": found.findings}


class Painter:
    """Paints random boxes, undoes and redoes, and keeps every state and every voxel's owner the plain way."""

    def __init__(self, reading, take_over=False) -> None:
        self.tab = Tab(reading, reading.reader, take_over)
        self.reading = reading
        self.now = head_layers(reading.mask)
        # 1 is the draft's own chapter, 2 the reader's.
        self.owner = {layer: (voxels != 0).astype(np.uint8) for layer, voxels in self.now.items()}
        self.states = [{layer: voxels.copy() for layer, voxels in self.now.items()}]
        self.done, self.undone = [], []

    def paint(self, layer, value, box, tool="brush"):
        new = self.now[layer].copy()
        new[box] = value
        if (new == self.now[layer]).all():
            return
        stroke = self.tab.stroke(self.now[layer], new, layer=layer, tool=tool)
        owner = self.owner[layer].copy()
        owner[new != self.now[layer]] = 2
        self.done.append((stroke, self.now[layer], self.owner[layer], new, owner))
        self.undone.clear()
        self._take(layer, stroke, new, owner)

    def step(self, tool):
        source, sink = (self.done, self.undone) if tool == "undo" else (self.undone, self.done)
        if not source:
            return
        last, old, old_owner, new, owner = source.pop()
        layer = last.layer
        target, target_owner = (old, old_owner) if tool == "undo" else (new, owner)
        stroke = self.tab.stroke(self.now[layer], target, layer=layer, tool=tool, undoes=last.id)
        sink.append((stroke, old, old_owner, new, owner))
        self._take(layer, stroke, target, target_owner)

    def _take(self, layer, stroke, new, owner):
        assert [a.status for a in self.tab.send(stroke)] == ["applied"]
        self.now[layer], self.owner[layer] = new, owner
        self.states.append({name: voxels.copy() for name, voxels in self.now.items()})


PAINT = st.tuples(
    st.sampled_from(["anatomy", "findings"]),
    st.integers(0, 2),
    st.tuples(st.integers(0, 10), st.integers(0, 40), st.integers(0, 50)),
    st.tuples(st.integers(1, 3), st.integers(1, 12), st.integers(1, 12)),
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(PAINT, st.sampled_from(["undo", "redo"])), min_size=1, max_size=14), st.integers(0, 14))
def test_every_past_state_and_every_owner_is_that_of_a_plain_replay(edits, cut_after):
    reading = a_reading(a_workplace(f"c{uuid.uuid4().hex[:10]}"))
    painter = Painter(reading)
    for number, edit in enumerate(edits):
        if isinstance(edit, str):
            painter.step(edit)
        else:
            layer, value, corner, size = edit
            painter.paint(layer, value, tuple(slice(a, a + n) for a, n in zip(corner, size, strict=True)))
        if number == cut_after:
            cut_version(mask=reading.mask, reason="submit", by=reading.reader)
    reading.mask.refresh_from_db()
    for sequence, wanted in enumerate(painter.states):
        state = state_at(reading.mask, sequence)
        found = layers_of(state)
        for layer, voxels in wanted.items():
            np.testing.assert_array_equal(found[layer], voxels)
        assert state.stroke_sequence == sequence
    for layer, owner in painter.owner.items():
        _, owners = provenance_map(reading.mask, layer)
        wanted = np.where(painter.now[layer] != 0, owner, 0)
        found = np.zeros_like(wanted)
        for z, voxels in owners.items():
            found[z] = voxels
        np.testing.assert_array_equal(found, wanted)


def test_a_state_that_is_not_there_is_an_error(reading):
    with pytest.raises(Stroke.DoesNotExist):
        state_at(reading.mask, 1)


def test_a_past_state_is_the_same_when_strokes_come_in_while_it_is_read(reading):
    painter = Painter(reading)
    for z in range(6):
        painter.paint("findings", 2, (slice(z, z + 1), slice(0, 9), slice(0, 9)))
    known = Mask.objects.get(pk=reading.mask_id)
    # What a request knew of the mask when it began; the two strokes after that came while it was at work.
    painter.paint("findings", 3, (slice(0, 2), slice(0, 9), slice(0, 9)))
    painter.paint("findings", 0, (slice(4, 6), slice(0, 9), slice(0, 9)))
    for sequence in (6, 5, 0):
        state = state_at(known, sequence)
        np.testing.assert_array_equal(layers_of(state)["findings"], painter.states[sequence]["findings"])
        assert state.stroke_sequence == sequence
    now = head_state(known)
    np.testing.assert_array_equal(layers_of(now)["findings"], painter.now["findings"])
    assert now.stroke_sequence == 8, "voxels and their place in the log belong together"


def test_a_version_is_read_without_change(reading):
    origin = reading.mask.forked_from
    np.testing.assert_array_equal(layers_of(version_state(origin))["findings"], version_layers(origin)["findings"])


def test_a_voxel_tells_its_whole_story(reading):
    painter = Painter(reading)
    z, y, x = (int(n[0]) for n in np.nonzero(painter.now["findings"]))
    spot = (slice(z, z + 1), slice(y, y + 1), slice(x, x + 1))
    painter.paint("findings", 2, spot)
    painter.paint("findings", 0, spot)
    painter.step("undo")
    painter.paint("findings", 2, (slice(z, z + 1), slice(y, y + 1), slice(x + 1, x + 3)))
    reading.mask.refresh_from_db()
    story = voxel_history(reading.mask, "findings", (x, y, z))
    assert [(e.stroke.tool if e.stroke else "draft", e.old, e.new) for e in story] == [
        ("draft", 0, 1),
        ("brush", 1, 2),
        ("brush", 2, 0),
        ("undo", 0, 2),
    ]
    assert story[0].mask.author_kind == "algorithm"
    assert [c.mask.pk for c in chapters_of(reading.mask)] == [reading.mask.forked_from.mask_id, reading.mask.pk]


def test_the_difference_of_two_states_is_counted_per_slice_and_label(reading):
    painter = Painter(reading)
    before = painter.now["findings"].copy()
    painter.paint("findings", 1, (slice(2, 5), slice(5, 9), slice(5, 9)))
    painter.paint("findings", 0, (slice(6, 7), slice(0, 48), slice(0, 64)))
    after = painter.now["findings"]
    reading.mask.refresh_from_db()
    values = reading.mask.label_set.lesion_values
    found = layer_difference(state_at(reading.mask, 0), head_state(reading.mask), "findings", values)
    a, b = np.isin(before, values), np.isin(after, values)
    assert (found.both, found.only_a, found.only_b) == ((a & b).sum(), (a & ~b).sum(), (~a & b).sum())
    assert found.dice == pytest.approx(2 * (a & b).sum() / (a.sum() + b.sum()))
    by_slice = {z: (both, one, other) for z, both, one, other in found.slices}
    for z in range(len(a)):
        expected = ((a[z] & b[z]).sum(), (a[z] & ~b[z]).sum(), (~a[z] & b[z]).sum())
        assert by_slice.get(z, (0, 0, 0)) == expected
    lung = painter.now["anatomy"] != 0
    counts = lung & ~np.isin(after, reading.mask.label_set.not_lung_values)
    wanted = 100 * (lung & b).sum() / counts.sum()
    assert extent_of(head_state(reading.mask), values, reading.mask.label_set.not_lung_values) == pytest.approx(wanted)


def test_two_empty_states_have_no_dice(reading):
    state = head_state(reading.mask)
    state.frames.clear()
    assert layer_difference(state, state, "findings", [1]).dice is None


def test_restoring_adds_to_the_log_and_takes_nothing_away(reading):
    painter = Painter(reading)
    painter.paint("findings", 2, (slice(0, 3), slice(0, 9), slice(0, 9)))
    painter.paint("anatomy", 1, (slice(1, 4), slice(0, 9), slice(20, 30)))
    reading.mask.refresh_from_db()
    start = state_at(reading.mask, 0)
    version = restore_state(
        mask=reading.mask, state=start, named="stroke:0", tab=painter.tab.id, epoch=painter.tab.epoch, by=reading.reader
    )
    now = head_layers(reading.mask)
    for layer, voxels in painter.states[0].items():
        np.testing.assert_array_equal(now[layer], voxels)
        np.testing.assert_array_equal(version_layers(version)[layer], voxels)
    assert list(reading.mask.strokes.order_by("stroke_sequence").values_list("tool", flat=True)) == [
        "brush",
        "brush",
        "restore",
        "restore",
    ]
    assert version.reason == "restore"
    assert Event.objects.filter(name="mask.restored").count() == 1
    reading.mask.refresh_from_db()
    with pytest.raises(ActionRefused, match="already"):
        restore_state(
            mask=reading.mask, state=start, named="x", tab=painter.tab.id, epoch=painter.tab.epoch, by=reading.reader
        )


def test_a_large_restore_comes_in_parts_that_are_one_edit(reading, monkeypatch):
    monkeypatch.setattr(branches, "PART_BYTES", 60)
    painter = Painter(reading)
    painter.paint("findings", 2, (slice(0, 6), slice(0, 9), slice(0, 9)))
    painter.paint("anatomy", 1, (slice(1, 2), slice(0, 9), slice(20, 30)))
    reading.mask.refresh_from_db()
    tab = painter.tab
    version = restore_state(
        mask=reading.mask,
        state=state_at(reading.mask, 0),
        named="stroke:0",
        tab=tab.id,
        epoch=tab.epoch,
        by=reading.reader,
    )
    for layer, voxels in painter.states[0].items():
        np.testing.assert_array_equal(version_layers(version)[layer], voxels)
    restored = list(reading.mask.strokes.filter(tool="restore").order_by("stroke_sequence"))
    findings = [stroke for stroke in restored if stroke.layer == "findings"]
    assert len(findings) > 2
    assert len(restored) == len(findings) + 1
    # By that the browser knows them as one.
    assert len({stroke.client_time for stroke in restored}) == 1
    sizes = [len(payload_of(stroke)) for stroke in findings]
    assert all(a + b > 60 for a, b in itertools.pairwise(sizes))


def test_a_tab_without_the_lease_restores_nothing(reading):
    painter = Painter(reading)
    painter.paint("findings", 2, (slice(0, 3), slice(0, 9), slice(0, 9)))
    reading.mask.refresh_from_db()
    before = reading.mask.strokes.count()
    with pytest.raises(ActionRefused, match="does not hold"):
        restore_state(
            mask=reading.mask,
            state=state_at(reading.mask, 0),
            named="stroke:0",
            tab=uuid.uuid4(),
            epoch=painter.tab.epoch,
            by=reading.reader,
        )
    assert reading.mask.strokes.count() == before


def test_late_strokes_are_a_branch_until_somebody_decides(reading):
    late = Painter(reading)
    old = late.now["findings"].copy()
    tab = Tab(reading, reading.reader, take_over=True)
    new = old.copy()
    new[4, 10:14, 10:14] = 2
    kept = late.tab.stroke(old, new)
    assert [a.status for a in late.tab.send(kept)] == ["branched"]
    (branch,) = branches_of(reading.mask)
    assert [s.pk for s in branch.strokes] == [kept.id]
    assert branch.settled is None
    merged = tab.stroke(old, new, tool="merge")
    with pytest.raises(ActionRefused, match="names the saved strokes"):
        settle_branch(
            mask=reading.mask, tab=late.tab.id, epoch=late.tab.epoch, up_to_sequence=1, decision="merged",
            strokes=[merged.id], by=reading.reader,
        )  # fmt: skip
    tab.send(merged)
    settle_branch(
        mask=reading.mask,
        tab=late.tab.id,
        epoch=late.tab.epoch,
        up_to_sequence=1,
        decision="merged",
        strokes=[merged.id],
        by=reading.reader,
    )
    (branch,) = branches_of(reading.mask)
    assert branch.settled is not None
    assert branch.settled.decision == "merged"
    again = new.copy()
    again[5, 10:14, 10:14] = 2
    late.tab.send(late.tab.stroke(new, again))
    assert [b.settled is None for b in branches_of(reading.mask)] == [False, True], "what came later waits again"


def test_late_stroke_that_was_not_looked_at_is_not_settled_with_the_others(reading):
    late = Painter(reading)
    old = late.now["findings"].copy()
    Tab(reading, reading.reader, take_over=True)
    one, two = old.copy(), old.copy()
    one[4, 10:14, 10:14] = 2
    two[5, 10:14, 10:14] = 2
    late.tab.send(late.tab.stroke(old, one))
    (looked_at,) = branches_of(reading.mask)
    unseen = late.tab.stroke(old, two)
    late.tab.send(unseen)
    settle_branch(
        mask=reading.mask, tab=late.tab.id, epoch=late.tab.epoch, up_to_sequence=looked_at.strokes[-1].stroke_sequence,
        decision="set_aside", strokes=[], by=reading.reader,
    )  # fmt: skip
    settled, waiting = branches_of(reading.mask)
    assert (settled.settled is None, waiting.settled is None) == (False, True)
    assert [s.pk for s in waiting.strokes] == [unseen.id]
    assert strokes_waiting_beside(reading.mask) == 1


def test_slices_a_stroke_touches_are_kept_with_it(reading):
    painter = Painter(reading)
    painter.paint("findings", 2, (slice(3, 6), slice(0, 9), slice(0, 9)))
    stroke = Stroke.objects.get(mask=reading.mask)
    runs = decode_delta(payload_of(stroke), tuple(reading.mask.scan.shape_zyx))
    assert (stroke.z_first, stroke.z_last) == (runs[0].z, runs[-1].z)
    assert encode_delta(invert_runs(invert_runs(runs))) == payload_of(stroke)
