"""A delta applied to stored slices: frame in, frame out, many slices side by side."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from inference.imaging.delta import SliceRuns, apply_runs
from inference.imaging.masks import decode_slice, encode_slice, slice_sha256

# Fewer slices than this are done before a thread has begun.
FEW_SLICES = 8
THREADS = max(2, min(8, os.cpu_count() or 2))


@dataclass(frozen=True)
class EditedSlice:
    """A slice after a delta: its content's name and its zstd frame; both empty where nothing is left on it."""

    z: int
    sha256: str
    data: bytes


def edit_slices(
    frames: Mapping[int, bytes], delta: Sequence[SliceRuns], shape_yx: tuple[int, int]
) -> list[EditedSlice]:
    """Apply a delta to the slices of a layer, given as zstd frames by z; a slice without one is all zero.

    In the delta's order. Raises DeltaConflict, with nothing handed back, when a voxel is not what the delta says.
    """

    def edited(runs: SliceRuns) -> EditedSlice:
        frame = frames.get(runs.z)
        voxels = np.zeros(shape_yx, np.uint8) if frame is None else decode_slice(frame, shape_yx)
        apply_runs(voxels, runs)
        if not voxels.any():
            return EditedSlice(runs.z, "", b"")
        return EditedSlice(runs.z, slice_sha256(voxels), encode_slice(voxels))

    if len(delta) < FEW_SLICES:
        return [edited(runs) for runs in delta]
    # Compression, SHA-256 and numpy let other threads run meanwhile: other readers' requests, too.
    return list(_threads().map(edited, delta))


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    """One small pool for the process: two big strokes at once share it, and small ones never wait for it."""
    return ThreadPoolExecutor(THREADS, thread_name_prefix="slices")
