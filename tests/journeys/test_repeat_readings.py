"""A reader reads a case again after some days, and meets nothing of the first time; both readings stand."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.journeys.fixtures import small_phantom
from tests.journeys.formats import read_mask_container
from tests.journeys.reading_steps import PAN, SHAPE, begin, decide_everything, references, say, score
from tests.journeys.site import Person, Site
from tests.journeys.viewer import Reader

pytestmark = [pytest.mark.journey, pytest.mark.browser]
OpenTab = Callable[[Person], Reader]


def test_a_case_is_read_again_by_its_reader_who_meets_nothing_of_the_first_time(site: Site, open_tab: OpenTab) -> None:
    slug = "again"
    site.mend()
    attests = {"slices_seen": "warn"}
    people = site.furnish(slug, "coordinator", "radiologist", preset="ai_check", forms=[PAN], attests=attests)
    site.ingest(small_phantom(31, SHAPE), slug=slug)
    site.wait_for_drafts(slug)
    robin, clara = open_tab(people["radiologist"]), open_tab(people["coordinator"])
    for tab in (robin, clara):
        tab.sign_in()
    robin.start_reading(slug, 1)
    drafted = robin.lesion_voxels()
    first, painted = robin.reading_id, paint_and_sign(robin, 0.3)
    assert painted > drafted

    clara.page.goto(f"{site.address}/campaigns/{slug}/assignment/")
    sample = clara.page.locator("details", has_text="Repeat readings of a random sample")
    sample.locator("summary").click()
    for label, value in (("Readings", "1"), ("From days after the signature", "14"), ("Seed", "7")):
        sample.get_by_label(label, exact=True).fill(value)
    sample.get_by_role("button", name="Draw the sample").click()
    expect(clara.page.get_by_text("1 reading will be repeated, drawn with seed 7.")).to_be_visible()

    # Until the time has come nothing is given, and nothing of the first time is told any more.
    assert robin.page.request.get(f"{site.address}/api/readings/{first}/").status == 404
    assert begin(robin, slug, 1) is None
    moved = site.rows(
        "UPDATE readings_reading SET not_before = now() - interval '1 minute' WHERE repeat = 1 AND not_before > now()"
        " + interval '13 days' AND case_id = (SELECT case_id FROM readings_reading WHERE id = %s) RETURNING id::text",
        first,
    )
    assert len(moved) == 1
    robin.page.goto(f"{site.address}/campaigns/{slug}/")
    robin.page.get_by_role("button", name="Next case").click()
    robin.page.wait_for_url("**/readings/*/")
    robin.reading_id = robin.page.url.rstrip("/").rsplit("/", 1)[-1]
    assert robin.reading_id == moved[0]["id"]
    robin.wait_until_ready()
    assert robin.lesion_voxels() == drafted
    meets_nothing_of(robin, slug, first)
    again = paint_and_sign(robin, 0.6, scores=(5, 5, 5, 5, 5))
    assert again not in (drafted, painted)

    # Both stand. What stands for the case is the first; the statistics take each, and find them as one reader's pair.
    rows = site.rows(
        "SELECT r.id::text, r.state, r.repeat, s.independent FROM readings_reading r JOIN readings_signature s"
        " ON s.reading_id = r.id JOIN campaigns_case c ON c.id = r.case_id JOIN campaigns_campaign g"
        " ON g.id = c.campaign_id WHERE g.slug = %s ORDER BY r.repeat",
        slug,
    )
    assert [(row["id"], row["state"], row["repeat"], row["independent"]) for row in rows] == [
        (first, "signed", 0, True),
        (robin.reading_id, "signed", 1, True),
    ]
    assert references(site, slug) == ["signed"]
    lesions = [read_mask_container(robin.get(f"/api/readings/{row['id']}/mask/").body())[0]["findings"] for row in rows]
    assert [int((layer == 1).sum()) for layer in lesions] == [painted, again]

    def pairs() -> list[dict[str, Any]]:
        return [one for one in clara.get(f"/api/campaigns/{slug}/repeats/").json() if one["extent_difference"]]

    (pair,) = clara.until("both are measured", pairs)
    assert (pair["first"], pair["again"], pair["repeat"]) == (first, robin.reading_id, 1)
    assert robin.page.request.get(f"{site.address}/api/campaigns/{slug}/repeats/").status == 403
    assert not robin.troubles, robin.troubles


def paint_and_sign(reader: Reader, across: float, scores: tuple[int, ...] = (1, 2, 3, 4, 0)) -> int:
    """Paint a stroke at a part of the axial pane's width, score, decide, comment and sign; the voxels of lesion."""
    box = reader.page.locator("#pane-axial").bounding_box()
    assert box
    reader.take("brush")
    x, y = int(box["x"] + box["width"] * across), int(box["y"] + box["height"] * 0.45)
    reader.paint([(x, y), (x + 25, y + 9), (x + 51, y + 5)])
    reader.wait_until_saved()
    score(reader, reader.reading_id, scores)
    say(reader, reader.reading_id, "comments", text="A conspicuous comment", voxel=[40, 50, 12])
    decide_everything(reader, reader.reading_id)
    voxels = reader.lesion_voxels()
    reader.press("Control+Enter")
    dialog = reader.page.get_by_role("dialog")
    dialog.get_by_label("Your password").fill(reader.person.password)
    dialog.get_by_role("button", name="Sign", exact=True).click()
    expect(reader.page.get_by_role("button", name="Signed")).to_be_visible()
    return voxels


def meets_nothing_of(reader: Reader, slug: str, first: str) -> None:
    """A repeat begins as the first time did: no score, verdict, comment or other state; no page names the first."""
    there = reader.api()
    assert (there["ending"]["repeat"], there["forms"]["answers"], there["settles"]) == (1, {}, None)
    assert (there["ledger"]["verdicts"], there["ledger"]["seen"]) == ({}, [])
    assert [one["label"].split(",")[0] for one in there["comparable"]] == ["AI draft"]
    assert reader.api("comments/")["threads"] == []
    for path in (
        "/",
        f"/campaigns/{slug}/",
        f"/campaigns/{slug}/cases/1/",
        f"/campaigns/{slug}/cases/1/story/",
        f"/api/campaigns/{slug}/readings/",
        f"/api/readings/{reader.reading_id}/",
        f"/api/readings/{reader.reading_id}/history/",
        "/notices/",
    ):
        text = reader.get(path).text()
        assert first not in text, path
        assert "conspicuous" not in text, path
    for path in ("", "mask/", "history/", "forms/", "comments/", "attesting/", "strokes/?after=0"):
        assert reader.page.request.get(f"{reader.site.address}/api/readings/{first}/{path}").status == 404, path
