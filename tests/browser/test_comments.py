"""A scene of two who speak about a voxel: pinned by key, heard at once, gone to by keyboard, answered, resolved."""

from collections.abc import Callable

import pytest

from tests.journeys.site import Person, Site
from tests.journeys.viewer import Reader

pytestmark = [pytest.mark.browser]
OpenTab = Callable[[Person], Reader]


@pytest.mark.slow
def test_a_comment_is_pinned_where_the_pointer_is_and_answered_by_another(
    site: Site, open_tab: OpenTab, phantom_case: tuple[str, dict[str, Person]]
) -> None:
    slug, people = phantom_case
    reader = open_tab(people["radiologist"])
    reader.sign_in()
    reader.start_reading(slug, 1)
    page = reader.page
    reader.go_to_slice("axial", 22)
    voxel = [50, 60, 22]
    x, y = reader.handle(f"g.voxelToClient('axial', {voxel[0]}, {voxel[1]}, {voxel[2]})")
    page.mouse.move(x, y)
    tool = reader.handle("g.tool")
    reader.press("c")
    # What is typed from now on is text, whatever the viewer's keys are; an @ offers who may see it.
    field = page.get_by_label("Comment", exact=True)
    page.keyboard.type("behzp <b>vessel</b>? @")
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("Enter")
    pane = page.locator("#pane-axial").bounding_box()
    box = field.bounding_box()
    assert pane
    assert box
    assert box["x"] > pane["x"] + pane["width"]
    page.keyboard.press("Control+Enter")
    field.wait_for(state="detached")
    (thread,) = reader.api("comments/")["threads"]
    assert thread["voxel"] == voxel
    assert thread["comments"][0]["text"] == f"behzp <b>vessel</b>? @{people['coordinator'].name}"
    assert reader.handle("g.tool") == tool
    assert page.locator(".comment-text b").count() == 0

    other = open_tab(people["coordinator"])
    other.sign_in()
    other.open_reading(reader.reading_id, ready=False)
    other.wait_for_handle("g?.slicesComplete")
    other.go_to_slice("axial", 3)
    other.press("Shift+C")
    row = other.page.locator(".comment-go")
    row.wait_for()
    # By keyboard alone: to the thread, to its voxel on all planes, to the answer.
    other.tab_to(row)
    other.press("Enter")
    other.wait_for_handle(f'JSON.stringify(g.slices) === \'{{"axial":{voxel[2]},"coronal":60,"sagittal":50}}\'')
    other.tab_to(other.page.get_by_label("Answer"))
    other.page.keyboard.type("A vessel, I think.")
    other.press("Control+Enter")
    page.get_by_text("A vessel, I think.").wait_for()
    other.page.get_by_role("button", name="Resolve", exact=True).click()
    page.get_by_text("Resolved by").wait_for()
    page.get_by_text("0 open").wait_for()
    assert reader.api("comments/")["threads"][0]["resolved"] is True
    assert reader.troubles == other.troubles == []


def test_a_comment_that_cannot_be_sent_stays_in_its_field(
    open_tab: OpenTab, phantom_case: tuple[str, dict[str, Person]]
) -> None:
    slug, people = phantom_case
    reader = open_tab(people["radiologist"])
    reader.sign_in()
    reader.start_reading(slug, 1)
    page = reader.page
    reader.press("c")
    field = page.get_by_label("Comment", exact=True)
    field.fill("Written without a network")
    page.context.set_offline(True)
    page.keyboard.press("Control+Enter")
    page.get_by_text("Not sent").wait_for()
    assert field.input_value() == "Written without a network"
    page.context.set_offline(False)
    page.keyboard.press("Control+Enter")
    page.locator(".comment-text").wait_for()
    assert [t["comments"][0]["text"] for t in reader.api("comments/")["threads"]] == ["Written without a network"]
