"""Scenes of looking: what lies over the picture, the ledger of seen slices, keys of one's own, a reading by keys."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from tests.journeys.formats import read_mask_container
from tests.journeys.site import Person, Site
from tests.journeys.viewer import Reader

pytestmark = [pytest.mark.browser]
Case = tuple[str, dict[str, Person]]
OpenTab = Callable[[Person], Reader]
DWELL_MS = 250


def _reading(open_tab: OpenTab, case: Case) -> Reader:
    slug, people = case
    reader = open_tab(people["radiologist"])
    reader.sign_in()
    reader.start_reading(slug, 1)
    return reader


def _figure(reader: Reader, selector: str) -> float:
    """The first number that the page shows there."""
    text = reader.page.locator(selector).first.inner_text().replace(",", "")
    found = re.search(r"-?\d+(\.\d+)?", text)
    assert found, (selector, text)
    return float(found[0])


def _legend(reader: Reader, name: str) -> float:
    return _figure(reader, f".legend li:has-text('{name}') .num")


def _draft(reader: Reader) -> NDArray[np.uint8]:
    """Findings as the reading began."""
    body = reader.get(f"/api/readings/{reader.reading_id}/states/stroke:0/mask/").body()
    return read_mask_container(body)[0]["findings"]


def _compare_other_states(reader: Reader) -> None:
    """Any state as A, and the lungs; back at the end."""
    ml, page = reader.api()["scan"]["voxel_volume_ml"], reader.page
    now, begun = reader.stored_layers()["findings"], _draft(reader)

    def volumes() -> list[str]:
        return [cell.replace(",", "") for cell in page.locator("tr[data-label='1'] td").all_inner_texts()]

    def volume(voxels: int) -> float:
        return pytest.approx(voxels * ml, abs=0.06 if voxels * ml < 100 else 0.6)  # type: ignore[no-any-return]

    assert [float(text.split()[0]) for text in volumes()] == [volume((now == 1).sum()), volume((begun == 1).sum())]
    page.get_by_label("State A").select_option("stroke:0")
    reader.until("it is compared with itself", lambda: _figure(reader, "[data-number=dice] b") == 1)
    assert (_legend(reader, "Only A"), _legend(reader, "Only B")) == (0, 0)
    assert page.get_by_text("it cannot be painted now").is_visible()
    page.get_by_role("button", name="Lungs").click()
    lungs = reader.stored_layers()["anatomy"] > 0
    reader.until("the lungs", lambda: _legend(reader, "Both") == volume(lungs.sum()))
    page.get_by_role("button", name="Findings").click()
    page.get_by_label("State A").select_option("now")
    reader.until("the mask again", lambda: _legend(reader, "Only A") > 0)


def test_difference_shows_the_numbers_of_the_voxels_and_follows_the_brush(
    site: Site, open_tab: OpenTab, phantom_case: Case
) -> None:
    reader = _reading(open_tab, phantom_case)
    scan = reader.api()["scan"]
    _, ny, nx = scan["shape_zyx"]
    radius_mm = reader.handle("g.brushMm") / 2
    painted_on = int(reader.handle("g.slices.axial"))
    reader.take("brush")
    reader.paint(reader.path_near(reader.view("axial"), (nx * 0.25, ny * 0.5), radius_mm, scan, steps=3))
    reader.wait_until_saved()
    reader.press("d")
    reader.page.locator(".legend[aria-busy=false]").wait_for()

    def check() -> None:
        a, b = reader.stored_layers()["findings"] == 1, _draft(reader) == 1
        ml = scan["voxel_volume_ml"]
        for name, voxels in (("Both", a & b), ("Only A", a & ~b), ("Only B", b & ~a)):
            shown = _legend(reader, name)
            assert shown == pytest.approx(voxels.sum() * ml, abs=0.006 if shown < 10 else 0.06), name
        dice = 2 * (a & b).sum() / (a.sum() + b.sum())
        assert _figure(reader, "[data-number=dice] b") == pytest.approx(dice, abs=0.00051)

    check()
    only_a = _legend(reader, "Only A")
    assert only_a > 0
    _compare_other_states(reader)
    reader.go_to_slice("axial", painted_on - 5)
    reader.press("Control+d")
    reader.wait_for_handle(f"g.slices.axial === {painted_on}")
    reader.go_to_slice("axial", painted_on + 4)
    reader.press("Shift+D")
    reader.wait_for_handle(f"g.slices.axial === {painted_on}")
    # The same numbers go on with the next stroke, and back with its undoing.
    reader.take("eraser")
    reader.paint(reader.path_near(reader.view("axial"), (nx * 0.3, ny * 0.55), radius_mm, scan, steps=3))
    reader.wait_until_saved()
    reader.page.wait_for_timeout(300)
    check()
    for _ in range(2):
        reader.press("z")
    reader.wait_until_saved()
    reader.until("nothing differs", lambda: _legend(reader, "Only A") == 0 and _legend(reader, "Only B") == 0)
    assert _figure(reader, "[data-number=dice] b") == 1
    reader.press("d")
    reader.page.locator("section[aria-label=Difference]").wait_for(state="detached")
    assert not reader.troubles, reader.troubles


def test_a_past_state_is_restored_from_the_film_and_the_film_goes_by_reader(
    open_tab: OpenTab, phantom_case: Case
) -> None:
    reader = _reading(open_tab, phantom_case)
    page, scan = reader.page, reader.api()["scan"]
    _, ny, nx = scan["shape_zyx"]
    reader.take("brush")
    for part in (0.25, 0.4):
        path = reader.path_near(
            reader.view("axial"), (nx * part, ny * 0.5), reader.handle("g.brushMm") / 2, scan, steps=3
        )
        reader.paint(path)
    reader.wait_until_saved()
    painted = reader.stored_layers()["findings"]
    reader.press("Shift+H")
    page.get_by_role("button", name="Look at the film").click()
    page.get_by_text("2 / 2").wait_for()
    who = reader.person.name
    assert page.get_by_label("Sitting").locator("option").all_inner_texts()[-1].endswith(f"{who}, 2 strokes")
    page.get_by_role("button", name="One stroke back").click()
    page.get_by_text("1 / 2").wait_for()
    page.get_by_label("Stroke of the film").press("Home")
    page.locator(".film .num").get_by_text("as it began").wait_for()
    page.get_by_role("button", name="Restore").first.click()
    page.locator(".versions").get_by_text("Restored", exact=True).wait_for()
    draft = _draft(reader)
    assert np.array_equal(reader.stored_layers()["findings"], draft)
    reader.wait_for_handle(f"g.voxelCount('findings', 1) === {int((draft == 1).sum())}")
    # It is an edit like any other: it can be taken back, also by whoever opens the reading anew.
    page.reload()
    reader.wait_until_ready()
    reader.press("z")
    reader.wait_until_saved()
    assert np.array_equal(reader.stored_layers()["findings"], painted)
    assert not reader.troubles, reader.troubles


def test_slices_count_as_seen_after_a_look_and_not_when_scrolled_past(
    site: Site, open_tab: OpenTab, phantom_case: Case
) -> None:
    reader = _reading(open_tab, phantom_case)

    def told() -> list[int]:
        seen: list[int] = reader.api()["ledger"]["seen"]
        return seen

    start = int(reader.handle("g.slices.axial"))
    reader.until("the first slice is in the ledger", lambda: told() == [start])
    lung = reader.api()["ledger"]["lung"]
    shown = reader.page.locator(".w-seen")
    assert shown.inner_text() == f"seen 1 of {len(lung)}"
    visited = [start]
    for _ in range(3):
        reader.press("n")
        reader.wait_for_handle(f"g.slices.axial !== {visited[-1]}")
        visited.append(int(reader.handle("g.slices.axial")))
        reader.page.wait_for_function(
            "n => document.querySelector('.w-seen').innerText.startsWith(`seen ${n} `)", arg=len(visited)
        )
    assert visited == [start, start - 1, start - 2, start - 3], "towards the feet, each of them unseen"
    # In a window in which lung is black nothing is seen, however long.
    reader.press("w")
    reader.press("ArrowDown")
    reader.page.wait_for_timeout(3 * DWELL_MS)
    reader.press("w")
    reader.press("w")
    # Neither is what a fast scroll passes: one turn of the page's loop goes through ten slices.
    reader.page.evaluate(
        """() => { for (let n = 0; n < 10; n++)
             dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowUp', code: 'ArrowUp' })); }"""
    )
    end = start - 4 + 10
    reader.wait_for_handle(f"g.slices.axial === {end}")
    reader.until("the ledger", lambda: told() == sorted({*visited, end}))
    # The other tab of the same person begins with it.
    second = Reader(site, reader.page.context.new_page(), reader.person)
    second.open_reading(reader.reading_id, ready=False)
    second.wait_for_handle("g?.slicesComplete")
    assert set(visited) <= set(told())
    assert not reader.troubles, reader.troubles


