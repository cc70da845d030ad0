"""Uploads in Chromium: thousands of files, a killed server, a reload, an ended session; what arrived is never lost."""

import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response

from tests.browser.test_accessibility import AXE, faults
from tests.journeys.fixtures import slug_of, small_phantom
from tests.journeys.site import Person, Site, wait_until
from tests.journeys.viewer import Reader

pytestmark = [pytest.mark.browser]
PIECE_BYTES = 8 * 1024 * 1024


@pytest.fixture
def slug(site: Site, request: pytest.FixtureRequest) -> str:
    site.mend()
    return slug_of(request.node.name)


@pytest.fixture
def sender(site: Site, open_tab: Callable[[Person], Reader], slug: str) -> Reader:
    """A coordinator on the intake page."""
    tab = open_tab(site.furnish(slug, "coordinator")["coordinator"])
    tab.sign_in()
    visit(tab)
    return tab


def visit(sender: Reader) -> None:
    sender.page.goto(f"{sender.site.address}/intake/")


def choose(page: Page, folder: Path) -> None:
    page.set_input_files("input[webkitdirectory]", folder)


def many_files(folder: Path, count: int, size: int = 600) -> Path:
    """Files that are no images, each another."""
    generator = random.Random(count)
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"slice-{number:05}.dcm").write_bytes(generator.randbytes(size))
    return folder


def originals(site: Site, slug: str) -> list[dict]:
    return site.rows(
        "SELECT o.* FROM intake_original o JOIN intake_batch b ON b.id = o.batch_id"
        " JOIN campaigns_campaign c ON c.id = b.campaign_id WHERE c.slug = %s",
        slug,
    )


def lines(site: Site, slug: str) -> list[dict]:
    return site.rows(
        "SELECT l.* FROM intake_seriesline l JOIN intake_batch b ON b.id = l.batch_id"
        " JOIN campaigns_campaign c ON c.id = b.campaign_id WHERE c.slug = %s ORDER BY l.number",
        slug,
    )


def at_server(page: Page) -> int:
    """How many files the page says are at the server."""
    return int(page.locator('[data-filter="here"] span').inner_text().replace(",", "") or 0)


def files_in(answer: Response) -> int:
    """How many files a request of the upload brought."""
    return int(answer.json().get("files", 1))


def hold_up(page: Page, ms: int) -> None:
    """Make each piece take a while, so that there is a middle to be interrupted."""
    page.evaluate(
        """ms => {
          const send = XMLHttpRequest.prototype.send;
          XMLHttpRequest.prototype.send = function (body) { setTimeout(() => send.call(this, body), ms); };
        }""",
        ms,
    )


def wait_for_batch_page(page: Page) -> None:
    page.wait_for_url("**/intake/batches/*/")


@pytest.mark.parametrize("count", [400, pytest.param(5000, marks=pytest.mark.slow)])
def test_thousands_of_files_arrive_and_the_page_stays_small(
    site: Site, sender: Reader, slug: str, tmp_path: Path, count: int
) -> None:
    page = sender.page
    choose(page, many_files(tmp_path / "scan", count))
    page.wait_for_function("() => document.querySelectorAll('.files-row').length > 0")
    page.locator('[data-filter="all"]').click()
    page.locator("[data-files]").evaluate("box => box.scrollTo(0, box.scrollHeight)")
    last = page.locator(f'.files-row[aria-posinset="{count}"]')
    last.wait_for()
    assert f"slice-{count - 1:05}.dcm" in last.inner_text()
    assert page.locator(".files-row").count() < 60
    wait_for_batch_page(page)
    assert len(originals(site, slug)) == count
    assert all(row["whole"] for row in originals(site, slug))
    assert not sender.troubles


def test_scan_is_dropped_sent_and_filed(site: Site, sender: Reader, slug: str) -> None:
    page = sender.page
    choose(page, small_phantom())
    wait_for_batch_page(page)
    page.locator("text=1 accepted, 0 refused").wait_for()
    assert page.get_by_role("link", name="Case 1").count() == 1
    assert "held until" in page.inner_text("main")
    assert [line["state"] for line in lines(site, slug)] == ["accepted"]


def test_killed_server_in_the_middle_loses_nothing_that_was_acknowledged(
    site: Site, sender: Reader, slug: str, tmp_path: Path
) -> None:
    page = sender.page
    hold_up(page, 600)
    choose(page, many_files(tmp_path / "scan", 400))
    wait_until("some files are there", lambda: at_server(page) > 0)
    site.end("web")
    page.locator("text=The connection to the server is lost").wait_for()
    acknowledged = at_server(page)
    stored = originals(site, slug)
    assert acknowledged <= sum(row["whole"] for row in stored)
    assert acknowledged < 400, "the server was killed too late for this test to mean anything"
    # Pressed while nobody answers: afterwards the page may have gone on by itself before the press.
    page.get_by_role("button", name="Try now").click()
    site.start_web()
    wait_for_batch_page(page)
    assert len(originals(site, slug)) == 400
    assert {row["id"] for row in stored} <= {row["id"] for row in originals(site, slug)}


