"""Two tabs of one person, and two people at one case: one writes a mask, others look on, nothing is mixed."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Route

from tests.faults.promise import Painter, begin, check_kept, check_screen, check_stored_mask
from tests.journeys.fixtures import furnished_case
from tests.journeys.site import Person, Site
from tests.journeys.viewer import Reader

pytestmark = [pytest.mark.fault, pytest.mark.browser]
Case = tuple[str, dict[str, Person]]
OpenTab = Callable[[Person], Reader]


def _abort(route: Route) -> None:
    route.abort()


def test_second_tab_looks_on_takes_over_and_late_strokes_of_the_first_are_a_branch(
    site: Site, open_tab: OpenTab, phantom_case: Case
) -> None:
    slug, people = phantom_case
    painter = begin(open_tab(people["radiologist"]), slug)
    first = painter.reader
    painter.paint(0)
    first.wait_until_saved()

    second = Reader(site, first.page.context.new_page(), first.person)
    second.open_reading(first.reading_id, ready=False)
    second.wait_for_handle("g?.slicesComplete && g.writing.kind === 'held'")
    said = second.page.locator(".messages").inner_text()
    assert f"Being edited by {first.person.name} since" in said

    first.page.bring_to_front()
    first.page.route("**/api/**", _abort)
    painter.paint(1, 2)
    first.wait_for_handle("g.saving.kind === 'offline' && g.saving.count === 2")
    late = painter.painted[1:]

    second.page.bring_to_front()
    second.page.get_by_role("button", name="Take over").click()
    second.wait_for_handle("g.mayPaint")
    elsewhere = Painter(second)
    elsewhere.paint(3, 4)
    second.wait_until_saved()

    first.page.bring_to_front()
    first.page.unroute("**/api/**")
    first.until("the late strokes are stored", lambda: len(second.stored_strokes()) == 5)
    stored = check_stored_mask(second, painter.draft)
    applied = [stroke["id"] for stroke in stored if stroke["applied"]]
    assert applied == [painter.painted[0], *elsewhere.painted]
    assert [stroke["id"] for stroke in stored if not stroke["applied"]] == late
    first.wait_for_handle("!g.mayPaint")
    check_screen(first)
    assert first.page.locator(".messages").inner_text().strip(), "the first tab is told"
    for reader in (first, second):
        (branch,) = reader.api("branches/")["branches"]
        assert [stroke["id"] for stroke in branch["strokes"]] == late
        assert branch["settled"] is None
    _merge(second, len(late))
    assert not first.troubles + second.troubles


def _merge(reader: Reader, count: int) -> None:
    """Look at what is kept beside, and bring it in: the mask holds its voxels then, and an undo takes them out."""
    reader.page.bring_to_front()
    reader.press("Shift+H")
    before = reader.lesion_voxels()
    row = reader.page.locator(".branch")
    assert f"{count} strokes" in row.inner_text()
    row.get_by_role("button", name="Look").click()
    assert reader.lesion_voxels() == before, "looking changes nothing"
    row.get_by_role("button", name="Merge").click()
    reader.page.get_by_text("were merged by").wait_for()
    (branch,) = reader.api("branches/")["branches"]
    assert branch["settled"]["decision"] == "merged"
    assert reader.lesion_voxels() == before + branch["voxel_count"]
    check_screen(reader)
    # Settled, it can be looked at still.
    reader.page.get_by_role("button", name="Look").first.click()
    reader.press("z")
    reader.wait_until_saved()
    assert reader.lesion_voxels() == before
    check_screen(reader)


def test_two_readers_of_one_case_paint_masks_of_their_own_and_the_coordinator_looks_on(
    site: Site, open_tab: OpenTab, request: pytest.FixtureRequest
) -> None:
    slug, people = furnished_case(site, request.node.name, "coordinator", "radiologist", "radiologist 2")
    one = begin(open_tab(people["radiologist"]), slug)
    two = begin(open_tab(people["radiologist 2"]), slug)
    assert one.reader.reading_id != two.reader.reading_id
    one.paint(0, 1)
    two.paint(2)
    watching = open_tab(people["coordinator"])
    watching.sign_in()
    watching.open_reading(one.reader.reading_id, ready=False)
    watching.wait_for_handle("g?.slicesComplete && ['held', 'read_only'].includes(g.writing.kind)")
    assert watching.page.locator(".messages").inner_text().strip(), "who looks on is told so"
    watching.press("b")
    assert watching.handle("g.tool") != "brush", "who looks on is given no brush"
    one.paint(3)
    check_kept(one, 3)
    check_kept(two, 1)
    check_screen(watching)
    answer = two.reader.page.request.get(f"{site.address}/api/readings/{one.reader.reading_id}/")
    assert answer.status == 404, "a reader does not see what another reads"