@pytest.mark.slow
def test_a_key_is_given_away_only_after_a_sentence_and_follows_the_person(
    site: Site, open_tab: OpenTab, phantom_case: Case
) -> None:
    reader = _reading(open_tab, phantom_case)
    reader.press("?")
    sheet = reader.page.locator("dialog[open]")
    sheet.get_by_role("searchbox").fill("eraser")
    sheet.get_by_role("button", name="Eraser").click()
    reader.press("b")
    assert "Brush" in sheet.get_by_role("alert").inner_text()
    assert "without a key" in sheet.get_by_role("alert").inner_text()
    sheet.get_by_role("button", name="Change hands").click()
    reader.press("Escape")
    sheet.wait_for(state="hidden")
    reader.press("b")
    reader.wait_for_handle("g.tool === 'eraser'")
    reader.press("o")
    reader.until(
        "the server has both",
        lambda: (
            reader.get("/api/preferences/viewer/").json().get("keys") == {"eraser": ["b"], "brush": []}
            and reader.get("/api/preferences/viewer/").json()["masks"]["look"] == "outline"
        ),
    )
    elsewhere = open_tab(reader.person)
    elsewhere.sign_in()
    elsewhere.open_reading(reader.reading_id, ready=False)
    elsewhere.wait_for_handle("g?.slicesComplete")
    assert (
        elsewhere.page.get_by_role("group", name="Fill and outline").locator("[aria-pressed=true]").inner_text()
        == "outline"
    )
    elsewhere.press("?")
    sheet = elsewhere.page.locator("dialog[open]")
    assert sheet.get_by_role("button", name=re.compile("^Eraser: B")).count() == 1
    sheet.get_by_role("button", name="Reset all").click()
    assert sheet.get_by_role("button", name=re.compile("^Eraser: E")).count() == 1


