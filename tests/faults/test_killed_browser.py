"""A browser that dies with strokes it could not send: the next one sends them, each once."""

import os
import signal
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import BrowserContext, Route, sync_playwright

from tests.faults.promise import Painter, begin, check_screen, check_stored_mask
from tests.journeys.site import Person, Site
from tests.journeys.viewer import CHROMIUM, FLAGS, SCREEN, Reader

pytestmark = [pytest.mark.fault, pytest.mark.browser]


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
        painter = begin(reader, slug)
        painter.paint(0)
        reader.wait_until_saved()

        def cut(route: Route) -> None:
            route.abort()

        reader.page.route("**/strokes/**", cut)
        painter.paint(1, 2)
        reader.wait_for_handle("g.saving.kind === 'offline' && g.saving.count === 2")
        painted = painter.painted
        on_screen = reader.lesion_voxels()
        cookies = reader.page.context.cookies()
        _kill_browser(profile)

        context, again = open_profile()
        # A session cookie does not outlive a killed browser: the sign-in is not what is tested.
        context.add_cookies(cookies)
        again.page.goto(f"{site.address}/")
        notice = again.page.locator(".notice", has_text="2 strokes that you painted in this browser")
        notice.get_by_role("link").click()
        again.reading_id = reader.reading_id
        again.wait_until_ready()
        again.until("the strokes are on the server", lambda: len(again.stored_strokes()) == 3)
        again.wait_until_saved()
        stored = check_stored_mask(again, painter.draft)
        assert [stroke["id"] for stroke in stored] == painted, "each once, in the order of painting"
        assert int((again.stored_layers()["findings"] == 1).sum()) == on_screen
        check_screen(again)

        Painter(again).paint(3)
        again.wait_until_saved()
        assert len(check_stored_mask(again, painter.draft)) == 4, "and painting goes on"
        context.close()
