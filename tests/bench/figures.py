"""Figures to a table and a file. What was measured here and what others recorded elsewhere never share a column."""

import json
import os
import platform
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One line: what, ours, the stock path beside it, and a note. None where there is nothing."""

    name: str
    ours: float | None
    unit: str
    stock: float | None = None
    note: str = ""


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


def print_table(figures: Sequence[Figure]) -> None:
    """The measured figures, and beneath them the recorded ones, labelled so."""
    print("\nMeasured here, now, on this machine")
    print(f"{'':<46}{'ours':>10}{'stock':>10}  {'unit':<6}{'stock/ours':>10}  note")
    for figure in figures:
        ratio = f"{figure.stock / figure.ours:.2f}" if figure.stock and figure.ours else ""
        ours, stock = shown(figure.ours), shown(figure.stock)
        print(f"{figure.name:<46}{ours:>10}{stock:>10}  {figure.unit:<6}{ratio:>10}  {figure.note}")
    print("\nRecorded elsewhere (not measured in this run)")
    for peer in RECORDED:
        print(f"{peer.name:<56}{peer.value:>14}  {peer.source}")


def write_results(folder: Path, figures: Sequence[Figure], raw: dict[str, Any]) -> Path:
    """The same as JSON, with every single run and what the machine was doing."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    machine = {"cores": os.cpu_count(), "load": os.getloadavg(), "system": platform.platform()}
    content = {"machine": machine, "measured": [asdict(f) for f in figures], "raw": raw}
    path.write_text(json.dumps(content, indent=1))
    return path
