"""Figures to a table and a file. What was measured here and what others recorded elsewhere never share a column."""

import json
import os
import platform
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One line: what, ours for each scan, the stock path beside it, the floor, and a note."""

    name: str
    unit: str
    values: dict[str, float]
    stock: float | None = None
    floor: float | None = None
    # The scans that the floor is set for; all that were measured where none is named.
    floor_for: tuple[str, ...] = ()
    note: str = ""

    def missed(self) -> list[str]:
        """The scans whose figure is above the floor."""
        if self.floor is None:
            return []
        held_to = self.floor_for or tuple(self.values)
        return [scan for scan in held_to if self.values.get(scan, 0.0) > self.floor]


@dataclass(frozen=True)
class Recorded:
    """A figure of somebody else that was recorded before, on another machine."""

    name: str
    value: str
    source: str


RECORDED = [
    Recorded("OHIF 3.13.2 on Orthanc, stack view: first image", "4.3 to 4.8 s", "2 cores, same scan, fresh profile"),
    Recorded("OHIF 3.13.2 on Orthanc, stack view: last of 248", "21.8 s", "2 cores, same scan, fresh profile"),
    Recorded("OHIF 3.13.2 on Orthanc, MPR of segmentation: first", "4.2 s", "2 cores, same scan, fresh profile"),
    Recorded("OHIF 3.13.2 on Orthanc, MPR of segmentation: last", "12.0 s", "2 cores, same scan, fresh profile"),
    Recorded("Orthanc 1.10.1, storescu of 248 files", "12.7 s", "2 cores, same scan"),
    Recorded("Orthanc 1.10.1, REST, one curl a file", "4.2 s", "2 cores, same scan"),
    Recorded("Siemens CT Pneumonia Analysis, quantification", "10 s", "published"),
]


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(percent / 100 * len(ordered) + 0.5) - 1))]


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return float(statistics.median(values))


def shown(value: float | None) -> str:
    """A figure for people."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def print_table(figures: Sequence[Figure], scans: Sequence[str]) -> None:
    """The measured figures with their floors, and beneath them the recorded ones, labelled so."""
    print("\nMeasured here, now, on this machine; ours by slices of the scan, the stock path on the first")
    heads = "".join(f"{scan:>9}" for scan in scans)
    print(f"{'':<44}{heads}{'stock':>9}  {'unit':<9}{'floor':>7}  ")
    for figure in figures:
        cells = "".join(f"{shown(figure.values.get(scan)):>9}" for scan in scans)
        missed = figure.missed()
        verdict = "" if figure.floor is None else f"MISSED ({', '.join(missed)})" if missed else "kept"
        tail = "  ".join(text for text in (verdict, figure.note) if text)
        print(f"{figure.name:<44}{cells}{shown(figure.stock):>9}  {figure.unit:<9}{shown(figure.floor):>7}  {tail}")
    print("\nRecorded elsewhere (not measured in this run)")
    for peer in RECORDED:
        print(f"{peer.name:<56}{peer.value:>14}  {peer.source}")


def print_pauses(uses: dict[str, dict[str, Any]]) -> None:
    """What each region tool cost: seconds until its voxels were there, the longest blocks of the page, its stroke."""
    print("\nRegion tools: seconds until applied, longest block while working and afterwards (ms)")
    parts = "".join(f"{part:>8}{'work':>6}{'then':>6}" for part in ("do", "undo", "redo"))
    print(f"{'':<44}{parts}{'saved s':>9}{'stroke kB':>11}")
    for name, use in uses.items():
        cells = "".join(f"{p['applied_s']:>8.2f}{p['working_ms']:>6.0f}{p['after_ms']:>6.0f}" for p in use.values())
        done = use["do"]
        stroke = f"{done['committed_s']:>9.2f}{done['stroke_bytes'] / 1000:>11,.1f}" if done["stroke_bytes"] else ""
        print(f"{name:<44}{cells}{stroke}")


def write_results(folder: Path, content: dict[str, Any]) -> Path:
    """The same as JSON, with every single run and what the machine was doing."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    machine = {"cores": os.cpu_count(), "load": os.getloadavg(), "system": platform.platform()}
    path.write_text(json.dumps({"machine": machine, **content}, indent=1))
    return path
