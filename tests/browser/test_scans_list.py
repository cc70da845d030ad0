"""Scans are found by keys alone, filtered by menus that close as menus do, and opened by Enter."""

from collections.abc import Callable
from pathlib import Path

import pytest

from inference.phantoms import make_phantom, write_dicom_series
from tests.journeys.site import Person, Site
from tests.journeys.viewer import Reader

pytestmark = [pytest.mark.browser]


def test_scan_is_searched_chosen_and_opened_by_keys_and_its_pictures_show(
    site: Site, open_tab: Callable[[Person], Reader], phantom_case: tuple[str, dict[str, Person]]
) -> None:
    reader = open_tab(phantom_case[1]["coordinator"])
    reader.sign_in()
    page = reader.page
    page.goto(f"{site.address}/scans/")
    page.keyboard.press("/")
    page.keyboard.type("lung b60f")
    page.keyboard.press("Enter")
    page.wait_for_url("**/scans/?q=lung+b60f*")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("() => document.activeElement.matches('tr[data-href]')")
    thumbnail = page.locator("tr:focus img")
    assert (
        thumbnail.evaluate("image => image.decode().then(() => Math.max(image.naturalWidth, image.naturalHeight))")
        == 96
    )
    page.keyboard.press("Enter")
    page.wait_for_url("**/scans/*-*/")
    planes = page.locator(".planes img")
    assert planes.count() == 3
    for plane in planes.all():
        # Something is on it: not one grey.
        assert (
            plane.evaluate(
                """async image => {
              await image.decode();
              const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 64 });
              const context = canvas.getContext('2d');
              context.drawImage(image, 0, 0, 64, 64);
              return new Set(context.getImageData(0, 0, 64, 64).data.filter((_, n) => n % 4 === 0)).size;
            }"""
            )
            > 20
        )
    page.keyboard.press("Enter")  # the scan's one case
    page.wait_for_url("**/cases/1/")
    assert page.get_by_role("link", name="All of it").is_visible()


def test_one_menu_is_open_at_a_time_and_escape_closes_it(
    site: Site, open_tab: Callable[[Person], Reader], phantom_case: tuple[str, dict[str, Person]], tmp_path: Path
) -> None:
    slug, people = phantom_case
    site.ingest(another_phantom(tmp_path), slug=slug)
    reader = open_tab(people["coordinator"])
    reader.sign_in()
    page = reader.page
    page.goto(f"{site.address}/scans/")
    menus = page.locator("details.menu")
    assert menus.count() >= 1
    first = menus.first
    first.locator("summary").focus()
    page.keyboard.press("Enter")
    assert first.get_attribute("open") is not None
    page.keyboard.press("Escape")
    assert first.get_attribute("open") is None
    assert page.evaluate("() => document.activeElement.tagName") == "SUMMARY"
    first.locator("summary").click()
    page.locator("h1").click()
    assert first.get_attribute("open") is None
    first.locator("summary").click()
    first.locator("a").first.click()
    page.wait_for_load_state()
    assert page.locator(".chip.chosen").count() == 1
    page.locator(".chip.chosen").click()
    page.wait_for_load_state()
    assert page.locator(".chip.chosen").count() == 0


def another_phantom(folder: Path) -> Path:
    """A second patient, of another sex and age, so that there is something to choose from."""
    phantom = make_phantom(2, shape_zyx=(24, 64, 64), spacing_zyx_mm=(11.0, 5.5, 5.5))
    write_dicom_series(phantom, folder, patient_id="PHANTOM-2", patient_sex="F", patient_age="030Y")
    return folder
