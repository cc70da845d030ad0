"""Machines that send: a listener of a test's own, and series for it."""

import atexit
import functools
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pydicom
from pynetdicom import AE
from pynetdicom.sop_class import CTImageStorage

from inference.phantoms import make_phantom, write_dicom_series
from tests.journeys.site import Site, free_port, wait_until

TITLE = "GROUNDGLASS"
# What tells how a batch stands.
STANDING = ("source", "state", "sent_whole", "file_count", "last_arrival_at")
T = TypeVar("T")


class ListenerOf:
    """`manage.py dicom_listener` of a site, for one campaign."""

    def __init__(self, site: Site, slug: str) -> None:
        self.site, self.slug, self.port = site, slug, free_port()
        self.name = f"listener-{slug}"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        arguments = ["dicom_listener", "--port", str(self.port), "--aet", TITLE, "--campaign", self.slug]
        before = self.site.log(self.name).read_text().count("listens at") if self.site.log(self.name).exists() else 0
        self.site.launch(self.name, "manage.py", *arguments)
        wait_until("the listener listens", lambda: self.said().count("listens at") > before)

    def said(self) -> str:
        """What it printed."""
        return self.site.log(self.name).read_text()

    def associate(self, title: str = "CT01") -> Any:
        """A sender's association with it."""
        sender = AE(ae_title=title)
        sender.add_requested_context(CTImageStorage, ["1.2.840.10008.1.2.1"])
        return sender.associate("127.0.0.1", self.port, ae_title=TITLE)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a sender's command line with our address behind it."""
        return subprocess.run(
            [*command, "127.0.0.1", str(self.port)], capture_output=True, text=True, timeout=300, check=False
        )


@contextmanager
def listening(site: Site, slug: str) -> Iterator[ListenerOf]:
    """A started listener, gone afterwards."""
    listener = ListenerOf(site, slug)
    listener.start()
    try:
        yield listener
    finally:
        if listener.name in site.processes:
            site.end(listener.name)


@functools.cache
def long_series(slices: int = 300, seed: int = 9) -> Path:
    """A DICOM series of many small slices."""
    folder = Path(tempfile.mkdtemp(prefix="groundglass-series-"))
    atexit.register(shutil.rmtree, folder, True)
    phantom = make_phantom(seed, shape_zyx=(slices, 64, 64), spacing_zyx_mm=(280 / slices, 5.6, 5.2))
    write_dicom_series(phantom, folder, patient_id=f"LONG-{seed}", patient_name=f"Long^{seed}")
    return folder


def datasets(folder: Path) -> list[pydicom.FileDataset]:
    """The images of a folder, in the order of their names."""
    return [pydicom.dcmread(path) for path in sorted(folder.iterdir())]


def batches(site: Site, slug: str) -> list[dict[str, Any]]:
    """The batches of a campaign, the oldest first."""
    return site.rows(
        "SELECT b.* FROM intake_batch b JOIN campaigns_campaign c ON c.id = b.campaign_id WHERE c.slug = %s"
        " ORDER BY b.opened_at",
        slug,
    )


def wait_until_checked(site: Site, slug: str, count: int) -> None:
    """Wait until a campaign has so many batches and all of them are checked."""

    def checked() -> bool:
        found = batches(site, slug)
        seen[:] = [f"{batch['source']} {batch['state']}{' whole' * batch['sent_whole']}" for batch in found]
        return len(found) == count and all(batch["state"] == "done" for batch in found)

    seen: list[str] = []
    _said(site, f"{count} batches are checked", checked, lambda: ", ".join(seen))


def _said(site: Site, what: str, condition: Callable[[], T], seen: Callable[[], str]) -> T:
    """Wait; where it was in vain, say what there is, and which processes have ended."""
    try:
        return wait_until(what, condition)
    except AssertionError as error:
        ended = [name for name, process in site.processes.items() if process.poll() is not None]
        line = "; ".join(
            " ".join(map(str, job.values()))
            for job in site.rows(
                "SELECT j.id, task_name, status::text, attempts, priority, max(e.at)::time(0) AS since,"
                " (now() - w.last_heartbeat)::text AS silent FROM procrastinate_jobs j"
                " LEFT JOIN procrastinate_events e ON e.job_id = j.id"
                " LEFT JOIN procrastinate_workers w ON w.id = j.worker_id"
                " WHERE status IN ('todo', 'doing') GROUP BY j.id, w.last_heartbeat ORDER BY j.id"
            )
        )
        raise AssertionError(
            f"{error}; there are: {seen()}; ended: {', '.join(ended)}; in line: {line or 'nothing'}"
        ) from None


def scans(site: Site, slug: str) -> list[dict[str, Any]]:
    """The scans of a campaign's cases."""
    return site.rows(
        "SELECT s.* FROM archive_scan s JOIN campaigns_case k ON k.scan_id = s.id"
        " JOIN campaigns_campaign c ON c.id = k.campaign_id WHERE c.slug = %s",
        slug,
    )


def wait_until_filed(site: Site, slug: str) -> dict[str, Any]:
    """Wait for the one scan of a campaign; a batch that failed or refused is an error."""

    def filed() -> dict[str, Any] | None:
        refused = site.rows(
            "SELECT l.sentence FROM intake_seriesline l JOIN intake_batch b ON b.id = l.batch_id"
            " JOIN campaigns_campaign c ON c.id = b.campaign_id WHERE c.slug = %s AND l.state = 'refused'",
            slug,
        )
        assert not refused, refused
        found = scans(site, slug)
        return found[0] if found and all(batch["state"] == "done" for batch in batches(site, slug)) else None

    def seen() -> str:
        return "; ".join(str({name: batch[name] for name in STANDING}) for batch in batches(site, slug))

    return _said(site, f"the scan of {slug}", filed, seen)


def orphans(site: Site) -> list[Path]:
    """Folders of the archive that no scan in the database owns."""
    known = {str(row["id"]) for row in site.rows("SELECT id FROM archive_scan")}
    folder = site.home / "archive" / "scans"
    return [path for path in folder.glob("*") if path.name not in known] if folder.is_dir() else []


def our_python_module(name: str) -> list[str]:
    """The command of one of pynetdicom's applications."""
    return [sys.executable, "-m", "pynetdicom", name]
