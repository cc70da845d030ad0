"""Voxel deltas: what a stroke changed, slice by slice, as runs of (old label, new label).

GGD1 bytes: b"GGD1", varint number of slices; for each slice, z ascending: varint z minus the previous z (the
first: z itself), varint number of runs; for each run, ascending: varint gap from the end of the previous run
(the first: its start), varint length, byte old label, byte new label. Varints are LEB128, the shortest form.
The flat index in a slice is y * nx + x. Neighbouring runs of one kind are merged, so that one change has one
encoding and one hash. Decoding trusts nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAGIC = b"GGD1"
# A threshold in the middle of the noise of a lung over 1,500 slices: the browser refuses more before it is painted.
MAX_BYTES = 32 * 1024 * 1024
MAX_VARINT_BYTES = 5
# From here on reading all numbers at once is faster than one by one.
MANY_BYTES = 2048
# So much at once, that a long delta needs no many times its own size of memory.
BLOCK_BYTES = 1 << 20


class DeltaError(ValueError):
    """A delta that is malformed, out of bounds or too large; the text is a sentence for people."""


class DeltaConflict(ValueError):
    """A delta whose old labels are not those of the slice; the slice was left unchanged."""


@dataclass(frozen=True, eq=False)
class SliceRuns:
    """What changed on slice z: runs from `start` (flat y * nx + x), `length` long, `old` to `new`."""

    z: int
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    old: NDArray[np.uint8]
    new: NDArray[np.uint8]

    @property
    def voxel_count(self) -> int:
        """How many voxels change on this slice."""
        return int(self.length.sum())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SliceRuns):
            return NotImplemented
        return (
            self.z == other.z
            and np.array_equal(self.start, other.start)
            and np.array_equal(self.length, other.length)
            and np.array_equal(self.old, other.old)
            and np.array_equal(self.new, other.new)
        )

    __hash__ = None  # type: ignore[assignment]


def slice_runs(z: int, old_slice: NDArray[np.uint8], new_slice: NDArray[np.uint8]) -> SliceRuns | None:
    """The runs that turn one uint8 slice into another; None when nothing differs."""
    if old_slice.shape != new_slice.shape:
        raise DeltaError("The two slices differ in size.")
    old, new = np.ascontiguousarray(old_slice).reshape(-1), np.ascontiguousarray(new_slice).reshape(-1)
    where = np.flatnonzero(old != new)
    if where.size == 0:
        return None
    before, after = old[where], new[where]
    breaks = (np.diff(where) != 1) | (np.diff(before) != 0) | (np.diff(after) != 0)
    first = np.concatenate(([0], np.flatnonzero(breaks) + 1))
    length = np.diff(np.concatenate((first, [where.size])))
    return SliceRuns(
        int(z),
        where[first].astype(np.int64),
        length.astype(np.int64),
        before[first].copy(),
        after[first].copy(),
    )


def delta_between(old_zyx: NDArray[np.uint8], new_zyx: NDArray[np.uint8]) -> list[SliceRuns]:
    """The runs that turn one uint8 mask (zyx) into another, z ascending; empty when they are equal."""
    if old_zyx.shape != new_zyx.shape:
        raise DeltaError("The two masks differ in size.")
    runs = (slice_runs(z, old_zyx[z], new_zyx[z]) for z in range(old_zyx.shape[0]))
    return [found for found in runs if found is not None]


def apply_runs(slice_yx: NDArray[np.uint8], runs: SliceRuns) -> None:
    """Apply runs to a uint8 slice in place.

    Raises DeltaError when a run reaches beyond the slice and DeltaConflict when a voxel's present label is
    not the run's old label; the slice is then unchanged.
    """
    if not slice_yx.flags.c_contiguous or slice_yx.dtype != np.uint8:
        raise DeltaError("Runs are applied to uint8 slices in C order.")
    flat = slice_yx.reshape(-1)
    if runs.start.size and (runs.start.min() < 0 or int((runs.start + runs.length).max()) > flat.size):
        raise DeltaError(f"The delta reaches beyond slice {runs.z + 1}.")
    offsets = np.cumsum(runs.length) - runs.length
    index = np.arange(runs.voxel_count) + np.repeat(runs.start - offsets, runs.length)
    wrong = int(np.count_nonzero(flat[index] != np.repeat(runs.old, runs.length)))
    if wrong:
        raise DeltaConflict(f"{wrong} of {index.size} voxels on slice {runs.z + 1} are not what the stroke expected.")
    flat[index] = np.repeat(runs.new, runs.length)


def apply_delta(mask_zyx: NDArray[np.uint8], delta: Sequence[SliceRuns]) -> None:
    """Apply a delta to a whole uint8 mask (zyx) in place, all of it or nothing."""
    changed = []
    for runs in delta:
        if not 0 <= runs.z < mask_zyx.shape[0]:
            raise DeltaError(f"The delta names slice {runs.z + 1} of {mask_zyx.shape[0]}.")
        work = mask_zyx[runs.z].copy()
        apply_runs(work, runs)
        changed.append((runs.z, work))
    for z, work in changed:
        mask_zyx[z] = work


def invert_runs(delta: Sequence[SliceRuns]) -> list[SliceRuns]:
    """The delta that takes this one back: old and new labels change places."""
    return [SliceRuns(runs.z, runs.start, runs.length, runs.new, runs.old) for runs in delta]


def encode_delta(delta: Sequence[SliceRuns]) -> bytes:
    """GGD1 bytes of a delta; raises DeltaError when it is empty or not in canonical order."""
    if not delta:
        raise DeltaError("A delta that changes nothing is not recorded.")
    parts = [MAGIC, _varints(np.array([len(delta)]))]
    size, previous_z = len(MAGIC), -1
    for runs in delta:
        _check_canonical(runs, previous_z)
        parts.append(_encoded_runs(runs, runs.z - max(previous_z, 0)))
        size += len(parts[-1])
        if size > MAX_BYTES:
            raise DeltaError(f"The delta is larger than {MAX_BYTES} bytes.")
        previous_z = runs.z
    return b"".join(parts)


def delta_parts(delta: Sequence[SliceRuns], most_bytes: int) -> list[list[SliceRuns]]:
    """The same change in pieces of whole slices, each of at most `most_bytes` when encoded, or of one slice."""
    parts: list[list[SliceRuns]] = []
    room = 0
    for runs in delta:
        size = len(_encoded_runs(runs, runs.z))
        if not parts or size > room:
            parts.append([])
            room = most_bytes
        parts[-1].append(runs)
        room -= size
    return parts


def _encoded_runs(runs: SliceRuns, z_step: int) -> bytes:
    ends = runs.start + runs.length
    table = np.empty((runs.start.size, 4), np.int64)
    table[:, 0] = runs.start - np.concatenate(([0], ends[:-1]))
    table[:, 1], table[:, 2], table[:, 3] = runs.length, runs.old, runs.new
    head = _varints(np.array([z_step, runs.start.size]))
    return head + _varints(table.reshape(-1), np.tile([False, False, True, True], runs.start.size))


def _varints(values: NDArray[np.int64], plain: NDArray[np.bool_] | None = None) -> bytes:
    """LEB128 of each value, one after the other; those that are `plain` are single bytes as they are."""
    width = np.ones(values.size, np.int64)
    for count in range(1, MAX_VARINT_BYTES):
        width += values >= 1 << (7 * count)
    if plain is not None:
        width[plain] = 1
    at = np.cumsum(width) - width
    out = np.empty(int(width.sum()), np.uint8)
    for count in range(int(width.max())):
        held = width > count
        byte = values[held] >> (7 * count)
        more = width[held] > count + 1
        byte = np.where(more, byte & 0x7F | 0x80, byte)
        out[at[held] + count] = byte.astype(np.uint8)
    return out.tobytes()


def _check_canonical(runs: SliceRuns, previous_z: int) -> None:
    if runs.z <= previous_z:
        raise DeltaError("The slices of a delta must ascend.")
    sizes = {runs.start.size, runs.length.size, runs.old.size, runs.new.size}
    if len(sizes) != 1 or not runs.start.size or runs.start[0] < 0 or (runs.length < 1).any():
        raise DeltaError(f"Slice {runs.z + 1} of the delta has no proper runs.")
    if (runs.old == runs.new).any():
        raise DeltaError(f"A run on slice {runs.z + 1} changes nothing.")
    gap = runs.start[1:] - (runs.start + runs.length)[:-1]
    same = (runs.old[1:] == runs.old[:-1]) & (runs.new[1:] == runs.new[:-1])
    if (gap < 0).any() or ((gap == 0) & same).any():
        raise DeltaError(f"The runs on slice {runs.z + 1} overlap or should be merged.")


def decode_delta(payload: bytes, shape_zyx: tuple[int, int, int]) -> list[SliceRuns]:
    """The delta in GGD1 bytes, checked against the mask's shape; raises DeltaError on anything else."""
    if len(payload) > MAX_BYTES:
        raise DeltaError(f"The delta is larger than {MAX_BYTES} bytes.")
    if payload[:4] != MAGIC:
        raise DeltaError("These bytes are not a voxel delta.")
    nz, ny, nx = shape_zyx
    if len(payload) >= MANY_BYTES and (quick := _decode_quickly(payload, nz, ny * nx)):
        return quick
    slice_count, at = _take(payload, 4)
    if not 1 <= slice_count <= nz:
        raise DeltaError(f"The delta names {slice_count} slices; the mask has {nz}.")
    delta: list[SliceRuns] = []
    z = 0
    for number in range(slice_count):
        step, at = _take(payload, at)
        if number and step == 0:
            raise DeltaError("The slices of a delta must ascend.")
        z += step
        if z >= nz:
            raise DeltaError(f"The delta names slice {z + 1}; the mask has {nz}.")
        runs, at = _take_runs(payload, at, z, ny * nx)
        delta.append(runs)
    if at != len(payload):
        raise DeltaError("There are bytes after the end of the delta.")
    return delta


