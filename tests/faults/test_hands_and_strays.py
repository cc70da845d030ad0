"""From hand to hand, and strokes that went astray: whose turn it is is always clear, and nothing is stuck unseen."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Dialog, Route

from tests.faults.promise import Painter, begin, check_kept, check_screen, check_stored_mask
from tests.journeys.formats import read_mask_container
from tests.journeys.site import Person, Site
from tests.journeys.viewer import Reader

pytestmark = [pytest.mark.fault, pytest.mark.browser]
Case = tuple[str, dict[str, Person]]
OpenTab = Callable[[Person], Reader]


def _abort(route: Route) -> None:
    route.abort()


def _second_tab(site: Site, first: Reader) -> Reader:
    """Another tab of the same person in the same browser, which looks on."""
    second = Reader(site, first.page.context.new_page(), first.person)
    second.open_reading(first.reading_id, ready=False)
    second.wait_for_handle("g?.slicesComplete && g.writing.kind === 'held'")
    return second


def _messages(reader: Reader) -> str:
    return reader.page.locator(".messages").inner_text()


def _sign(reader: Reader) -> None:
    reader.press("Control+Enter")
    dialog = reader.page.locator("dialog[open]")
    dialog.wait_for()
    dialog.locator("input[type=password]").fill(reader.person.password)
    reader.page.keyboard.press("Enter")
    reader.until("the reading is signed", lambda: reader.api()["state"] == "signed")


def _verify(site: Site) -> None:
    done = site.manage("masks", "verify")
    assert ", 0 faults." in done.stdout, done.stderr


def test_mask_goes_from_hand_to_hand_by_asking(site: Site, open_tab: OpenTab, phantom_case: Case) -> None:
    slug, people = phantom_case
    painter = begin(open_tab(people["radiologist"]), slug)
    first = painter.reader
    painter.paint(0)
    second = _second_tab(site, first)
    second.page.get_by_role("button", name="Ask for it").click()
    second.until("it says that it asked", lambda: "asked for it" in _messages(second))
    first.page.bring_to_front()
    first.until("the writer is asked", lambda: "asks for this reading" in _messages(first))
    painter.paint(1)
    first.page.get_by_role("button", name="Hand over").click()
    second.page.bring_to_front()
    second.wait_for_handle("g.mayPaint")
    first.wait_for_handle("!g.mayPaint && g.writing.kind === 'held'")
    elsewhere = Painter(second)
    elsewhere.paint(2)
    second.wait_until_saved()
    stored = check_stored_mask(second, painter.draft)
    assert [stroke["id"] for stroke in stored] == [*painter.painted, *elsewhere.painted]
    assert all(stroke["applied"] for stroke in stored)
    check_screen(first)
    second.page.close(run_before_unload=True)
    first.page.bring_to_front()
    first.until("it is told that the mask is free", lambda: "Nobody is editing" in _messages(first))
    first.page.get_by_role("button", name="Edit", exact=True).click()
    first.wait_for_handle("g.mayPaint")
    painter.paint(3)
    first.wait_until_saved()
    check_screen(first)
    _verify(site)


def test_tab_that_slept_while_another_painted_and_left_wakes_up_to_what_is_there(
    site: Site, open_tab: OpenTab, phantom_case: Case
) -> None:
    slug, people = phantom_case
    painter = begin(open_tab(people["radiologist"]), slug)
    first = painter.reader
    painter.paint(0)
    first.wait_until_saved()
    first.page.context.set_offline(True)
    second = open_tab(people["radiologist"])
    second.sign_in()
    second.open_reading(first.reading_id, ready=False)
    second.wait_for_handle("g?.slicesComplete && g.writing.kind === 'held'")
    second.page.get_by_role("button", name="Take over").click()
    second.wait_for_handle("g.mayPaint")
    Painter(second).paint(1, 2)
    second.wait_until_saved()
    second.page.close(run_before_unload=True)

    # A tab behind another draws no frames, and waiting for it looks once a frame.
    first.page.bring_to_front()
    first.page.context.set_offline(False)
    first.until("it writes again", lambda: _takes_up(first))
    check_screen(first)
    painter.paint(3)
    first.wait_until_saved()
    check_screen(first)
    shown = first.lesion_voxels()
    _sign(first)
    assert int((check_signed_findings(first) == 1).sum()) == shown, "what is signed is what was on the screen"
    _verify(site)


def _takes_up(reader: Reader) -> bool:
    """Whether it writes on what is there; where the other left only after it had asked, it is told so and says yes."""
    edit = reader.page.get_by_role("button", name="Edit", exact=True)
    if edit.is_visible():
        edit.click()
    return bool(reader.handle("g.mask.stroke_sequence === 3 && g.mayPaint"))


def check_signed_findings(reader: Reader) -> Any:
    """The findings of the version that was signed."""
    version = next(v for v in reader.api("history/")["versions"] if v["reason"] == "sign")
    body = reader.get(f"/api/readings/{reader.reading_id}/states/version:{version['id']}/mask/").body()
    return read_mask_container(body)[0]["findings"]


@pytest.mark.slow
def test_strokes_that_were_unsent_when_the_reading_was_signed_elsewhere_are_kept_beside_it(
    site: Site, open_tab: OpenTab, phantom_case: Case
) -> None:
    slug, people = phantom_case
    painter = begin(open_tab(people["radiologist"]), slug)
    first = painter.reader
    painter.paint(0)
    first.wait_until_saved()
    first.page.route("**/api/**", _abort)
    painter.paint(1, 2)
    first.wait_for_handle("g.saving.kind === 'offline' && g.saving.count === 2")
    late = painter.painted[1:]
    second = open_tab(people["radiologist"])
    second.sign_in()
    second.open_reading(first.reading_id, ready=False)
    second.wait_for_handle("g?.slicesComplete && g.writing.kind === 'held'")
    second.page.get_by_role("button", name="Take over").click()
    second.wait_for_handle("g.mayPaint")
    _sign(second)
    signed = check_signed_findings(second)

    first.page.unroute("**/api/**")
    first.page.reload()
    first.wait_for_handle("g?.slicesComplete && g.writing.kind === 'read_only' && g.allSaved()")
    first.until("the strokes are kept", lambda: len(first.stored_strokes()) == 3)
    stored = check_stored_mask(first, painter.draft)
    assert [stroke["id"] for stroke in stored if not stroke["applied"]] == late
    first.until("that is said", lambda: "2 strokes are kept beside the mask" in _messages(first))
    assert (first.stored_layers()["findings"] == signed).all(), "a signed mask does not change"
    first.page.get_by_role("button", name="Look").click()
    assert "after this reading was closed" in first.page.locator(".branch").inner_text()
    _verify(site)


def test_leaving_asks_while_anything_is_unsaved_and_only_then(
    site: Site, open_tab: OpenTab, phantom_case: Case
) -> None:
    slug, people = phantom_case
    painter = begin(open_tab(people["radiologist"]), slug)
    reader = painter.reader
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    reader.page.on("dialog", stay)
    painter.paint(0)
    reader.wait_until_saved()
    path = painter.path(1)
    reader.drag(path, release=False)
    reader.page.evaluate("location.assign('/')")
    reader.until("a stroke in hand is asked about", lambda: asked == ["beforeunload"])
    reader.page.mouse.up()
    reader.wait_until_saved()
    reader.page.route("**/api/**", _abort)
    painter.paint(2)
    reader.wait_for_handle("g.saving.kind === 'offline'")
    reader.page.evaluate("location.assign('/')")
    reader.until("an unsent stroke is asked about", lambda: len(asked) == 2)
    reader.page.unroute("**/api/**")
    check_kept(painter, 3)
    reader.page.evaluate("location.assign('/')")
    reader.page.wait_for_url(f"{site.address}/")
    assert len(asked) == 2, "nobody is asked when all is saved"


def test_signing_in_again_in_another_tab_is_enough(site: Site, open_tab: OpenTab, phantom_case: Case) -> None:
    slug, people = phantom_case
    painter = begin(open_tab(people["radiologist"]), slug)
    reader = painter.reader
    painter.paint(0)
    reader.wait_until_saved()
    elsewhere = Reader(site, reader.page.context.new_page(), reader.person)
    elsewhere.page.goto(f"{site.address}/")
    # Painted before it can hear of it: a tab that comes to the front asks at once, and would be told before a stroke.
    reader.page.bring_to_front()
    reader.page.route("**/api/**", _abort)
    painter.paint(1)
    elsewhere.page.bring_to_front()
    elsewhere.page.get_by_role("button", name="Sign out").click()
    elsewhere.page.wait_for_url("**/sign-in/**")
    reader.page.bring_to_front()
    reader.page.unroute("**/api/**")
    reader.page.locator("dialog[open]").wait_for()
    elsewhere.page.bring_to_front()
    elsewhere.sign_in()  # the session and its token are new ones
    reader.page.bring_to_front()
    reader.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    reader.page.locator("dialog[open]").wait_for(state="hidden")
    painter.paint(2)
    check_kept(painter, 3)


def test_one_stroke_that_the_server_will_not_have_stops_nobody_and_stays_in_reach(
    site: Site, open_tab: OpenTab, phantom_case: Case
) -> None:
    slug, people = phantom_case
    painter = begin(open_tab(people["radiologist"]), slug)
    reader = painter.reader
    painter.paint(0)
    reader.wait_until_saved()
    reader.page.context.set_offline(True)
    painter.paint(1, 2, 3)
    bad = painter.painted[2]

    def spoil(route: Route) -> None:
        body = route.request.post_data_json
        for stroke in body["strokes"]:
            if stroke["id"] == bad:
                stroke["payload_sha256"] = "0" * 64
        route.continue_(post_data=json.dumps(body))

    reader.page.route("**/strokes/", spoil)
    reader.page.context.set_offline(False)
    reader.until("it is said", lambda: "1 stroke could not be saved" in _messages(reader))
    reader.wait_until_saved()
    stored = check_stored_mask(reader, painter.draft)
    assert [stroke["id"] for stroke in stored] == [name for name in painter.painted if name != bad]
    check_screen(reader)
    with reader.page.expect_download() as download:
        reader.page.get_by_role("button", name="Save to a file").click()
    (kept,) = json.loads(download.value.path().read_text())["strokes"]
    assert (kept["id"], bool(kept["payload"])) == (bad, True)
    reader.wait_for_handle("g.mayPaint")
    painter.paint(4)
    reader.wait_until_saved()

    reader.page.unroute("**/strokes/")
    reader.page.reload()
    reader.wait_until_ready()
    reader.page.get_by_role("button", name="Try again").click()
    reader.until("now it is taken", lambda: len(reader.stored_strokes()) == 5)
    reader.wait_until_saved()
    check_screen(reader)
    assert "could not be saved" not in _messages(reader)
    _verify(site)
