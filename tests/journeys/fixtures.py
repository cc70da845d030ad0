"""What journeys, browser scenes and faults share: one running site a test process, and a fresh Chromium a module."""

import atexit
import functools
import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from inference.phantoms import make_phantom, write_dicom_series
from tests.journeys.site import ROOT, Person, Site
from tests.journeys.viewer import CHROMIUM, SCREEN, Reader, launch_browser
from webapp import postgres


@functools.cache
def the_site() -> Site:
    """The site of this test process, made on first use and gone at its end."""
    home = Path(tempfile.mkdtemp(prefix="groundglass-site-"))
    site = Site(home, environment={"INTAKE_QUIET_S": "2"}, quick_passwords=True)
    atexit.register(shutil.rmtree, home, True)
    atexit.register(postgres.discard, home)
    atexit.register(site.stop)
    return site.start()


@pytest.fixture(scope="session")
def site() -> Site:
    """A whole real site."""
    if not (ROOT / "frontend" / "dist" / ".vite" / "manifest.json").exists():
        pytest.skip("the front end is not built: run make setup")
    return the_site()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; its event loop ends with the module, so that Django's tests find none running."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    with sync_playwright() as playwright:
        chromium = launch_browser(playwright)
        yield chromium
        chromium.close()


@pytest.fixture
def open_tab(site: Site, browser: Browser) -> Iterator[Callable[[Person], Reader]]:
    """A function that gives a person a browser profile of their own with one tab."""
    contexts = []

    def open_one(person: Person) -> Reader:
        context = browser.new_context(viewport=SCREEN, accept_downloads=True)
        contexts.append(context)
        return Reader(site, context.new_page(), person)

    yield open_one
    for context in contexts:
        context.close()


@functools.cache
def small_phantom(seed: int = 1, shape_zyx: tuple[int, int, int] = (40, 128, 128)) -> Path:
    """A DICOM series of a small synthetic chest."""
    folder = Path(tempfile.mkdtemp(prefix="groundglass-phantom-"))
    atexit.register(shutil.rmtree, folder, True)
    spacing_zyx_mm = (280 / shape_zyx[0], 358 / shape_zyx[1], 333 / shape_zyx[2])
    phantom = make_phantom(seed, shape_zyx=shape_zyx, spacing_zyx_mm=spacing_zyx_mm)
    write_dicom_series(phantom, folder, patient_id=f"PHANTOM-{seed}", patient_name=f"Phantom^{seed}")
    return folder


def slug_of(test: str) -> str:
    """A campaign's name of a test's own: at most 40 letters, no two tests alike."""
    slug = re.sub(r"[^a-z0-9]+", "-", test.lower()).removeprefix("test-").strip("-")
    return slug if len(slug) <= 40 else f"{slug[:33].strip('-')}-{hashlib.sha256(slug.encode()).hexdigest()[:6]}"


def furnished_case(site: Site, test: str, *roles: str) -> tuple[str, dict[str, Person]]:
    """A campaign of a test's own with people of these roles and one drafted phantom as its case 1."""
    slug = slug_of(test)
    site.mend()
    people = site.furnish(slug, *roles)
    site.ingest(small_phantom(), slug=slug)
    site.wait_for_drafts(slug)
    return slug, people


@pytest.fixture
def phantom_case(site: Site, request: pytest.FixtureRequest) -> tuple[str, dict[str, Person]]:
    """A campaign of this test's own with one drafted phantom as its case 1; its slug and its people."""
    return furnished_case(site, request.node.name, "coordinator", "radiologist")