def _take_runs(payload: bytes, at: int, z: int, slice_size: int) -> tuple[SliceRuns, int]:
    run_count, at = _take(payload, at)
    # A run takes four bytes at least: a count beyond that is a lie and must not allocate anything.
    if not 1 <= run_count <= min(slice_size, (len(payload) - at) // 4):
        raise DeltaError(f"Slice {z + 1} of the delta does not hold {run_count} runs.")
    rows: list[tuple[int, int, int, int]] = []
    end = 0
    kind = (-1, -1)
    for _ in range(run_count):
        gap, at = _take(payload, at)
        length, at = _take(payload, at)
        if at + 2 > len(payload):
            raise DeltaError("The delta ends in the middle of a run.")
        old, new = payload[at], payload[at + 1]
        at += 2
        start = end + gap
        end = start + length
        if length < 1 or end > slice_size:
            raise DeltaError(f"A run reaches beyond slice {z + 1}.")
        if old == new:
            raise DeltaError(f"A run on slice {z + 1} changes nothing.")
        if gap == 0 and (old, new) == kind:
            raise DeltaError(f"Two runs on slice {z + 1} should be one.")
        kind = (old, new)
        rows.append((start, length, old, new))
    start_, length_, old_, new_ = np.array(rows, dtype=np.int64).T
    return SliceRuns(z, start_.copy(), length_.copy(), old_.astype(np.uint8), new_.astype(np.uint8)), at


def _decode_quickly(payload: bytes, nz: int, slice_size: int) -> list[SliceRuns] | None:
    """The same as number by number, with all numbers read at once; None for whatever is not plainly in order.

    A byte below 128 ends a number. That holds for labels too as long as they lie below 128: the first one that does
    not makes its number two bytes long, which no label is, so nothing is ever read otherwise than byte by byte.
    """
    raw = np.frombuffer(payload, np.uint8, offset=len(MAGIC))
    values: list[NDArray[np.int32]] = []
    single: list[NDArray[np.bool_]] = []
    at = 0
    while at < raw.size:
        block = raw[at : at + BLOCK_BYTES]
        ends = np.flatnonzero(block < 0x80)
        if not ends.size:
            return None
        at += int(ends[-1]) + 1
        width = np.diff(ends, prepend=-1)
        # Nothing in a delta of voxels needs more than 28 bits; a last byte of 0 is not the shortest form.
        if width.max() >= MAX_VARINT_BYTES or (block[ends[width > 1]] == 0).any():
            return None
        numbers = block[ends].astype(np.int32)
        for count in range(1, int(width.max())):
            longer = np.flatnonzero(width > count)
            numbers[longer] = (numbers[longer] << 7) | (block[ends[longer] - count] & 0x7F)
        values.append(numbers)
        single.append(width == 1)
    if not values:
        return None
    return _slices_of(np.concatenate(values), np.concatenate(single), nz, slice_size)


def _slices_of(
    values: NDArray[np.int32], single: NDArray[np.bool_], nz: int, slice_size: int
) -> list[SliceRuns] | None:
    """The slices in the numbers of a delta (which were `single` bytes?); None when anything is not canonical."""
    delta: list[SliceRuns] = []
    z, at = 0, 1
    for number in range(int(values[0])):
        if at + 2 > values.size:
            return None
        step, run_count = int(values[at]), int(values[at + 1])
        at += 2
        z += step
        if (number and step == 0) or z >= nz or run_count < 1 or at + 4 * run_count > values.size:
            return None
        table = values[at : at + 4 * run_count].reshape(-1, 4)
        if not single[at : at + 4 * run_count].reshape(-1, 4)[:, 2:].all():
            return None
        gap, length = table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
        end = np.cumsum(gap + length)
        same = (gap[1:] == 0) & (table[1:, 2] == table[:-1, 2]) & (table[1:, 3] == table[:-1, 3])
        if (length < 1).any() or end[-1] > slice_size or (table[:, 2] == table[:, 3]).any() or same.any():
            return None
        delta.append(SliceRuns(z, end - length, length, table[:, 2].astype(np.uint8), table[:, 3].astype(np.uint8)))
        at += 4 * run_count
    return delta if delta and at == values.size else None


def _take(payload: bytes, at: int) -> tuple[int, int]:
    value = 0
    for count in range(MAX_VARINT_BYTES):
        if at >= len(payload):
            raise DeltaError("The delta ends in the middle of a number.")
        byte = payload[at]
        at += 1
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            if byte == 0 and count:
                raise DeltaError("A number in the delta is not in its shortest form.")
            return value, at
    raise DeltaError("A number in the delta is too large.")