def test_a_locked_label_stays_and_provenance_names_who_painted(
    site: Site, open_tab: OpenTab, phantom_case: Case
) -> None:
    reader = _reading(open_tab, phantom_case)
    scan = reader.api()["scan"]
    _, ny, nx = scan["shape_zyx"]
    radius_mm = reader.handle("g.brushMm") / 2
    path = reader.path_near(reader.view("axial"), (nx * 0.2, ny * 0.15), radius_mm, scan, steps=2)
    reader.press("2")
    reader.take("brush")
    reader.paint(path)
    reader.wait_until_saved()
    painted = int(reader.handle("g.voxelCount('findings', 2)"))
    assert painted > 0
    reader.page.get_by_role("button", name="Lock Reticulation").click()
    reader.take("eraser")
    reader.drag(path)
    reader.page.wait_for_timeout(200)
    assert reader.handle("g.voxelCount('findings', 2)") == painted
    reader.press("q")
    reader.page.locator("section[aria-label=Provenance] .authors li").nth(1).wait_for()
    reader.page.mouse.move(*path[1])
    story = reader.page.locator(".story li").first
    story.wait_for()
    assert reader.person.name in story.inner_text()
    assert "brush" in story.inner_text()
    assert "nothing → Reticulation" in story.inner_text()
    reader.press("q")
    assert not reader.troubles, reader.troubles


