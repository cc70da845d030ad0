"""What a mask was at any moment, and who set each of its voxels: read from versions and strokes, never stored twice."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Q
from numpy.typing import NDArray

from inference.imaging.delta import SliceRuns, apply_runs, decode_delta, invert_runs, slice_runs
from inference.imaging.masks import Frame, decode_slice, encode_slice, write_container
from webapp.masks.models import LAYERS, Checkpoint, Mask, SliceBlob, Stroke, Version
from webapp.masks.strokes import GENESIS, decompressed, payload_of
from webapp.masks.versions import manifest_digests

Place = tuple[str, int]
"""(layer, z)"""


@dataclass
class State:
    """A mask at one moment: a zstd frame for each slice that is not empty, by (layer, z)."""

    shape_zyx: tuple[int, int, int]
    stroke_sequence: int
    head_hash: str
    frames: dict[Place, bytes]

    def slice(self, layer: str, z: int) -> NDArray[np.uint8]:
        """One slice, uint8 yx, the caller's own."""
        frame = self.frames.get((layer, z))
        shape_yx = self.shape_zyx[1:]
        return decode_slice(frame, shape_yx) if frame else np.zeros(shape_yx, np.uint8)

    def container(self) -> bytes:
        """The state as GGM1 bytes; stored frames go out as they are."""
        return write_container(
            shape_zyx=self.shape_zyx,
            stroke_sequence=self.stroke_sequence,
            head_hash=self.head_hash,
            frames=[Frame(layer, z, data) for (layer, z), data in self.frames.items()],
        )


def head_state(mask: Mask) -> State:
    """The working state of a mask as it is now, which may be later than `mask` was read.

    One statement, so that the voxels and their place in the log belong together however many strokes come in.
    """
    rows = list(
        Mask.objects.filter(pk=mask.pk).values_list(
            "stroke_sequence", "head_hash", "head_slices__layer", "head_slices__z", "head_slices__data"
        )
    )
    sequence, head_hash = rows[0][:2]
    frames = {(layer, z): bytes(data) for _, _, layer, z, data in rows if layer is not None}
    return State(_shape(mask), sequence, head_hash, frames)


def version_state(version: Version) -> State:
    """A version; no slice is decoded."""
    return _stored_state(version, version.stroke_head_hash)


def _stored_state(stored: Version | Checkpoint, head_hash: str) -> State:
    places = {
        (layer, z): digest for layer in LAYERS for z, digest in enumerate(manifest_digests(stored, layer)) if digest
    }
    blobs = dict(SliceBlob.objects.filter(pk__in=set(places.values())).values_list("sha256", "data"))
    frames = {place: bytes(blobs[digest]) for place, digest in places.items()}
    return State(_shape(stored.mask), stored.stroke_sequence, head_hash, frames)


def _origin(mask: Mask) -> Version | None:
    return mask.versions.filter(stroke_sequence=0).order_by("number").first() or mask.forked_from


def base_state(mask: Mask) -> State:
    """A mask before its first stroke: the version it was forked from, or its own first version, or empty."""
    origin = _origin(mask)
    state = version_state(origin) if origin else State(_shape(mask), 0, GENESIS, {})
    state.stroke_sequence, state.head_hash = 0, GENESIS
    return state


def edited_slices(mask: Mask) -> list[int]:
    """The axial slices on which a mask is not what it began as, in either layer, ascending. No voxel is read."""
    origin = _origin(mask)
    manifests = {layer: manifest_digests(origin, layer) for layer in LAYERS} if origin else {}
    began = {(layer, z): digest for layer, digests in manifests.items() for z, digest in enumerate(digests) if digest}
    now = {(layer, z): digest for layer, z, digest in mask.head_slices.values_list("layer", "z", "sha256")}
    return sorted({place[1] for place in began.keys() | now.keys() if began.get(place) != now.get(place)})


def state_at(mask: Mask, sequence: int) -> State:
    """A mask after its stroke number `sequence` (0: as it began); from the nearest state that is stored.

    Raises Stroke.DoesNotExist when the mask has no such stroke.
    """
    last = Stroke.objects.only("hash").get(mask=mask, stroke_sequence=sequence) if sequence else None
    stored = (mask.versions, mask.checkpoints)
    below = _nearest([kind.filter(stroke_sequence__lte=sequence).order_by("-stroke_sequence") for kind in stored], -1)
    above = _nearest([kind.filter(stroke_sequence__gte=sequence).order_by("stroke_sequence") for kind in stored], 1)
    floor = below.stroke_sequence if below else 0
    ceiling = above.stroke_sequence if above else mask.stroke_sequence
    if sequence - floor <= ceiling - sequence and (below or sequence < mask.stroke_sequence):
        state = _stored_state(below, "") if below else base_state(mask)
    else:
        state = _stored_state(above, "") if above else head_state(mask)
        floor = state.stroke_sequence
    _replay(mask, state, floor, sequence)
    state.stroke_sequence, state.head_hash = sequence, last.hash if last else GENESIS
    return state


