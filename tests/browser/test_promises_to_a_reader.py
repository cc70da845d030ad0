"""Scenes in Chromium, one for each promise to a reader."""

from collections.abc import Callable

import pytest

from tests.journeys.site import Person, Site
from tests.journeys.viewer import Reader

pytestmark = [pytest.mark.browser]
Case = tuple[str, dict[str, Person]]
OpenTab = Callable[[Person], Reader]


def _reading(open_tab: OpenTab, case: Case) -> Reader:
    slug, people = case
    reader = open_tab(people["radiologist"])
    reader.sign_in()
    reader.start_reading(slug, 1)
    return reader


def test_undo_and_redo_of_twenty_mixed_edits_give_the_exact_masks(
    site: Site, open_tab: OpenTab, phantom_case: Case
) -> None:
    reader = _reading(open_tab, phantom_case)
    scan = reader.api()["scan"]
    _, ny, nx = scan["shape_zyx"]
    radius_mm = reader.handle("g.brushMm") / 2
    draft = reader.stored_layers()["findings"]
    before = reader.lesion_voxels()
    views = {plane: reader.view(plane) for plane in ("axial", "coronal", "sagittal")}
    for n in range(20):
        plane = ("axial", "coronal", "axial", "sagittal")[n % 4]
        reader.take("eraser" if n % 5 == 4 else "brush")
        spot = (nx * (0.25 + 0.02 * n), ny * 0.5) if plane == "axial" else (nx * (0.3 + 0.02 * n), 14 + n / 2)
        reader.drag(reader.path_near(views[plane], spot, radius_mm, scan, steps=2))
    after = reader.lesion_voxels()
    done = reader.strokes_done()
    assert done >= 15, "nearly every drag changes something"
    reader.wait_until_saved()
    painted = reader.stored_layers()["findings"]
    for _ in range(done):
        reader.press("z")
    reader.wait_until_saved()
    assert len(reader.stored_strokes()) == 2 * done
    assert reader.lesion_voxels() == before
    assert (reader.stored_layers()["findings"] == draft).all()
    for _ in range(done):
        reader.press("Shift+Z")
    reader.wait_until_saved()
    assert len(reader.stored_strokes()) == 3 * done
    assert reader.lesion_voxels() == after
    assert (reader.stored_layers()["findings"] == painted).all()
    assert not reader.troubles, reader.troubles


def test_keys_choose_tools_and_hide_masks_while_held(site: Site, open_tab: OpenTab, phantom_case: Case) -> None:
    reader = _reading(open_tab, phantom_case)
    for key, tool in (("b", "brush"), ("e", "eraser")):
        reader.press(key)
        reader.wait_for_handle(f"g.tool === '{tool}'")
        pressed = reader.page.locator("[aria-pressed=true]")
        assert any(tool in (label or "").lower() for label in pressed.all_inner_texts()) or pressed.count()
    brush_mm = reader.handle("g.brushMm")
    reader.press("]")
    reader.wait_for_handle(f"g.brushMm > {brush_mm}")
    reader.press("[")
    reader.wait_for_handle(f"g.brushMm === {brush_mm}")
    shown = _overlay_pixels(reader)
    assert shown > 0
    reader.page.keyboard.down("h")
    reader.until("the masks are hidden", lambda: _overlay_pixels(reader) < shown)
    hidden = _overlay_pixels(reader)
    reader.page.keyboard.up("h")
    reader.until("the masks are back", lambda: _overlay_pixels(reader) == shown)
    assert hidden < shown
    reader.press("?")
    reader.page.locator("dialog[open]").wait_for()
    assert "Undo" in reader.page.locator("dialog[open]").inner_text()
    reader.press("Escape")
    reader.page.locator("dialog[open]").wait_for(state="hidden")


def _overlay_pixels(reader: Reader) -> int:
    """How many pixels the axial plane's overlay (masks, scale) draws."""
    count: int = reader.page.evaluate(
        """() => {
          const canvas = document.querySelector('#pane-axial canvas.pane-overlay');
          const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
          let drawn = 0;
          for (let p = 3; p < data.length; p += 4) if (data[p]) drawn++;
          return drawn;
        }"""
    )
    return count


