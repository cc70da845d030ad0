"""In a worker of these tests: an algorithm that looks at a scan until the file `go` is in the folder SLOW_DRAFTS, and
hangs while `hang` is. A worker that finds `impatient` there when it starts ends itself after seconds of that."""

import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from inference.baseline import Segmentation
from inference.segmenting.algorithms import Algorithm
from webapp.algorithms import tasks


def segment(volume: Any, progress: Any) -> Segmentation:
    """Report a little more each time, at most 0.9; the mask is empty."""
    folder = Path(os.environ["SLOW_DRAFTS"])
    for step in range(100_000):
        progress(min(0.1 + step / 1000, 0.9), "Looking")
        while (folder / "hang").exists():
            time.sleep(0.05)
        if (folder / "go").exists():
            break
        time.sleep(0.05)
    empty = np.zeros(volume.shape_zyx, np.uint8)
    return Segmentation(empty, empty)


def loaded(algorithm: Any) -> Algorithm:
    """That, whatever is asked for."""
    return Algorithm("slow", "1", segment, needs_hu=False)


tasks.REPORT_EVERY_S = 0.1
if Path(os.environ["SLOW_DRAFTS"], "impatient").exists():
    tasks.SILENT_AFTER_S = 4.0
tasks.loaded = loaded
