"""A scene of scoring: by keyboard alone, offline and reloaded in the middle, frozen by the signature."""

import json
from collections.abc import Callable

import pytest

from tests.browser.test_accessibility import AXE, faults
from tests.journeys.fixtures import slug_of, small_phantom
from tests.journeys.site import ROOT, Person, Site
from tests.journeys.viewer import Reader

pytestmark = [pytest.mark.browser]
OpenTab = Callable[[Person], Reader]
FORMS = json.loads((ROOT / "tests" / "vectors" / "forms.json").read_text())["forms"]


def a_scored_case(site: Site, test: str) -> tuple[str, dict[str, Person]]:
    """A campaign whose signatures ask for Pan's score and for a form of its own."""
    slug = slug_of(test)
    site.mend()
    forms, asked = [FORMS["pan_2020"], FORMS["own"]], {"forms_filled": "block"}
    people = site.furnish(slug, "coordinator", "radiologist", preset="ai_check", forms=forms, attests=asked)
    site.ingest(small_phantom(), slug=slug)
    site.wait_for_drafts(slug)
    return slug, people


def answers(reader: Reader) -> dict[str, dict[str, object]]:
    """What the server has."""
    found: dict[str, dict[str, object]] = reader.api("forms/")["answers"]
    return found


@pytest.mark.slow
def test_a_form_is_filled_by_keyboard_through_an_outage_and_a_reload_and_signed(
    site: Site, open_tab: OpenTab, request: pytest.FixtureRequest
) -> None:
    slug, people = a_scored_case(site, request.node.name)
    reader = open_tab(people["radiologist"])
    reader.sign_in()
    reader.start_reading(slug, 1)
    page = reader.page
    label = page.evaluate("() => document.querySelector('.label[aria-pressed=true]')?.innerText")
    reader.press("Shift+S")
    page.get_by_role("radiogroup", name="Right upper lobe").wait_for()
    for digit in "123":
        reader.press(digit)
    reader.until("three are saved", lambda: len(answers(reader).get("pan_2020", {})) == 3)
    page.get_by_text("saved ", exact=False).first.wait_for()
    assert "6 of 25" in page.locator(".score-sum").first.inner_text()

    page.context.set_offline(True)
    reader.press("4")
    page.get_by_text("not saved yet").wait_for()
    page.context.set_offline(False)
    # Another page of this reader's takes over what is still in this browser.
    page.reload()
    reader.wait_until_ready()
    reader.until("the fourth is saved", lambda: answers(reader)["pan_2020"].get("region/lul") == 4)

    reader.press("Control+Enter")
    dialog = page.locator("dialog[open]")
    dialog.get_by_text("CT score (Pan 2020): 1 of 5 missing (Left lower lobe).").wait_for()
    assert dialog.get_by_role("button", name="Sign", exact=True).is_disabled()
    reader.tab_to(dialog.get_by_role("button", name="Go to the scores"))
    reader.press("Enter")
    dialog.wait_for(state="detached")
    # Tab goes from region to region; the left arrow goes down from 5, the right one up from nothing.
    row = page.get_by_role("radiogroup", name="Left lower lobe")
    reader.tab_to(row.get_by_role("radio").first)
    for _ in range(3):
        reader.press("ArrowRight")
    assert row.get_by_role("radio", checked=True).inner_text() == "2"
    reader.press("ArrowDown")
    reader.tab_to(page.get_by_role("radiogroup", name="Pattern").get_by_role("radio").first)
    reader.press("2")
    reader.tab_to(page.get_by_label("Effusion, mL"))
    page.keyboard.type("12.5")
    reader.press("Tab")
    page.get_by_text("Effusion: write a whole number from 0 up to 5000. It is not saved.").wait_for()
    reader.tab_to(page.get_by_label("Effusion, mL"), "Shift+Tab")
    assert page.get_by_label("Effusion, mL").input_value() == "12.5"
    reader.press("Control+A")
    page.keyboard.type("120")
    reader.press("Tab")
    expected = {
        "pan_2020": {"region/rul": 1, "region/rml": 2, "region/rll": 3, "region/lul": 4, "region/lll": 2},
        "own": {"pattern": "consolidation", "effusion_ml": 120},
    }
    reader.until("all is saved", lambda: answers(reader) == expected)
    page.evaluate(AXE.read_text())
    assert faults(page) == []
    # No digit was taken for a label, and no letter for a tool.
    page.get_by_role("tab", name="Labels").click()
    assert page.evaluate("() => document.querySelector('.label[aria-pressed=true]')?.innerText") == label

    reader.press("Control+Enter")
    page.locator("input[name=password]").wait_for()
    page.keyboard.type(people["radiologist"].password)
    page.locator("dialog[open] button.go:enabled").wait_for()
    reader.press("Enter")
    reader.until("it is signed", lambda: reader.api()["state"] == "signed")
    (row_of,) = site.rows("SELECT s.attested FROM readings_signature s WHERE s.reading_id = %s", reader.reading_id)
    frozen = row_of["attested"]["forms"]
    assert {key: form["answers"] for key, form in frozen.items()} == expected
    assert (frozen["pan_2020"]["sum"], len(row_of["attested"]["forms_sha256"])) == (12, 64)
    page.goto(f"{site.address}/campaigns/{slug}/cases/1/")
    page.get_by_role("heading", name="CT score (Pan 2020)").wait_for()
    assert reader.troubles == []
