"""Whatever readers do, in whatever order: the store holds what a plain numpy model of it holds.

Two tabs of one reader paint, lose and take the lease, undo, redo, merge, restore, cut versions, repeat what they sent
and send what cannot be taken; another goes on from what they end with. The model keeps whole arrays and knows nothing
of hashes, deltas or frames.
"""

import dataclasses
import uuid

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from inference.imaging.delta import decode_delta
from inference.imaging.masks import read_container
from tests.factories.sites import Tab, a_reading, a_workplace
from webapp.audit.refusal import ActionRefused
from webapp.masks import checkpoints
from webapp.masks.actions import cut_version, fork_mask, release_lease, take_lease
from webapp.masks.branches import branches_of, restore_state, settle_branch, strokes_waiting_beside
from webapp.masks.history import head_state, provenance_map, state_at, version_state, voxel_history
from webapp.masks.models import Mask, Stroke
from webapp.masks.queries import head_layers, version_layers
from webapp.masks.strokes import SentStroke, payload_of
from webapp.masks.verify import faults

pytestmark = pytest.mark.django_db
LAYERS = ("anatomy", "findings")
LAYER = st.sampled_from(LAYERS)
BOX = st.tuples(
    st.tuples(st.integers(0, 10), st.integers(0, 40), st.integers(0, 50)),
    st.tuples(st.integers(1, 3), st.integers(1, 12), st.integers(1, 12)),
).map(lambda ends: tuple(slice(a, a + n) for a, n in zip(*ends, strict=True)))
PAINT = st.tuples(LAYER, st.integers(0, 2), BOX)
Layers = dict[str, np.ndarray]


def copy(layers: Layers) -> Layers:
    return {name: voxels.copy() for name, voxels in layers.items()}


@dataclasses.dataclass
class Edit:
    """A stroke that was applied, as the model sees it."""

    stroke: SentStroke
    layer: str
    old: np.ndarray
    new: np.ndarray
    old_owner: np.ndarray
    new_owner: np.ndarray


