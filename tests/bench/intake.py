"""How fast scans come in: the command, C-STORE, the memory of a long series; Orthanc takes the same files where it is.

Every round sends a series that nobody has seen: the same voxels under other UIDs. Ours decodes, checks, de-identifies,
packs and files; a round of `ingest` ends when the scan is in the archive. C-STORE is timed as its sender sees it, from
its first image to its last acknowledgement, and until the scan is filed.
"""

import contextlib
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil

from inference.phantoms import write_dicom_series
from inference.phantoms.chest import Phantom
from tests.bench.figures import median
from tests.bench.filing import noisy_phantom
from tests.bench.memory import Watch, pss_bytes
from tests.bench.subjects import say
from tests.journeys.senders import TITLE, listening, wait_until_filed
from tests.journeys.site import Site

SLICES, LONG = 300, 1500
SLUG = "bench-intake"
EVERY_S = 0.1
PATIENCE_S = 600


def _held_by_the_command() -> int:
    """Bytes that the ingest command and the processes that it started hold."""
    held = 0
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error, OSError):
            if any("ingest" in one.cmdline()[:4] for one in (child, *child.parents())):
                held += pss_bytes(child.pid)
    return held


def _series(phantom: Phantom, folder: Path, name: str) -> Path:
    write_dicom_series(phantom, folder / name, patient_id=f"BENCH-{name}", patient_name=f"Bench^{name}")
    return folder / name


def _storescu() -> str | None:
    return shutil.which("storescu", path="/usr/bin:/usr/local/bin")


def _store_s(folder: Path, port: int, title: str) -> float | None:
    """Seconds that DCMTK's storescu takes for a folder; None where it is not installed."""
    program = _storescu()
    if not program:
        return None
    began = time.monotonic()
    done = subprocess.run(
        [program, "-aec", title, "+sd", "127.0.0.1", str(port), str(folder)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return time.monotonic() - began


def _command_s(site: Site, folder: Path) -> float:
    began = time.monotonic()
    done = site.ingest(folder, slug=SLUG)
    seconds = time.monotonic() - began
    assert "1 accepted, 0 refused" in done.stdout, done.stdout
    return seconds


def _python_s(site: Site) -> float:
    """What any command of ours takes before it does a thing."""
    began = time.monotonic()
    site.manage("ingest", "--help")
    return time.monotonic() - began


def measure(site: Site, runs: int) -> dict[str, Any]:
    """Ours alone."""
    site.furnish(SLUG, "coordinator", draft=False)
    raw: dict[str, Any] = {"command_s": [], "start_s": [], "store_s": [], "store_filed_s": []}
    with tempfile.TemporaryDirectory(prefix="groundglass-bench-intake-") as home:
        phantom = noisy_phantom(SLICES)
        for run in range(runs):
            folder = _series(phantom, Path(home), f"command-{run}")
            raw["start_s"].append(_python_s(site))
            raw["command_s"].append(_command_s(site, folder))
            say(f"{SLICES} files by the command, {run + 1} of {runs}: {raw['command_s'][-1]:.2f} s")
            shutil.rmtree(folder)
        for run in range(runs):
            slug = f"{SLUG}-{run}"
            site.furnish(slug, "coordinator", draft=False)
            folder = _series(phantom, Path(home), f"sent-{run}")
            with listening(site, slug) as listener:
                began = time.monotonic()
                seconds = _store_s(folder, listener.port, TITLE)
                if seconds is None:
                    break
                wait_until_filed(site, slug)
                raw["store_filed_s"].append(time.monotonic() - began)
            raw["store_s"].append(seconds)
            say(f"{SLICES} files by storescu, {run + 1} of {runs}: {seconds:.2f} s")
            shutil.rmtree(folder)
        say(f"the memory of {LONG} slices ...")
        folder = _series(noisy_phantom(LONG), Path(home), "long")
        with Watch(_held_by_the_command, EVERY_S) as watch:
            raw["long_s"] = _command_s(site, folder)
        raw["long_peak_bytes"] = watch.peak
    return raw


def beside_orthanc(site: Site, rest: str, dicom_port: int, runs: int) -> dict[str, Any]:
    """Ours and Orthanc in turns with the same files."""
    raw: dict[str, Any] = {who: [] for who in ("command_s", "store_s", "orthanc_rest_s", "orthanc_store_s")}
    site.furnish(SLUG, "coordinator", draft=False)
    phantom = noisy_phantom(SLICES)
    with tempfile.TemporaryDirectory(prefix="groundglass-bench-intake-") as home:
        for run in range(runs):
            slug = f"{SLUG}-{run}"
            site.furnish(slug, "coordinator", draft=False)
            folder = _series(phantom, Path(home), f"command-{run}")
            raw["command_s"].append(_command_s(site, folder))
            began = time.monotonic()
            for path in sorted(folder.iterdir()):
                request = urllib.request.Request(f"{rest}/instances", data=path.read_bytes(), method="POST")
                urllib.request.urlopen(request, timeout=60).close()
            raw["orthanc_rest_s"].append(time.monotonic() - began)
            shutil.rmtree(folder)
            folder = _series(phantom, Path(home), f"sent-{run}")
            with listening(site, slug) as listener:
                raw["store_s"].append(_store_s(folder, listener.port, TITLE))
                wait_until_filed(site, slug)  # its work is not Orthanc's burden
            raw["orthanc_store_s"].append(_store_s(folder, dicom_port, "ORTHANC"))
            shutil.rmtree(folder)
            say(f"intake {run + 1} of {runs}: {', '.join(f'{k} {v[-1]:.2f}' for k, v in raw.items() if v[-1])}")
    return raw


def per_second(seconds: list[float]) -> float:
    """Images a second at the median of the rounds."""
    return SLICES / median(seconds)
