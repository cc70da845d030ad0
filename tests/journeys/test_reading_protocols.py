"""Protocols as teams read by them: a real site, a real worker, browsers of several people at once, to the references.

What is done by hand in a browser is done so here; the other cases go the same way through the same addresses.
"""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.journeys.fixtures import small_phantom
from tests.journeys.reading_steps import LOBES, PAN, SHAPE, begin, decide_everything, references, say, score
from tests.journeys.site import Person, Site, wait_until
from tests.journeys.viewer import Reader

pytestmark = [pytest.mark.journey, pytest.mark.browser]
OpenTab = Callable[[Person], Reader]
SEEDS = range(31, 37)


def a_campaign(site: Site, slug: str, *roles: str, preset: str, **terms: Any) -> dict[str, Person]:
    """Six drafted phantoms in a campaign of a preset, and its people."""
    site.mend()
    people = site.furnish(slug, "coordinator", *roles, preset=preset, **terms)
    site.ingest(*[small_phantom(seed, SHAPE) for seed in SEEDS], slug=slug)
    runs = site.wait_for_drafts(slug)
    assert len(runs) == len(SEEDS)
    return people


def sign_by_api(reader: Reader, reading: str) -> None:
    """Sign with the password, as the dialog does."""
    there = reader.get(f"/api/readings/{reading}/").json()
    sequence = there["mask"]["stroke_sequence"]
    say(
        reader,
        reading,
        "sign",
        password=reader.person.password,
        stroke_sequence=sequence,
        statement=there["statement"],
        acknowledged=[],
    )


def standing(site: Site, slug: str) -> list[tuple[str, str]]:
    """Where the cases of a campaign stand, by number."""
    rows = site.rows(
        "SELECT c.stage, c.state FROM campaigns_case c JOIN campaigns_campaign g ON g.id = c.campaign_id"
        " WHERE g.slug = %s ORDER BY c.number",
        slug,
    )
    return [(row["stage"], row["state"]) for row in rows]


def confirm_every_slice(reader: Reader) -> None:
    """Go through the slices with lung by Space, then by N through those that were left too soon to count as seen."""
    lung = reader.api()["ledger"]["lung"]
    undecided, seen = (reader.page.locator(name) for name in (".w-undecided", ".w-seen"))
    for _ in range(2 * len(lung)):
        reader.page.wait_for_timeout(120)
        if undecided.inner_text() != "undecided 0":
            reader.press(" ")
        elif seen.inner_text() != f"seen {len(lung)} of {len(lung)}":
            reader.press("n")
        else:
            return
    raise AssertionError(f"{undecided.inner_text()}, {seen.inner_text()}")


