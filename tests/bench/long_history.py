"""Gives a reading a long history, without a browser: `python -m tests.bench.long_history READING STROKES`.

What readers do in weeks, by the mask store's own door: mostly brush strokes on one slice, one in thirty a ball through
many slices, one in a hundred a whole part of the lung, and much of it undone and redone. A process of its own, as
`tests.bench.filing` is.
"""

import hashlib
import os
import sys
import uuid
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.imaging.delta import SliceRuns, apply_runs, encode_delta, invert_runs, slice_runs

SEED = 5
AT_ONCE = 50
LABELS = (0, 1, 1, 1, 2, 3)
BALLS, PARTS, UNDOS, REDOS = 0.03, 0.01, 0.12, 0.05
Voxels = NDArray[np.uint8]


@dataclass
class Pen:
    """Makes strokes that fit one layer (uint8 zyx), and keeps it as the log then has it."""

    layer: Voxels
    roll: np.random.Generator
    done: list[tuple[uuid.UUID, list[SliceRuns]]] = field(default_factory=list)
    undone: list[tuple[uuid.UUID, list[SliceRuns]]] = field(default_factory=list)

    def stroke(self) -> tuple[str, uuid.UUID, uuid.UUID | None, list[SliceRuns]]:
        """The next one: tool, id, what it undoes, delta."""
        kind = self.roll.random()
        if kind < UNDOS and self.done:
            return self._back("undo", self.done, self.undone)
        if kind < UNDOS + REDOS and self.undone:
            return self._back("redo", self.undone, self.done)
        delta: list[SliceRuns] = []
        while not delta:
            delta = self._painted(kind)
        return "brush", self._applied(delta, self.done, keep=self.undone), None, delta

    def _back(
        self, tool: str, source: list[tuple[uuid.UUID, list[SliceRuns]]], to: list[tuple[uuid.UUID, list[SliceRuns]]]
    ) -> tuple[str, uuid.UUID, uuid.UUID | None, list[SliceRuns]]:
        undone, delta = source.pop()
        back = invert_runs(delta)
        return tool, self._applied(back, to, keep=None), undone, back

    def _applied(self, delta: list[SliceRuns], to: list[Any], keep: list[Any] | None) -> uuid.UUID:
        for runs in delta:
            apply_runs(self.layer[runs.z], runs)
        if keep is not None:
            keep.clear()
        name = uuid.UUID(bytes=self.roll.bytes(16), version=4)
        to.append((name, delta))
        return name

    def _painted(self, kind: float) -> list[SliceRuns]:
        nz, ny, nx = self.layer.shape
        value = int(self.roll.choice(LABELS))
        z, y, x = (int(self.roll.integers(n // 8, n - n // 8)) for n in (nz, ny, nx))
        if kind > 1 - PARTS:
            depth, radius = nz // 3, min(ny, nx) // 6
        elif kind > 1 - PARTS - BALLS:
            depth, radius = max(1, nz // 20), max(2, nx // 25)
        else:
            depth, radius = 0, int(self.roll.integers(2, max(3, nx // 50)))
        delta = []
        for at in range(max(0, z - depth), min(nz, z + depth + 1)):
            wide = radius * (1 - ((at - z) / (depth + 1)) ** 2) ** 0.5
            slice_ = self.layer[at].copy()
            rows, columns = np.ogrid[:ny, :nx]
            slice_[(rows - y) ** 2 + (columns - x) ** 2 <= wide**2] = value
            if runs := slice_runs(at, self.layer[at], slice_):
                delta.append(runs)
        return delta


def lengthen(reading_id: str, strokes: int) -> None:
    """Append strokes to the findings of a reading's mask, as its reader in a tab of their own."""
    from django.db import transaction

    from tests.factories.sites import Tab
    from webapp.masks.actions import release_lease
    from webapp.masks.queries import head_layers
    from webapp.readings.models import Reading

    reading = Reading.objects.select_related("mask__scan", "reader").get(pk=reading_id)
    tab = Tab(reading, reading.reader, take_over=True)
    pen = Pen(head_layers(reading.mask)["findings"], np.random.default_rng(SEED))
    blank = np.zeros((1, 1, 1), np.uint8)
    for first in range(0, strokes, AT_ONCE):
        with transaction.atomic():
            batch = []
            for _ in range(first, min(strokes, first + AT_ONCE)):
                tool, name, undoes, delta = pen.stroke()
                payload = encode_delta(delta)
                sha256 = hashlib.sha256(payload).hexdigest()
                batch.append(
                    tab.stroke(
                        blank, blank + 1, id=name, tool=tool, undoes=undoes, payload=payload, payload_sha256=sha256
                    )
                )
            wrong = [answer for answer in tab.send(*batch) if answer.status != "applied"]
            assert not wrong, wrong
    release_lease(mask=reading.mask, tab=tab.id, by=reading.reader)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    import django

    django.setup()
    lengthen(sys.argv[1], int(sys.argv[2]))
