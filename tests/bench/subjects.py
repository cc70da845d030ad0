"""The scans that are measured: a real one, and two synthetic chests of many slices."""

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from tests.bench import loading
from tests.journeys.site import Person, Site
from tests.journeys.viewer import Reader

REAL = "248"
REAL_SLICES = 248
PHANTOMS = ("600", "1500")
SCAN = Path("dicom") / "ricord-001012-covid"


def say(text: str) -> None:
    """Progress, apart from the table."""
    print(text, file=sys.stderr, flush=True)


@dataclass
class Subject:
    """One scan under measurement: its reading, whose it is, and every raw figure by part."""

    name: str
    slug: str
    person: Person
    reading_id: str = ""
    raw: dict[str, Any] = field(default_factory=dict)

    def open(self, browser: Browser, site: Site) -> Reader:
        """Its reading in a fresh profile, complete and writable; the caller closes `reader.page.context`."""
        context = browser.new_context(viewport=loading.SCREEN)
        reader = Reader(site, context.new_page(), self.person)
        reader.sign_in()
        reader.open_reading(self.reading_id)
        return reader


def bring_in(site: Site, folder: Path) -> Subject:
    """Ingest and draft the real scan on an otherwise idle site."""
    subject = Subject(REAL, "bench", site.furnish("bench", "coordinator", "radiologist")["radiologist"])
    say("ingesting ...")
    began = time.monotonic()
    site.ingest(folder, slug=subject.slug)
    subject.raw["ingest_s"] = time.monotonic() - began
    say("drafting ...")
    (run,) = site.wait_for_drafts(subject.slug)
    subject.raw["draft_s"] = run["duration_s"]
    return subject


def file_phantom(site: Site, name: str) -> Subject:
    """A phantom of `name` slices, filed without an upload while no worker runs."""
    slug = f"bench-{name}"
    subject = Subject(name, slug, site.furnish(slug, "coordinator", "radiologist")["radiologist"])
    say(f"filing a phantom of {name} slices ...")
    site.end("worker")
    began = time.monotonic()
    site.run("-m", "tests.bench.filing", slug, name)
    subject.raw["filing_s"] = time.monotonic() - began
    site.start_worker()
    return subject


def begin_reading(browser: Browser, site: Site, subject: Subject) -> None:
    """Start the reading that every load then opens."""
    context = browser.new_context(viewport=loading.SCREEN)
    reader = Reader(site, context.new_page(), subject.person)
    reader.sign_in()
    reader.start_reading(subject.slug, 1)
    subject.reading_id = reader.reading_id
    scan = reader.api()["scan"]
    subject.raw["slab_bytes"] = sum(slab["bytes"] for slab in scan["slabs"])
    subject.raw["frame_bytes"] = scan["shape_zyx"][0] * scan["shape_zyx"][1] * scan["shape_zyx"][2] * 2
    context.close()
