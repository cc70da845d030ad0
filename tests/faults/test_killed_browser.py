"""A browser that dies with strokes it could not send: the next one sends them, each once."""

import os
import signal
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import BrowserContext, Route, sync_playwright

from tests.journeys.formats import replay
from tests.journeys.site import Person, Site
from tests.journeys.viewer import CHROMIUM, FLAGS, SCREEN, Reader

pytestmark = [pytest.mark.fault, pytest.mark.browser, pytest.mark.xdist_group("site")]


def _kill_browser(profile: Path) -> None:
    """kill -9 of the browser process that works in a profile folder, and so of all its children."""
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if f"--user-data-dir={profile}" in line and not any(word.startswith("--type=") for word in line):
            os.kill(process.pid, signal.SIGKILL)


def test_browser_killed_with_unsent_strokes_sends_them_when_it_is_opened_again(
    site: Site, phantom_case: tuple[str, dict[str, Person]], tmp_path: Path
) -> None:
    slug, people = phantom_case
    profile = tmp_path / "profile"

    with sync_playwright() as playwright:

        def open_profile() -> tuple[BrowserContext, Reader]:
            context = playwright.chromium.launch_persistent_context(
                profile, executable_path=CHROMIUM, args=FLAGS, viewport=SCREEN
            )
            return context, Reader(site, context.pages[0], people["radiologist"])

        _, reader = open_profile()
        reader.sign_in()
        reader.start_reading(slug, 1)
        draft, scan = reader.stored_layers(), reader.api()["scan"]
        reader.take("brush")
        view, radius_mm = reader.view("axial"), reader.handle("g.brushMm") / 2
        _, ny, nx = scan["shape_zyx"]
        paths = [reader.path_near(view, (nx * (0.2 + 0.2 * n), ny * 0.85), radius_mm, scan, steps=2) for n in range(3)]
        reader.paint(paths[0])
        reader.wait_until_saved()

        def cut(route: Route) -> None:
            route.abort()

        reader.page.route("**/strokes/**", cut)
        reader.paint(paths[1])
        reader.paint(paths[2])
        reader.wait_for_handle("g.saving.kind === 'offline' && g.saving.count === 2")
        painted = reader.handle("g.strokes.map(s => s.id)")
        on_screen = reader.lesion_voxels()
        cookies = reader.page.context.cookies()
        _kill_browser(profile)

        context, reader = open_profile()
        context.add_cookies(
            cookies
        )  # a session cookie does not outlive a killed browser: the sign-in is not what is tested
        reader.open_reading(str(site.rows("SELECT id FROM readings_reading ORDER BY started_at DESC")[0]["id"]))
        reader.until("the strokes are on the server", lambda: len(reader.stored_strokes()) == 3)
        reader.wait_until_saved()
        stored = reader.stored_strokes()
        assert [stroke["id"] for stroke in stored] == painted, "each once, in the order of painting"
        layers = reader.stored_layers()
        assert (replay(draft, stored)["findings"] == layers["findings"]).all()
        assert int((layers["findings"] == 1).sum()) == on_screen
        reader.wait_for_handle(f"g.voxelCount('findings', 1) === {on_screen}")

        reader.take("brush")
        reader.paint(reader.path_near(reader.view("axial"), (nx * 0.3, ny * 0.12), radius_mm, scan, steps=2))
        reader.wait_until_saved()
        assert len(reader.stored_strokes()) == 4, "and painting goes on"
        context.close()
