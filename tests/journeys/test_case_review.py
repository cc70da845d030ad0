"""One scan dropped on the home page, drafted, corrected, signed, and taken away as a report on one page."""

import io
from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from tests.journeys.fixtures import small_phantom
from tests.journeys.site import Person, Site
from tests.journeys.viewer import Reader

pytestmark = [pytest.mark.journey, pytest.mark.browser]


def test_a_scan_dropped_at_home_becomes_a_report(site: Site, open_tab: Callable[[Person], Reader]) -> None:
    site.mend()
    people = site.furnish("elsewhere", "coordinator")
    site.manage("shell", "-c", _right_to_make_campaigns(people["coordinator"].username))
    reader = open_tab(people["coordinator"])
    reader.sign_in()
    page = reader.page
    expect(page.get_by_text("Drop a scan here to review it")).to_be_visible()
    files = sorted(small_phantom(41, (24, 96, 96)).iterdir())
    page.locator('input[type="file"][multiple]').first.set_input_files([str(file) for file in files])
    page.get_by_role("link", name="Case 1").click()
    slug = page.url.split("/campaigns/")[1].split("/")[0]
    site.wait_for_drafts(slug)
    reader.start_reading(slug, 1)
    box = page.locator("#pane-axial").bounding_box()
    assert box
    reader.take("brush")
    x, y = int(box["x"] + box["width"] * 0.3), int(box["y"] + box["height"] * 0.4)
    reader.paint([(x, y), (x + 20, y + 9)])
    reader.wait_until_saved()
    shown = reader.api("measurements/")
    reader.press("Control+Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("I sign in spite of what is noted above").check()
    dialog.get_by_label("Your password").fill(reader.person.password)
    dialog.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("button", name="Signed")).to_be_visible()
    page.goto(f"{site.address}/campaigns/{slug}/cases/1/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Report (PDF)").click()
    pages = PdfReader(io.BytesIO(download.value.path().read_bytes())).pages
    words = pages[0].extract_text()
    assert len(pages) == 1
    assert f"{shown['extent_percent']:.2f} %" in words
    assert f"{shown['weight_g']:,.1f} g" in words
    assert reader.person.name in words
    assert not reader.troubles, reader.troubles


def _right_to_make_campaigns(username: str) -> str:
    return (
        "from webapp.accounts.models import User;"
        f"User.objects.filter(username={username!r}).update(may_create_campaigns=True)"
    )
