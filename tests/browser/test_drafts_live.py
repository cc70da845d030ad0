"""A coordinator watches drafts being made: the page keeps itself fresh, and nothing on it jumps or is lost."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.fixtures import small_phantom
from tests.journeys.site import Person, Site, wait_until
from tests.journeys.viewer import Reader

pytestmark = [pytest.mark.browser]


@pytest.mark.slow
def test_runs_move_on_the_page_without_its_being_read_again(site: Site, open_tab: Callable[[Person], Reader]) -> None:
    slug = "drafts-live"
    people = site.furnish(slug, "coordinator", "radiologist", preset="ai_check")
    site.ingest(small_phantom(41), slug=slug)
    site.wait_for_drafts(slug)
    site.end("worker")
    try:
        for seed in (42, 43, 44):
            site.ingest(small_phantom(seed, (80, 224, 224)), slug=slug)
        reader = open_tab(people["coordinator"])
        reader.sign_in()
        page = reader.page
        page.goto(f"{site.address}/campaigns/{slug}/drafts/")
        expect(page.locator("#count-queued span")).to_have_text("3")
        expect(page.locator("tbody tr").nth(0)).to_contain_text("next in line")
        expect(page.locator("tbody tr").nth(2)).to_contain_text("2 before it")
        page.evaluate("() => { window.stays = true }")
        box = page.locator("tbody tr").nth(2).locator("input[type=checkbox]")
        box.focus()
        page.keyboard.press("Space")
    finally:
        site.start_worker()
    expect(page.locator("tbody tr progress").first).to_be_visible(timeout=60_000)
    expect(page.locator("#count-finished span")).to_have_text("4", timeout=120_000)
    expect(page.locator("tbody")).not_to_contain_text("in line")
    assert page.evaluate("() => window.stays") is True, "the page was read again"
    assert box.is_checked(), "what was chosen is chosen still"


@pytest.mark.slow
def test_page_of_a_case_says_live_where_its_draft_stands(site: Site, open_tab: Callable[[Person], Reader]) -> None:
    slug = "draft-of-a-case"
    people = site.furnish(slug, "coordinator", "radiologist", preset="ai_check")
    site.end("worker")
    try:
        for seed in (45, 46):
            site.ingest(small_phantom(seed), slug=slug)
        reader = open_tab(people["radiologist"])
        reader.sign_in()
        page = reader.page
        page.goto(f"{site.address}/campaigns/{slug}/cases/2/")
        expect(page.locator("#draft-wait")).to_contain_text("1 before it")
        coordinator = open_tab(people["coordinator"])
        coordinator.sign_in()
        coordinator.page.goto(f"{site.address}/campaigns/{slug}/cases/1/")
        coordinator.page.get_by_role("button", name="Cancel").click()
        expect(coordinator.page.locator(".stations")).to_contain_text("cancelled before it was made")
        expect(page.locator("#draft-wait")).to_contain_text("next in line", timeout=30_000)
    finally:
        site.start_worker()
    wait_until("the draft", lambda: site.drafts(slug)[1]["state"] == "finished")
    expect(page.get_by_role("button", name="Start reading")).to_be_enabled(timeout=30_000)
    expect(page.locator("#drafts-of-case")).to_contain_text("classical-baseline 1")