def test_second_tab_looks_and_does_not_write(site: Site, open_tab: OpenTab, phantom_case: Case) -> None:
    reader = _reading(open_tab, phantom_case)
    second = Reader(site, reader.page.context.new_page(), reader.person)
    second.open_reading(reader.reading_id, ready=False)
    second.wait_for_handle("g?.slicesComplete && g.writing.kind === 'held'")
    scan = reader.api()["scan"]
    _, ny, nx = scan["shape_zyx"]
    radius_mm = second.handle("g.brushMm") / 2
    second.press("b")
    assert second.handle("g.tool") == "window", "who only looks is given no brush"
    second.drag(second.path_near(second.view("axial"), (nx * 0.2, ny * 0.15), radius_mm, scan, steps=2))
    assert second.strokes_done() == 0
    assert reader.stored_strokes() == []
    reader.page.bring_to_front()
    reader.take("brush")
    reader.paint(reader.path_near(reader.view("axial"), (nx * 0.2, ny * 0.15), radius_mm, scan, steps=2))
    reader.wait_until_saved()
    count = reader.lesion_voxels()
    second.page.bring_to_front()
    second.wait_for_handle(f"g.voxelCount('findings', 1) === {count}")


def test_strokes_painted_offline_are_kept_and_sent_when_the_network_is_back(
    site: Site, open_tab: OpenTab, phantom_case: Case
) -> None:
    reader = _reading(open_tab, phantom_case)
    scan = reader.api()["scan"]
    _, ny, nx = scan["shape_zyx"]
    radius_mm = reader.handle("g.brushMm") / 2
    reader.page.context.set_offline(True)
    reader.take("brush")
    for n in range(2):
        spot = (nx * (0.2 + 0.3 * n), ny * 0.15)
        reader.paint(reader.path_near(reader.view("axial"), spot, radius_mm, scan, steps=2))
    reader.wait_for_handle("g.saving.kind === 'offline' && g.saving.count === 2")
    assert "2" in reader.page.locator("[aria-live]").all_inner_texts().__str__()
    reader.page.context.set_offline(False)
    reader.wait_until_saved()
    assert [stroke["id"] for stroke in reader.stored_strokes()] == reader.handle("g.strokes.map(s => s.id)")


def test_strokes_of_a_tab_that_was_taken_over_are_kept_aside_and_not_applied(
    site: Site, open_tab: OpenTab, phantom_case: Case
) -> None:
    first = _reading(open_tab, phantom_case)
    scan = first.api()["scan"]
    _, ny, nx = scan["shape_zyx"]
    radius_mm = first.handle("g.brushMm") / 2
    spots = [(nx * 0.2, ny * 0.15), (nx * 0.8, ny * 0.15)]
    second = Reader(site, first.page.context.new_page(), first.person)
    second.open_reading(first.reading_id, ready=False)
    second.wait_for_handle("g?.slicesComplete && g.writing.kind === 'held'")

    first.page.bring_to_front()
    first.page.route("**/api/**", lambda route: route.abort())
    first.take("brush")
    first.paint(first.path_near(first.view("axial"), spots[0], radius_mm, scan, steps=2))
    first.wait_for_handle("g.saving.kind === 'offline'")

    second.page.bring_to_front()
    second.page.get_by_role("button", name="Take over").click()
    second.wait_for_handle("g.mayPaint")
    second.take("brush")
    second.paint(second.path_near(second.view("axial"), spots[1], radius_mm, scan, steps=2))
    second.wait_until_saved()
    mask = second.stored_layers()["findings"]

    first.page.bring_to_front()
    first.page.unroute("**/api/**")
    first.until("the late stroke is stored", lambda: len(second.stored_strokes()) == 2)
    kept, aside = second.stored_strokes()
    assert kept["applied"]
    assert not aside["applied"]
    assert aside["id"] == first.handle("g.strokes[0].id"), "kept under its own name"
    assert (second.stored_layers()["findings"] == mask).all()
    first.wait_for_handle("!g.mayPaint")
    first.wait_for_handle(f"g.voxelCount('findings', 1) === {int((mask == 1).sum())}")
    assert not first.troubles + second.troubles