@pytest.mark.slow
def test_the_studys_protocol_from_six_drafts_to_six_references(site: Site, open_tab: OpenTab) -> None:
    slug = "study"
    people = a_campaign(
        site,
        slug,
        "technician",
        "technician 2",
        "radiologist",
        "radiologist 2",
        preset="draft_and_review",
        dwell_ms=60,
        attests={"slices_seen": "block", "verdicts": "block", "no_contradictions": "block", "lung_checked": "warn"},
    )
    tabs = {name: open_tab(person) for name, person in people.items() if name != "coordinator"}
    for tab in tabs.values():
        tab.sign_in()
    kim, tom = tabs["technician"], tabs["technician 2"]
    # Two technicians at once, in two browsers; the first case by hand to its end.
    kim.start_reading(slug, 1)
    tom.start_reading(slug, 2)
    box = kim.page.locator("#pane-axial").bounding_box()
    assert box
    kim.take("brush")
    x, y = int(box["x"] + box["width"] * 0.3), int(box["y"] + box["height"] * 0.4)
    kim.paint([(x, y), (x + 20, y + 9), (x + 41, y + 5)])
    for tab in (kim, tom):
        tab.wait_until_saved()
        tab.press("Control+Enter")
        tab.page.get_by_role("dialog").get_by_role("button", name="Hand on").click()
        expect(tab.page.get_by_role("button", name="Handed on")).to_be_visible()
    for number in range(3, 7):
        first, second = (kim, tom) if number % 2 else (tom, kim)
        reading = begin(first, slug, number)
        assert reading
        assert begin(second, slug, number) is None, "a case is given once"
        say(first, reading, "submit", stroke_sequence=0)
    assert standing(site, slug) == [("review", "to read")] * 6

    robin, amara = tabs["radiologist"], tabs["radiologist 2"]
    robin.start_reading(slug, 1)
    amara.start_reading(slug, 2)
    # What the technician drew is what the radiologist begins from.
    assert kim.lesion_voxels() == robin.lesion_voxels()
    robin.press("Control+Enter")
    dialog = robin.page.get_by_role("dialog")
    expect(dialog.locator('[data-missing="slices_seen"]')).to_be_visible()
    expect(dialog.get_by_role("button", name="Sign", exact=True)).to_be_disabled()
    dialog.locator('[data-missing="verdicts"]').get_by_role("button").click()
    confirm_every_slice(robin)
    robin.press("Control+Enter")
    expect(dialog.locator('[data-missing="lung_checked"]')).to_be_visible()
    expect(dialog.locator('[data-missing="slices_seen"]')).to_have_count(0)
    dialog.get_by_label("I have checked the lung layer").check()
    expect(dialog.locator("[data-missing]")).to_have_count(0)
    dialog.get_by_label("Your password").fill(robin.person.password)
    dialog.get_by_role("button", name="Sign", exact=True).click()
    expect(robin.page.get_by_role("button", name="Signed")).to_be_visible()

    # The second draft goes back with a reason, comes again, and is the same radiologist's.
    amara.page.get_by_role("button", name="Return").click()
    amara.page.get_by_role("dialog").get_by_label("Reason").fill("The left base is missing.")
    amara.page.get_by_role("dialog").get_by_role("button", name="Return").click()
    expect(amara.page.get_by_text("went back to its reader")).to_be_visible()
    assert standing(site, slug)[1] == ("draft", "with readers")
    expect(tom.page.get_by_text("The left base is missing.")).to_be_visible()
    tom.open_reading(tom.reading_id)
    tom.press("Control+Enter")
    tom.page.get_by_role("dialog").get_by_role("button", name="Hand on").click()
    expect(tom.page.get_by_role("button", name="Handed on")).to_be_visible()
    assert begin(robin, slug, 2) is None
    for number in range(2, 7):
        reader = amara if number % 2 == 0 else robin
        reading = begin(reader, slug, number)
        assert reading, number
        decide_everything(reader, reading)
        sign_by_api(reader, reading)
    assert standing(site, slug) == [("review", "done")] * 6
    assert references(site, slug) == ["signed"] * 6

    # An amendment: what was signed stays, the reference is the amended one.
    robin.page.get_by_role("button", name="Amend").click()
    dialog.get_by_label("Reason").fill("A vessel was taken for lesion.")
    dialog.get_by_role("button", name="Begin the amendment").click()
    robin.page.wait_for_url(lambda url: robin.reading_id not in url)
    amendment = robin.page.url.rstrip("/").rsplit("/", 1)[-1]
    decide_everything(robin, amendment)
    sign_by_api(robin, amendment)
    assert references(site, slug)[0] == "amended"
    assert site.manage("audit", "verify").stdout.strip().endswith(", 0 faults.")
    for tab in tabs.values():
        assert not tab.troubles, tab.troubles


