"""Figures of the mask store, printed: `.venv/bin/pytest -s tests/bench/history.py`. Not collected by the tests.

A mask of 600 slices of 512 x 512 with two lungs and a lesion, a version of it, and some 2,000 strokes after that.
"""

import dataclasses
import hashlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from inference.imaging.delta import SliceRuns, encode_delta
from tests.factories.sites import Tab, a_reading, a_workplace
from webapp.masks.actions import cut_version
from webapp.masks.history import head_state, provenance_map, state_at, version_state, voxel_history
from webapp.masks.models import HeadSlice, Mask, Stroke

pytestmark = pytest.mark.django_db

SHAPE = (600, 512, 512)
STROKES = 2000


def timed(name: str, work: Callable[[], Any], runs: int = 3) -> Any:
    """Run some times, print the median in milliseconds, give the last result."""
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        result = work()
        taken.append(1000 * (time.perf_counter() - began))
    print(f"{name:<58}{sorted(taken)[len(taken) // 2]:>10.0f} ms")
    return result


def disc(radius: int, centre: tuple[int, int]) -> list[tuple[int, int]]:
    """Runs (start, length) of a filled disc on a 512 x 512 slice."""
    y0, x0 = centre
    rows = []
    for y in range(y0 - radius, y0 + radius + 1):
        half = int((radius**2 - (y - y0) ** 2) ** 0.5)
        rows.append((y * 512 + x0 - half, 2 * half + 1))
    return rows


def runs_on(z: int, rows: list[tuple[int, int]], old: int, new: int) -> SliceRuns:
    """A slice's part of a delta: the same change on every run."""
    start, length = np.array(rows, np.int64).T
    ones = np.ones(len(rows), np.uint8)
    return SliceRuns(z, start, length, ones * old, ones * new)


def test_figures() -> None:
    place = a_workplace()
    reading = a_reading(place)
    scan = reading.mask.scan
    scan.shape_zyx = list(SHAPE)
    scan.save()
    HeadSlice.objects.filter(mask=reading.mask).delete()
    Mask.objects.filter(pk=reading.mask_id).update(forked_from=None)
    reading.mask.refresh_from_db()
    tab = Tab(reading, reading.reader)
    print()

    def send(layer: str, delta: list[SliceRuns]) -> None:
        payload = encode_delta(delta)
        blank = np.zeros((1, 1, 1), np.uint8)
        stroke = tab.stroke(blank, blank + 1, layer=layer)
        sent = dataclasses.replace(stroke, payload=payload, payload_sha256=hashlib.sha256(payload).hexdigest())
        assert [a.status for a in tab.send(sent)] == ["applied"]

    lung = disc(100, (256, 140)), disc(100, (256, 372))
    timed(
        "one stroke over 600 slices (a lung)",
        lambda: send("anatomy", [runs_on(z, lung[0], 0, 1) for z in range(600)]),
        1,
    )
    timed("another (the other lung)", lambda: send("anatomy", [runs_on(z, lung[1], 0, 2) for z in range(600)]), 1)
    send("findings", [runs_on(z, disc(30, (300, 140)), 0, 1) for z in range(100, 400)])
    version = cut_version(mask=reading.mask, reason="submit", by=reading.reader)
    roll = np.random.default_rng(1)
    spots = [(int(z), int(y), int(x)) for z, y, x in zip(
        roll.integers(0, 600, STROKES), np.arange(STROKES) // 46 * 11 + 6, np.arange(STROKES) % 46 * 11 + 6, strict=True
    )]  # fmt: skip
    taken = []
    for z, y, x in spots:
        # Clear of the lesion, and apart from one another: what is there is nothing.
        if 100 <= z < 400 and abs(y - 300) < 40 and abs(x - 140) < 40:
            continue
        began = time.perf_counter()
        send("findings", [runs_on(z, disc(5, (y, x)), 0, 3)])
        taken.append(1000 * (time.perf_counter() - began))
    p50, p95 = np.percentile(taken, [50, 95])
    print(f"{'one small stroke, appended (p50 / p95)':<58}{p50:>6.1f} / {p95:.1f} ms")
    reading.mask.refresh_from_db()
    count = reading.mask.stroke_sequence
    sizes = [len(bytes(p)) for p in Stroke.objects.filter(voxel_count__lt=1000).values_list("payload", flat=True)]
    print(f"{'strokes in the log, bytes of a small one (p50)':<58}{count:>6} , {np.percentile(sizes, 50):.0f} B")
    timed("read a version of 600 slices", lambda: version_state(version).container())
    timed("read the working state of 600 slices", lambda: head_state(reading.mask).container())
    timed("read the state in the middle of the strokes", lambda: state_at(reading.mask, count // 2).container(), 1)
    timed("the story of one voxel", lambda: voxel_history(reading.mask, "findings", (140, 300, 200)), 1)
    timed("who set each voxel of the findings", lambda: provenance_map(reading.mask, "findings"), 1)