class Store(RuleBasedStateMachine):
    """The store and its model side by side."""

    @initialize()
    def begin(self) -> None:
        self.reading = a_reading(a_workplace(f"c{uuid.uuid4().hex[:10]}"))
        self.now: Layers = head_layers(self.reading.mask)
        self.chapter = 2
        self.owner = {name: (voxels != 0).astype(np.uint8) for name, voxels in self.now.items()}
        self.states = [copy(self.now)]
        self.versions = [(self.reading.mask.forked_from, copy(self.now))]
        self.tabs = [Tab(self.reading, self.reading.reader), Tab(self.reading, self.reading.reader, take_over=True)]
        self.writer = 1
        self.screens = [copy(self.now), copy(self.now)]
        """What each tab shows: the one that does not write sees nothing of the other's strokes."""
        self.done: list[Edit] = []
        self.undone: list[Edit] = []
        self.sent: list[tuple[int, SentStroke, str]] = []
        self.aside: list[Stroke] = []

    # What the model says

    def _takes(self, edit: Edit) -> None:
        self.now = {**self.now, edit.layer: edit.new}
        self.owner = {**self.owner, edit.layer: edit.new_owner}
        self.screens[self.writer] = copy(self.now)
        self.states.append(copy(self.now))

    def _keeps_aside(self, stroke: SentStroke) -> None:
        self.states.append(copy(self.now))
        self.aside.append(stroke)

    def _owner_after(self, layer: str, new: np.ndarray) -> np.ndarray:
        owner = self.owner[layer].copy()
        owner[new != self.now[layer]] = self.chapter
        return owner

    def _send(self, which: int, stroke: SentStroke) -> str:
        (answer,) = self.tabs[which].send(stroke)
        self.sent.append((which, stroke, answer.status))
        return answer.status

    # What readers do

    @rule(edits=st.lists(st.one_of(PAINT, PAINT, st.sampled_from(["undo", "redo"])), min_size=1, max_size=8))
    def work(self, edits: list[str | tuple[str, int, tuple[slice, ...]]]) -> None:
        for edit in edits:
            if edit == "undo" and self.done:
                self._step("undo", self.done, self.undone)
            elif edit == "redo" and self.undone:
                self._step("redo", self.undone, self.done)
            elif not isinstance(edit, str):
                self._paint(*edit)

    def _paint(self, layer: str, value: int, box: tuple[slice, ...]) -> None:
        new = self.now[layer].copy()
        new[box] = value
        if (new == self.now[layer]).all():
            return
        stroke = self.tabs[self.writer].stroke(self.now[layer], new, layer=layer)
        assert self._send(self.writer, stroke) == "applied"
        edit = Edit(stroke, layer, self.now[layer], new, self.owner[layer], self._owner_after(layer, new))
        self.done.append(edit)
        self.undone.clear()
        self._takes(edit)

    @rule(layer=LAYER, value=st.integers(0, 2), box=BOX)
    def paint_in_the_tab_that_lost_the_lease(self, layer: str, value: int, box: tuple[slice, ...]) -> None:
        late = 1 - self.writer
        old = self.screens[late][layer]
        new = old.copy()
        new[box] = value
        if (new == old).all():
            return
        stroke = self.tabs[late].stroke(old, new, layer=layer)
        assert self._send(late, stroke) == "branched"
        self.screens[late][layer] = new
        self._keeps_aside(stroke)

    @rule(layer=LAYER, box=BOX)
    def paint_over_what_is_not_there(self, layer: str, box: tuple[slice, ...]) -> None:
        """The lease is right and the picture is old; its undo comes right behind."""
        wrong = self.now[layer].copy()
        wrong[box] = (wrong[box] + 1) % 3
        new = self.now[layer].copy()  # what is there already: a careless undo would take it
        tab = self.tabs[self.writer]
        stroke = tab.stroke(wrong, new, layer=layer)
        undo = tab.stroke(new, wrong, layer=layer, tool="undo", undoes=stroke.id)
        assert [a.status for a in tab.send(stroke, undo)] == ["branched", "branched"]
        self._keeps_aside(stroke)
        self._keeps_aside(undo)

    def _step(self, tool: str, source: list[Edit], sink: list[Edit]) -> None:
        last = source.pop()
        stroke = self.tabs[self.writer].stroke(last.new, last.old, layer=last.layer, tool=tool, undoes=last.stroke.id)
        assert self._send(self.writer, stroke) == "applied"
        edit = Edit(stroke, last.layer, last.new, last.old, last.new_owner, last.old_owner)
        sink.append(edit)
        self._takes(edit)

    @precondition(lambda self: self.sent)
    @rule(number=st.integers(0, 99))
    def send_again(self, number: int) -> None:
        which, stroke, status = self.sent[number % len(self.sent)]
        (answer,) = self.tabs[which].send(stroke)
        assert answer.status == ("duplicate" if status == "applied" else status)

    @rule(spoil=st.sampled_from(["cut short", "label", "hash", "undo"]), box=BOX)
    def send_what_cannot_be_taken(self, spoil: str, box: tuple[slice, ...]) -> None:
        tab = self.tabs[self.writer]
        good, bad = self.now["findings"].copy(), self.now["findings"].copy()
        good[box] = 5
        bad[box] = 77
        first = tab.stroke(self.now["findings"], good)
        second = {
            "cut short": lambda: dataclasses.replace(tab.stroke(good, bad), payload=first.payload[:-1]),
            "label": lambda: tab.stroke(good, bad),
            "hash": lambda: dataclasses.replace(tab.stroke(good, self.now["findings"]), payload_sha256="0" * 64),
            "undo": lambda: tab.stroke(good, self.now["findings"], tool="undo", undoes=uuid.uuid4()),
        }[spoil]()
        with pytest.raises(ActionRefused) as refused:
            tab.send(first, second)
        assert refused.value.about == {"stroke": str(second.id)}
        assert not Stroke.objects.filter(pk=first.id).exists(), "a batch is taken whole or not at all"

    @rule()
    def take_over(self) -> None:
        self.writer = 1 - self.writer
        tab = self.tabs[self.writer]
        lease = take_lease(mask=self.reading.mask, tab=tab.id, by=self.reading.reader, take_over=True)
        assert lease.epoch > max(t.epoch for t in self.tabs)
        tab.epoch = lease.epoch
        self.screens[self.writer] = copy(self.now)

    @rule()
    def leave_and_come_back(self) -> None:
        tab = self.tabs[self.writer]
        release_lease(mask=self.reading.mask, tab=tab.id, by=self.reading.reader)
        lease = take_lease(mask=self.reading.mask, tab=tab.id, by=self.reading.reader, take_over=False)
        assert lease.epoch == tab.epoch

    @rule(reason=st.sampled_from(["submit", "return"]))
    def cut(self, reason: str) -> None:
        version = cut_version(mask=self.reading.mask, reason=reason, by=self.reading.reader)
        self.versions.append((version, copy(self.now)))

    @rule(number=st.integers(0, 99), of_versions=st.booleans())
    def restore(self, number: int, of_versions: bool) -> None:
        mask = Mask.objects.get(pk=self.reading.mask_id)
        if of_versions:  # the first one is the ancestor's
            version, wanted = self.versions[number % len(self.versions)]
            state = version_state(version)
        else:
            wanted = self.states[number % len(self.states)]
            state = state_at(mask, number % len(self.states))
        tab = self.tabs[self.writer]
        ask = {"mask": mask, "state": state, "named": "x", "tab": tab.id, "epoch": tab.epoch, "by": self.reading.reader}
        changed = [name for name in LAYERS if (wanted[name] != self.now[name]).any()]
        if not changed:
            with pytest.raises(ActionRefused, match="already"):
                restore_state(**ask)
            return
        version = restore_state(**ask)
        strokes = list(mask.strokes.order_by("-stroke_sequence")[: len(changed)])[::-1]
        assert [(s.layer, s.tool) for s in strokes] == [(name, "restore") for name in changed]
        for stroke in strokes:
            new, name = wanted[stroke.layer], stroke.layer
            sent = dataclasses.replace(tab.stroke(self.now[name], new, layer=name), id=stroke.pk)
            edit = Edit(sent, name, self.now[name], new, self.owner[name], self._owner_after(name, new))
            self.done.append(edit)
            self._takes(edit)
        self.undone.clear()
        self.versions.append((version, copy(self.now)))

    @rule(number=st.integers(0, 99))
    def settle_what_waits_beside(self, number: int) -> None:
        waiting = [b for b in branches_of(self.reading.mask) if b.settled is None]
        assert sum(len(b.strokes) for b in waiting) == strokes_waiting_beside(self.reading.mask)
        if not waiting:
            return
        branch = waiting[number % len(waiting)]
        seen = branch.strokes[: 1 + number % len(branch.strokes)]
        settle_branch(
            mask=self.reading.mask, tab=branch.tab, epoch=branch.epoch, up_to_sequence=seen[-1].stroke_sequence,
            decision="set_aside", strokes=[], by=self.reading.reader,
        )  # fmt: skip
        assert strokes_waiting_beside(self.reading.mask) == sum(len(b.strokes) for b in waiting) - len(seen)

    @rule(number=st.integers(0, 99))
    def merge_what_waits_beside(self, number: int) -> None:
        """Voxel by voxel what still fits, as the viewer does it: one stroke a layer."""
        waiting = [b for b in branches_of(self.reading.mask) if b.settled is None]
        if not waiting:
            return
        branch = waiting[number % len(waiting)]
        merged = copy(self.now)
        for stroke in branch.strokes:
            for runs in decode_delta(payload_of(stroke), self.now["findings"].shape):
                flat = merged[stroke.layer][runs.z].reshape(-1)
                for start, length, old, new in zip(runs.start, runs.length, runs.old, runs.new, strict=True):
                    here = flat[start : start + length]
                    here[here == old] = new
        names = []
        for layer in LAYERS:
            if (merged[layer] == self.now[layer]).all():
                continue
            stroke = self.tabs[self.writer].stroke(self.now[layer], merged[layer], layer=layer, tool="merge")
            assert self._send(self.writer, stroke) == "applied"
            owner = self._owner_after(layer, merged[layer])
            edit = Edit(stroke, layer, self.now[layer], merged[layer], self.owner[layer], owner)
            self.done.append(edit)
            self.undone.clear()
            self._takes(edit)
            names.append(stroke.id)
        decided = settle_branch(
            mask=self.reading.mask, tab=branch.tab, epoch=branch.epoch, decision="merged", strokes=names,
            up_to_sequence=branch.strokes[-1].stroke_sequence, by=self.reading.reader,
        )  # fmt: skip
        assert decided.strokes == [str(name) for name in names]

    @precondition(lambda self: len(self.states) > 1 and self.chapter == 2)
    @rule()
    def another_goes_on_from_a_version(self) -> None:
        """The next stage: a mask of its own, forked from what this one ends with."""
        version = cut_version(mask=self.reading.mask, reason="submit", by=self.reading.reader)
        assert list(faults(self.reading.mask_id)) == []
        mask = fork_mask(version=version, by=self.reading.reader)
        type(self.reading).objects.filter(pk=self.reading.pk).update(mask=mask)
        self.reading.refresh_from_db()
        self.chapter = 3
        self.states = [copy(self.now)]
        self.versions = [*self.versions, (version, copy(self.now))]
        self.tabs = [Tab(self.reading, self.reading.reader), Tab(self.reading, self.reading.reader, take_over=True)]
        self.writer = 1
        self.screens = [copy(self.now), copy(self.now)]
        self.done, self.undone, self.sent, self.aside = [], [], [], []

    # What holds

    @invariant()
    def the_working_state_is_the_models(self) -> None:
        if not hasattr(self, "reading"):
            return
        mask = Mask.objects.get(pk=self.reading.mask_id)
        container = read_container(head_state(mask).container())
        for name in LAYERS:
            np.testing.assert_array_equal(getattr(container, name), self.now[name])
        assert container.stroke_sequence == mask.stroke_sequence == len(self.states) - 1
        assert {s.id for s in self.aside} == set(mask.strokes.filter(applied=False).values_list("pk", flat=True))

    def teardown(self) -> None:
        if not hasattr(self, "reading"):
            return
        mask = Mask.objects.get(pk=self.reading.mask_id)
        assert list(faults(mask.pk)) == []
        for sequence, wanted in enumerate(self.states):
            found = read_container(state_at(mask, sequence).container())
            for name in LAYERS:
                np.testing.assert_array_equal(getattr(found, name), wanted[name])
        for version, wanted in self.versions:
            found = version_layers(version)
            for name in LAYERS:
                np.testing.assert_array_equal(found[name], wanted[name])
        self._provenance(mask)

    def _provenance(self, mask: Mask) -> None:
        for name in LAYERS:
            _, owners = provenance_map(mask, name)
            found = np.zeros_like(self.now[name])
            for z, voxels in owners.items():
                found[z] = voxels
            np.testing.assert_array_equal(found, np.where(self.now[name] != 0, self.owner[name], 0))
        np.testing.assert_array_equal(head_state(mask).slice("findings", 3), self.now["findings"][3])
        for z, y, x in ((3, 10, 12), (5, 20, 30), (0, 0, 0)):
            story = voxel_history(mask, "findings", (x, y, z))
            assert [e.old for e in story[1:]] == [e.new for e in story[:-1]], "each change begins where the last ended"
            assert (story[-1].new if story else 0) == self.now["findings"][z, y, x]


def test_the_store_holds_what_its_model_holds(monkeypatch):
    # A state is stored every other stroke: whatever is read goes over stored states, from both sides.
    monkeypatch.setattr(checkpoints, "MOST_COST", 12)
    run_state_machine_as_test(
        Store,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        ),
    )