@pytest.mark.slow
def test_double_reading_is_accepted_or_settled_and_blind_until_then(site: Site, open_tab: OpenTab) -> None:
    slug = "double"
    attests = {"slices_seen": "warn"}
    people = a_campaign(
        site,
        slug,
        "radiologist",
        "radiologist 2",
        "adjudicator",
        preset="double_reading",
        attests=attests,
        forms=[PAN],
    )
    robin, amara, ada = (open_tab(people[name]) for name in ("radiologist", "radiologist 2", "adjudicator"))
    for tab in (robin, amara, ada):
        tab.sign_in()
    # The first case in two browsers at once: one of them takes the whole lesion away.
    robin.start_reading(slug, 1)
    amara.start_reading(slug, 1)
    first, second = robin.reading_id, amara.reading_id
    assert amara.page.request.get(f"{site.address}/api/readings/{first}/").status == 404
    erase_all(amara)
    assert amara.lesion_voxels() == 0 < robin.lesion_voxels()
    for tab, values in ((robin, (1, 2, 3, 1, 2)), (amara, (1, 2, 0, 4, 2))):
        score(tab, tab.reading_id, values)
        say(tab, tab.reading_id, "comments", text=f"A vessel? {tab.person.name} asks", voxel=[40, 50, 12])
        tab.wait_until_saved()
        tab.press("Control+Enter")
        dialog = tab.page.get_by_role("dialog")
        dialog.get_by_label("I sign in spite of what is noted above").check()
        dialog.get_by_label("Your password").fill(tab.person.password)
        dialog.get_by_role("button", name="Sign", exact=True).click()
        expect(tab.page.get_by_role("button", name="Signed")).to_be_visible()
    # The other five as their drafts are: alike.
    for number in range(2, 7):
        for tab in (robin, amara):
            reading = begin(tab, slug, number)
            assert reading
            decide_everything(tab, reading)
            sign_by_api(tab, reading)
    wait_until("all are compared", lambda: "comparing" not in {state for _, state in standing(site, slug)})
    assert standing(site, slug) == [("adjudication", "to read")] + [("reading", "done")] * 5
    assert begin(robin, slug, 1) is None
    ada.start_reading(slug, 1)
    settling = ada.reading_id
    there = ada.get(f"/api/readings/{settling}/").text()
    for person in (people["radiologist"], people["radiologist 2"]):
        assert person.name not in there
        assert person.username not in there
    assert ada.page.request.get(f"{site.address}/api/readings/{second}/").status == 404
    # The readings lie side by side at first; then one of them, or both, take the place of the mask, until undone.
    expect(ada.page.get_by_text("One reading has lesion and the other has none.")).to_be_visible()
    ada.page.get_by_role("button", name="Back to the mask").click()
    assert ada.lesion_voxels() == 0
    for start, voxels in (("consensus:union", robin.lesion_voxels()), ("consensus:intersection", 0)):
        ada.page.get_by_label("Start from").select_option(start)
        ada.page.get_by_role("button", name="Start", exact=True).click()
        ada.wait_for_handle(f"g.voxelCount('findings', 1) === {voxels}")
    ada.wait_for_handle("g.mayPaint")
    ada.press("z")
    ada.wait_for_handle(f"g.voxelCount('findings', 1) === {robin.lesion_voxels()}")
    ada.wait_until_saved()
    scores_are_settled(ada)
    decide_everything(ada, settling)
    sign_by_api(ada, settling)
    assert references(site, slug) == ["adjudicated"] + ["accepted"] * 5
    # Now that it is over, each may see the other's.
    assert amara.page.request.get(f"{site.address}/api/readings/{first}/").status == 200
    assert site.manage("audit", "verify").stdout.strip().endswith(", 0 faults.")


def scores_are_settled(ada: Reader) -> None:
    """The scores lie side by side; what both say is begun from, the rest by a letter or a digit; comments are read."""
    page = ada.page

    def own() -> list[int | None]:
        said = ada.api("forms/")["answers"].get("pan_2020", {})
        return [said.get(lobe) for lobe in LOBES]

    page.get_by_role("button", name="Scores differ in 2 of 5").click()
    panel = page.get_by_role("region", name="Scores", exact=True)
    expect(panel.locator(".score-row.differs")).to_have_count(2)
    shown = [text.split() for text in panel.locator(".scores-beside tbody tr").first.locator("td").all_inner_texts()]
    assert sorted(shown) == [["0"], ["9"], ["9"]]
    candidates = ada.api()["settles"]["candidates"]
    values = {one["letter"]: [one["answers"]["pan_2020"][lobe] for lobe in LOBES] for one in candidates}
    panel.get_by_role("button", name="B", exact=True).click()
    ada.until("B's scores are the adjudicator's", lambda: own() == values["B"])
    panel.get_by_role("button", name="Undo").click()
    ada.until("they are taken back", lambda: own() == [None] * 5)
    panel.get_by_role("button", name="Agreed").click()
    ada.until("what both say is answered", lambda: own() == [1, 2, None, None, 2])
    page.get_by_role("radiogroup", name="Right lower lobe").get_by_role("radio").first.focus()
    ada.press("a")
    ada.press("5")
    ada.until("a letter and a digit", lambda: own() == [1, 2, values["A"][2], 5, 2])
    page.get_by_role("tab", name="Comments").click()
    said = page.get_by_role("region", name="Said in the readings")
    expect(said.get_by_text("A vessel? Reading A asks")).to_be_visible()
    expect(said.get_by_text("A vessel? Reading B asks")).to_be_visible()
    said.get_by_role("button", name="Slice 13").first.click()
    ada.wait_for_handle("g.slices.axial === 12")


def erase_all(reader: Reader) -> None:
    """Take every lesion away by the list of lesions' own tool: an islands filter that keeps nothing so small."""
    reader.press("Escape")
    reader.press("k")
    reader.page.get_by_label("Smaller than").fill("1000")
    reader.page.get_by_role("button", name="Remove them").click()
    reader.wait_for_handle("g.voxelCount('findings', 1) === 0")