def _nearest(kinds: list[Any], sense: int) -> Version | Checkpoint | None:
    """The first of each query, and of those the one whose place in the log comes first in a `sense`."""
    found = [first for query in kinds if (first := query.select_related("mask__scan").first())]
    return min(found, key=lambda stored: sense * stored.stroke_sequence, default=None)


def _shape(mask: Mask) -> tuple[int, int, int]:
    nz, ny, nx = mask.scan.shape_zyx
    return nz, ny, nx


def _replay(mask: Mask, state: State, start: int, end: int) -> None:
    """Bring a state from after stroke `start` to after stroke `end`, forwards or backwards; only touched slices."""
    low, high = min(start, end), max(start, end)
    strokes = Stroke.objects.filter(mask=mask, applied=True, stroke_sequence__gt=low, stroke_sequence__lte=high)
    held: dict[Place, NDArray[np.uint8]] = {}
    ordered = strokes.order_by("stroke_sequence" if end >= start else "-stroke_sequence")
    for layer, stored in ordered.values_list("layer", "payload").iterator(500):
        delta = decode_delta(decompressed(stored), state.shape_zyx)
        for runs in delta if end >= start else invert_runs(delta):
            place = (layer, runs.z)
            if place not in held:
                held[place] = state.slice(*place)
            apply_runs(held[place], runs)
    for place, voxels in held.items():
        if voxels.any():
            state.frames[place] = encode_slice(voxels)
        else:
            state.frames.pop(place, None)


@dataclass(frozen=True)
class Chapter:
    """One mask of a lineage: whose it is, and after which of its strokes the next one took over (or its head)."""

    mask: Mask
    end_sequence: int
    end_version: Version | None


def chapters_of(mask: Mask) -> list[Chapter]:
    """The masks that a mask came from, oldest first, itself last."""
    chapters = [Chapter(mask, mask.stroke_sequence, None)]
    version = mask.forked_from
    while version is not None:
        chapters.append(Chapter(version.mask, version.stroke_sequence, version))
        version = version.mask.forked_from
    return chapters[::-1]


def strokes_of(chapter: Chapter) -> Any:
    """The applied strokes of a chapter in order, as a query."""
    return Stroke.objects.filter(mask=chapter.mask, applied=True, stroke_sequence__lte=chapter.end_sequence).order_by(
        "stroke_sequence"
    )


@dataclass(frozen=True)
class VoxelEvent:
    """One change of one voxel."""

    mask: Mask
    stroke: Stroke | None
    """None: it was so when the mask began."""
    old: int
    new: int


def voxel_history(mask: Mask, layer: str, voxel_xyz: tuple[int, int, int]) -> list[VoxelEvent]:
    """Every change of a voxel through the lineage, oldest first."""
    x, y, z = voxel_xyz
    shape = _shape(mask)
    flat = y * shape[2] + x
    chapters = chapters_of(mask)
    found: list[VoxelEvent] = []
    first = int(base_state(chapters[0].mask).slice(layer, z).flat[flat])
    if first:
        found.append(VoxelEvent(chapters[0].mask, None, 0, first))
    for chapter in chapters:
        touching = strokes_of(chapter).filter(layer=layer).filter(_touches(z)).select_related("reader")
        for stroke in touching.iterator(500):
            for runs in decode_delta(payload_of(stroke), shape):
                if runs.z != z:
                    continue
                at = int(np.searchsorted(runs.start, flat, side="right")) - 1
                if at >= 0 and flat < runs.start[at] + runs.length[at]:
                    found.append(VoxelEvent(chapter.mask, stroke, int(runs.old[at]), int(runs.new[at])))
    return found


def _touches(z: int) -> Q:
    return Q(z_first__isnull=True) | Q(z_first__lte=z, z_last__gte=z)