def test_upload_goes_on_after_a_reload_with_what_is_not_there_yet(
    site: Site, sender: Reader, slug: str, tmp_path: Path
) -> None:
    page = sender.page
    folder = many_files(tmp_path / "scan", 400)
    hold_up(page, 600)
    choose(page, folder)
    wait_until("some files are there", lambda: at_server(page) > 0)
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    before = len(originals(site, slug))
    assert before < 400
    assert page.get_by_role("heading", name="Unfinished uploads of yours").count() == 1
    sent = []
    page.on("response", lambda answer: sent.append(files_in(answer)) if answer.url.endswith("/files/") else None)
    choose(page, folder)
    page.get_by_text("are here already").wait_for()
    wait_for_batch_page(page)
    assert len(originals(site, slug)) == 400
    assert sum(sent) <= 400 - before, "what was there is not sent again"
    assert len({row["batch_id"] for row in originals(site, slug)}) == 1


def test_large_archive_goes_on_where_it_was_and_is_filed(site: Site, sender: Reader, slug: str, tmp_path: Path) -> None:
    page = sender.page
    archive = tmp_path / "scan.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for path in sorted(small_phantom().iterdir()):
            packed.write(path, f"scan/{path.name}")
        packed.writestr("scan/noise.bin", random.Random(1).randbytes(4 * PIECE_BYTES))
    hold_up(page, 400)
    page.set_input_files("input[type=file]:not([webkitdirectory])", archive)
    wait_until("a piece is there", lambda: any(row["received"] >= PIECE_BYTES for row in originals(site, slug)))
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    (before,) = originals(site, slug)
    assert 0 < before["received"] < before["size"]
    offsets = []
    page.on(
        "request",
        lambda request: offsets.append(int(request.headers["x-offset"])) if request.url.endswith("/files/") else None,
    )
    page.set_input_files("input[type=file]:not([webkitdirectory])", archive)
    wait_for_batch_page(page)
    assert min(offsets) >= before["received"]
    page.locator("text=1 accepted, 1 refused").wait_for()
    assert lines(site, slug)[-1]["state"] == "accepted"


def test_ended_session_asks_to_sign_in_and_goes_on(site: Site, sender: Reader, slug: str, tmp_path: Path) -> None:
    page = sender.page
    hold_up(page, 500)
    choose(page, many_files(tmp_path / "scan", 300))
    wait_until("some files are there", lambda: at_server(page) > 0)
    page.context.clear_cookies(name="sessionid")
    dialog = page.locator("dialog[data-sign-in]")
    dialog.wait_for()
    dialog.locator("input[type=password]").fill("not the password")
    page.keyboard.press("Enter")
    dialog.get_by_text("do not belong together").wait_for()
    dialog.locator("input[type=password]").fill(sender.person.password)
    page.keyboard.press("Enter")
    wait_for_batch_page(page)
    assert len(originals(site, slug)) == 300


def test_cancelled_upload_can_go_on_or_be_removed(site: Site, sender: Reader, slug: str, tmp_path: Path) -> None:
    page = sender.page
    hold_up(page, 500)
    choose(page, many_files(tmp_path / "scan", 400))
    wait_until("some files are there", lambda: at_server(page) > 0)
    first = at_server(page)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("are at the server, encrypted").wait_for()
    page.get_by_role("button", name="Go on").click()
    wait_until("more files are there", lambda: at_server(page) > first)
    page.get_by_role("button", name="Cancel").click()
    (batch_id,) = {row["batch_id"] for row in originals(site, slug)}
    folder = site.home / "quarantine" / str(batch_id)
    assert folder.is_dir()
    page.get_by_role("button", name="Remove the").click()
    page.wait_for_function("() => document.querySelector('[data-upload]:not(.busy)')")
    wait_until("the files are gone", lambda: not folder.exists())
    assert originals(site, slug) == []


@pytest.mark.slow
def test_panel_of_an_upload_has_no_serious_accessibility_fault(
    site: Site, slug: str, browser: object, tmp_path: Path
) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run make test-tools")
    context = browser.new_context(bypass_csp=True)  # type: ignore[attr-defined]
    try:
        sender = Reader(site, context.new_page(), site.furnish(slug, "coordinator")["coordinator"])
        sender.sign_in()
        visit(sender)
        hold_up(sender.page, 60_000)
        choose(sender.page, many_files(tmp_path / "scan", 100))
        sender.page.wait_for_function("() => document.querySelectorAll('.files-row').length > 0")
        assert faults(sender.page) == []
        sender.page.get_by_role("button", name="Cancel").click()
        sender.page.get_by_text("are at the server, encrypted").wait_for()
        assert faults(sender.page) == []
    finally:
        context.close()