@pytest.mark.slow
def test_a_whole_reading_by_keys_alone(site: Site, open_tab: OpenTab, phantom_case: Case) -> None:
    slug, people = phantom_case
    reader = open_tab(people["radiologist"])
    page = reader.page
    reader.sign_in()
    page.goto(f"{site.address}/campaigns/{slug}/")
    reader.press("ArrowDown")
    reader.press("Enter")
    page.wait_for_url("**/cases/1/")
    reader.press("Enter")
    page.wait_for_url("**/readings/*/")
    reader.reading_id = page.url.rstrip("/").rsplit("/", 1)[-1]
    reader.wait_until_ready()
    scan = reader.api()["scan"]
    nz, ny, nx = scan["shape_zyx"]
    start = reader.handle("g.slices")
    # Onto the axial plane, then through its slices.
    reader.tab_to(page.get_by_role("region", name=re.compile("^Axial plane")))
    reader.press("ArrowUp")
    reader.press("PageDown")
    reader.wait_for_handle(f"g.slices.axial === {start['axial'] - 9}")
    # Right on the screen is the patient's left; the phantom's columns run that way.
    for key in ("Alt+ArrowRight", "Alt+ArrowRight", "Alt+ArrowDown"):
        reader.press(key)
    at = reader.handle("g.slices")
    assert at["sagittal"] > start["sagittal"]
    assert at["coronal"] > start["coronal"]
    before = reader.stored_layers()["findings"]
    reader.press("3")
    reader.press("Alt+Enter")
    reader.wait_until_saved()
    _, sy, sx = scan["spacing_zyx_mm"]
    y, x = np.mgrid[:ny, :nx]
    disc = np.hypot((x - at["sagittal"]) * sx, (y - at["coronal"]) * sy) <= reader.handle("g.brushMm") / 2
    expected = before.copy()
    expected[at["axial"]][disc] = 3
    assert (reader.stored_layers()["findings"] == expected).all()
    reader.press("z")
    reader.wait_until_saved()
    assert (reader.stored_layers()["findings"] == before).all()
    reader.press("Shift+Z")
    reader.wait_until_saved()
    # A click of a tool, given at the crosshair: the lesion there becomes another label, and that is taken back.
    reader.press("j")
    z, y, x = (int(reader.handle(f"g.slices.{plane}")) for plane in ("axial", "coronal", "sagittal"))
    assert expected[z, y, x] == 1
    reader.press("Shift+E")
    reader.tab_to(page.get_by_role("group", name="It becomes").get_by_role("button").nth(1))
    reader.press("Space")
    reader.press("Alt+Enter")
    reader.wait_for_handle(f"g.allSaved() && g.voxelAt('findings', {x}, {y}, {z}) === 2")
    pieces, _ = ndimage.label(expected == 1, np.ones((3, 3, 3)))
    relabelled = np.where(pieces == pieces[z, y, x], 2, expected)
    assert (reader.stored_layers()["findings"] == relabelled).all()
    reader.press("z")
    reader.wait_until_saved()
    # A slider with the focus keeps its keys from the slices.
    reader.tab_to(page.locator(".opacity input"))
    for key, percent in (("Home", "5 %"), ("ArrowUp", "10 %")):
        reader.press(key)
        assert page.locator(".opacity .num").inner_text() == percent
    assert int(reader.handle("g.slices.axial")) == z
    reader.press("Shift+Tab")
    # Provenance tells of the crosshair's voxel.
    reader.press("q")
    page.locator("section[aria-label=Provenance] .authors li").first.wait_for()
    reader.press("Alt+ArrowRight")
    page.locator(".story li").first.wait_for()
    told = page.locator(".story p.num").inner_text()
    found = [int(number) - 1 for number in re.findall(r"\d+", told)]
    assert found == [int(reader.handle(f"g.slices.{plane}")) for plane in ("sagittal", "coronal", "axial")]
    reader.press("q")
    reader.press("d")
    page.locator(".legend[aria-busy=false]").wait_for()
    reader.press("d")
    # Another plane is the active one, and alone on the screen; the panel is folded away meanwhile.
    # (Tab has gone through the planes to the panel: the last of them is the active one.)
    assert page.locator(".pane.active").get_attribute("aria-label").startswith("Sagittal")
    reader.press(",")
    reader.press(",")
    before_up = int(reader.handle("g.slices.coronal"))
    reader.press("ArrowUp")
    reader.wait_for_handle(f"g.slices.coronal !== {before_up}")
    reader.press(".")
    reader.wait_for_handle("g.layout.planes.join() === 'coronal'")
    reader.press("Shift+F")
    page.locator("aside.side").wait_for(state="hidden")
    reader.press("Shift+F")
    reader.press(".")
    reader.wait_for_handle("g.layout.planes.length === 3")
    # The panel's tabs by arrows, the strip as a slider.
    reader.tab_to(page.get_by_role("tab", name="Labels"), "Shift+Tab")
    reader.press("ArrowRight")
    assert page.get_by_role("tab", name="Lesions").get_attribute("aria-selected") == "true"
    strip = page.get_by_role("slider", name="Axial slice")
    reader.tab_to(strip, "Shift+Tab")
    reader.press("Home")
    reader.wait_for_handle(f"g.slices.axial === {nz - 1}")
    assert strip.get_attribute("aria-valuenow") == str(nz)
    reader.press("Control+Enter")
    page.locator("input[type=password]:focus").wait_for()
    page.keyboard.type(reader.person.password)
    reader.press("Enter")
    reader.until(
        "it is signed, or refused with a sentence",
        lambda: page.get_by_role("button", name="Signed").count() or page.locator(".sheet-wrong").inner_text().strip(),
    )
    assert page.get_by_role("button", name="Signed").count(), page.locator(".sheet-wrong").inner_text()
    assert (reader.stored_layers()["findings"] == expected).all()
    assert not reader.troubles, reader.troubles