def provenance_map(mask: Mask, layer: str) -> tuple[list[Chapter], dict[int, NDArray[np.uint8]]]:
    """Who last set each voxel that is not 0 now: by z, uint8 yx, index + 1 into the chapters; 0 where nothing is.

    Undoing a stroke gives its voxels back to whoever had them before, and redoing takes them again.
    """
    shape = _shape(mask)
    chapters = chapters_of(mask)
    owners: dict[int, NDArray[np.uint8]] = {}
    first = base_state(chapters[0].mask)
    for place in first.frames:
        if place[0] == layer:
            owners[place[1]] = (first.slice(*place) != 0).astype(np.uint8)
    for number, chapter in enumerate(chapters):
        strokes = strokes_of(chapter).filter(layer=layer)
        # Who had the voxels before is remembered of what will be undone, and of nothing else: masks see many strokes.
        undone = set(strokes.exclude(undoes=None).values_list("undoes_id", flat=True))
        before: dict[Any, dict[int, NDArray[np.uint8]]] = {}
        for stroke in strokes.iterator(500):
            given_back = before.pop(stroke.undoes_id, {}) if stroke.undoes_id else {}
            for runs in decode_delta(payload_of(stroke), shape):
                owner = owners.setdefault(runs.z, np.zeros(shape[1:], np.uint8)).reshape(-1)
                flat = _voxels(runs)
                if stroke.pk in undone:
                    before.setdefault(stroke.pk, {})[runs.z] = owner[flat]
                # An undo is the exact inverse of its stroke: the same voxels in the same order.
                owner[flat] = given_back.get(runs.z, number + 1)
    head = head_state(mask)
    for z, owner in owners.items():
        owner[head.slice(layer, z) == 0] = 0
    return chapters, {z: owner for z, owner in owners.items() if owner.any()}


def _voxels(runs: SliceRuns) -> NDArray[np.int64]:
    """Flat indices of the voxels of runs, in order."""
    ends = np.cumsum(runs.length)
    return np.arange(int(ends[-1])) + np.repeat(runs.start - (ends - runs.length), runs.length)


def delta_to(mask: Mask, wanted: State, layer: str) -> list[SliceRuns]:
    """What turns the working state of a layer into a wanted one; only slices whose content differs are decoded."""
    head = head_state(mask)
    found = []
    for z in range(wanted.shape_zyx[0]):
        if head.frames.get((layer, z)) != wanted.frames.get((layer, z)):
            runs = slice_runs(z, head.slice(layer, z), wanted.slice(layer, z))
            if runs:
                found.append(runs)
    return found


@dataclass(frozen=True)
class LayerDifference:
    """Two states of one layer compared, in voxels: what both hold, and what only one of them does."""

    both: int
    only_a: int
    only_b: int
    slices: list[tuple[int, int, int, int]]
    """(z, both, only a, only b) of each slice that either holds."""
    a_by_label: dict[int, int]
    b_by_label: dict[int, int]
    both_by_label: dict[int, int]

    @property
    def dice(self) -> float | None:
        """Dice = 2 TP / (2 TP + FP + FN) (science.md 3); None where both are empty."""
        total = 2 * self.both + self.only_a + self.only_b
        return 2 * self.both / total if total else None


def layer_difference(a: State, b: State, layer: str, values: list[int]) -> LayerDifference:
    """Compare the presence of any of `values` in a layer of two states of one scan."""
    wanted = np.zeros(256, bool)
    wanted[values] = True
    slices = []
    by_label = [np.zeros(256, np.int64) for _ in range(3)]
    for z in _slices_of(a, b, layer):
        one, other = a.slice(layer, z), b.slice(layer, z)
        for table, counted in zip(by_label, (one, other, one[one == other]), strict=True):
            table += np.bincount(counted.reshape(-1), minlength=256)
        in_a, in_b = wanted[one], wanted[other]
        both = int((in_a & in_b).sum())
        only_a, only_b = int(in_a.sum()) - both, int(in_b.sum()) - both
        if both or only_a or only_b:
            slices.append((z, both, only_a, only_b))
    sums = np.array([row[1:] for row in slices], np.int64).reshape(-1, 3).sum(axis=0)
    tables = [{int(v): int(table[v]) for v in np.flatnonzero(table) if v} for table in by_label]
    return LayerDifference(int(sums[0]), int(sums[1]), int(sums[2]), slices, *tables)


def _slices_of(a: State, b: State, layer: str) -> Iterator[int]:
    yield from sorted({z for state in (a, b) for name, z in state.frames if name == layer})


def extent_of(state: State, lesion_values: list[int], not_lung_values: list[int]) -> float | None:
    """Extent in percent (science.md 2): 100 x lesion inside lung / lung; None where there is no lung."""
    lesion, not_lung = np.zeros(256, bool), np.zeros(256, bool)
    lesion[lesion_values], not_lung[not_lung_values] = True, True
    lung_voxels = lesion_voxels = 0
    for z in sorted({z for name, z in state.frames if name == "anatomy"}):
        inside = state.slice("anatomy", z) != 0
        findings = state.slice("findings", z)
        lung_voxels += int((inside & ~not_lung[findings]).sum())
        lesion_voxels += int((inside & lesion[findings]).sum())
    return 100 * lesion_voxels / lung_voxels if lung_voxels else None
