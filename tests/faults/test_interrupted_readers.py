"""Things that happen to a reader at work: no network, a session that ends, a wrong clock, a full disk, a closed lid."""

import contextlib
from collections.abc import Callable

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Route

from tests.faults.promise import Painter, begin, check_kept, check_screen, check_stored_mask
from tests.journeys.fixtures import furnished_case
from tests.journeys.site import Person, Site
from tests.journeys.viewer import Reader

pytestmark = [pytest.mark.fault, pytest.mark.browser]
Case = tuple[str, dict[str, Person]]
OpenTab = Callable[[Person], Reader]
DAY_MS = 86_400_000
QUOTA_BYTES = 3_000_000
# Other data of the site's, in smaller and smaller pieces, until not even a few bytes find room.
FILL_UP = """async () => {
  const open = indexedDB.open('filler', 1);
  open.onupgradeneeded = () => open.result.createObjectStore('pieces', { autoIncrement: true });
  const database = await new Promise(done => { open.onsuccess = () => done(open.result); });
  let kept = 0;
  for (let size = 65536; size >= 8;) {
    const work = database.transaction('pieces', 'readwrite', { durability: 'strict' });
    work.objectStore('pieces').add(crypto.getRandomValues(new Uint8Array(size)));
    const fits = await new Promise(done => {
      work.oncomplete = () => done(true);
      work.onabort = () => done(false);
    });
    if (fits) kept += size;
    else size >>= 1;
  }
  database.close();
  return kept;
}"""
MAKE_ROOM = """() => new Promise(done => { indexedDB.deleteDatabase('filler').onsuccess = () => done(true); })"""
# A clock that is wrong, and that may be set while the page is open.
WRONG_CLOCK = """(() => {
  const RightDate = Date;
  window.clockOffMs = %d;
  window.Date = class extends RightDate {
    constructor(...given) { given.length ? super(...given) : super(RightDate.now() + window.clockOffMs); }
    static now() { return RightDate.now() + window.clockOffMs; }
  };
})()"""


def _abort(route: Route) -> None:
    route.abort()


def test_twenty_strokes_without_a_network_are_kept_counted_and_sent_in_order(
    site: Site, open_tab: OpenTab, phantom_case: Case
) -> None:
    slug, people = phantom_case
    painter = begin(open_tab(people["radiologist"]), slug)
    reader = painter.reader
    painter.paint(0)
    reader.wait_until_saved()
    reader.page.context.set_offline(True)
    painter.paint(*range(1, 21))
    reader.wait_for_handle("g.saving.kind === 'offline' && g.saving.count === 20")
    assert "20 strokes" in reader.page.locator("[data-save=offline]").inner_text()
    reader.page.context.set_offline(False)
    check_kept(painter, 21)


def test_strokes_whose_acknowledgement_was_lost_are_not_doubled(
    site: Site, open_tab: OpenTab, phantom_case: Case
) -> None:
    slug, people = phantom_case
    painter = begin(open_tab(people["radiologist"]), slug)
    reader = painter.reader
    lost = []

    def answer_is_lost(route: Route) -> None:
        route.fetch()
        lost.append(route.request.post_data)
        with contextlib.suppress(PlaywrightError):  # the page may have stopped waiting for it by itself
            route.abort()

    reader.page.route("**/strokes/", answer_is_lost)
    painter.paint(0, 1, 2)
    reader.wait_for_handle("g.saving.kind === 'offline' && g.saving.count === 3")
    reader.until("the server has the strokes", lambda: reader.stored_strokes())
    reader.page.unroute("**/strokes/")
    check_kept(painter, 3)
    assert lost, "no acknowledgement was lost: the test has shown nothing"


def test_session_that_ends_while_painting_is_opened_again_in_place(
    site: Site, open_tab: OpenTab, phantom_case: Case
) -> None:
    slug, people = phantom_case
    painter = begin(open_tab(people["radiologist"]), slug)
    reader = painter.reader
    painter.paint(0)
    reader.wait_until_saved()
    mouse = reader.page.mouse
    path = painter.path(1)
    reader.drag(path[:2], release=False)
    (session,) = (c for c in reader.page.context.cookies() if c["name"] == "sessionid")
    ended = site.rows("DELETE FROM django_session WHERE session_key = %s RETURNING 1 AS one", session["value"])
    assert len(ended) == 1
    mouse.move(*path[2])
    mouse.up()
    dialog = reader.page.locator("dialog[open]")
    dialog.wait_for()
    assert "Nothing is lost" in dialog.inner_text()
    assert reader.handle("g.saving.count") == 1
    dialog.locator("input[name=password]").fill("not the password")
    dialog.get_by_role("button", name="Sign in").click()
    reader.until("the refusal is said", lambda: dialog.get_by_role("alert").inner_text().strip())
    dialog.locator("input[name=password]").fill(reader.person.password)
    reader.page.keyboard.press("Enter")
    dialog.wait_for(state="hidden")
    reader.wait_until_saved()
    painter.paint(2)
    check_kept(painter, 3)


def test_someone_else_who_signs_in_after_the_session_ended_does_not_send_the_strokes(
    site: Site, open_tab: OpenTab, request: pytest.FixtureRequest
) -> None:
    slug, people = furnished_case(site, request.node.name, "coordinator", "radiologist", "radiologist 2")
    painter = begin(open_tab(people["radiologist"]), slug)
    reader, other = painter.reader, people["radiologist 2"]
    painter.paint(0)
    reader.wait_until_saved()
    (session,) = (c for c in reader.page.context.cookies() if c["name"] == "sessionid")
    path = painter.path(1)
    reader.drag(path[:2], release=False)
    site.rows("DELETE FROM django_session WHERE session_key = %s RETURNING 1 AS one", session["value"])
    reader.page.mouse.move(*path[2])
    reader.page.mouse.up()
    dialog = reader.page.locator("dialog[open]")
    dialog.wait_for()
    dialog.locator("input[name=username]").fill(other.username)
    dialog.locator("input[name=password]").fill(other.password)
    reader.page.keyboard.press("Enter")
    reader.wait_for_handle("!['saved', 'saving', 'signed_out'].includes(g.saving.kind)")
    painted = painter.painted
    reader.page.context.clear_cookies()

    again = Reader(site, reader.page, people["radiologist"])
    again.sign_in()
    again.open_reading(reader.reading_id)
    again.until("the stroke is sent by who painted it", lambda: len(again.stored_strokes()) == 2)
    stored = check_stored_mask(again, painter.draft)
    assert [stroke["id"] for stroke in stored] == painted
    by = site.rows(
        "SELECT DISTINCT u.username FROM masks_stroke s JOIN accounts_user u ON u.id = s.reader_id"
        " JOIN readings_reading r ON r.mask_id = s.mask_id WHERE r.id = %s",
        reader.reading_id,
    )
    assert [row["username"] for row in by] == [people["radiologist"].username]


@pytest.mark.parametrize("days", [1, pytest.param(-1, marks=pytest.mark.slow)], ids=["ahead", "behind"])
def test_clock_that_is_wrong_by_a_day_changes_neither_order_nor_time(
    site: Site, open_tab: OpenTab, phantom_case: Case, days: int
) -> None:
    slug, people = phantom_case
    reader = open_tab(people["radiologist"])
    reader.page.add_init_script(WRONG_CLOCK % (days * DAY_MS))
    painter = begin(reader, slug)
    painter.paint(0)
    reader.wait_until_saved()
    reader.page.evaluate("off => { window.clockOffMs = off; }", -days * DAY_MS)
    painter.paint(1)
    reader.wait_until_saved()
    reader.page.context.set_offline(True)
    painter.paint(2)
    reader.page.evaluate("off => { window.clockOffMs = off; }", days * DAY_MS)
    painter.paint(3)
    reader.page.context.set_offline(False)
    check_kept(painter, 4)
    late = site.rows(
        "SELECT count(*) AS n FROM masks_stroke s JOIN readings_reading r ON r.mask_id = s.mask_id"
        " WHERE r.id = %s AND abs(extract(epoch FROM s.server_time - now())) > 300",
        reader.reading_id,
    )
    assert late[0]["n"] == 0, "the time of a stroke is the server's"
    reader.open_reading(reader.reading_id)
    check_screen(reader)
    again = Painter(reader)
    again.paint(4)
    reader.wait_until_saved()
    assert len(check_stored_mask(reader, painter.draft)) == 5


def test_full_disk_stops_painting_with_a_sentence_and_saves_what_was_drawn(
    site: Site, open_tab: OpenTab, phantom_case: Case
) -> None:
    slug, people = phantom_case
    reader = open_tab(people["radiologist"])
    devtools = reader.page.context.new_cdp_session(reader.page)
    devtools.send("Storage.overrideQuotaForOrigin", {"origin": site.address, "quotaSize": QUOTA_BYTES})
    painter = begin(reader, slug)
    painter.paint(0, 1)
    reader.wait_until_saved()
    assert reader.page.evaluate(FILL_UP) > 0
    reader.drag(painter.path(2))
    reader.wait_for_handle("!g.mayPaint")
    message = reader.page.locator(".messages")
    reader.until("the reason is said", lambda: "no room left" in message.inner_text())
    reader.wait_until_saved()
    stored = check_stored_mask(reader, painter.draft)
    assert [stroke["id"] for stroke in stored] == painter.painted, "the one that found no room here, too"
    assert len(stored) == 3
    check_screen(reader)
    before = reader.lesion_voxels()
    reader.drag(painter.path(3))
    assert reader.lesion_voxels() == before, "painting has stopped"

    assert reader.page.evaluate(MAKE_ROOM)
    reader.open_reading(reader.reading_id)
    again = Painter(reader)
    again.paint(3)
    reader.wait_until_saved()
    assert len(check_stored_mask(reader, painter.draft)) == 4, "with room again, painting goes on"


def _let_lease_lapse(site: Site, reader: Reader) -> None:
    """As if a minute and more had passed without a word from the holder."""
    lapsed = site.rows(
        "UPDATE masks_lease SET renewed_at = now() - interval '1 hour' WHERE mask_id ="
        " (SELECT mask_id FROM readings_reading WHERE id = %s) RETURNING epoch",
        reader.reading_id,
    )
    assert lapsed


def test_closed_lid_with_unsent_strokes_sends_them_when_it_opens(
    site: Site, open_tab: OpenTab, phantom_case: Case
) -> None:
    slug, people = phantom_case
    painter = begin(open_tab(people["radiologist"]), slug)
    reader = painter.reader
    painter.paint(0)
    reader.wait_until_saved()
    reader.page.route("**/api/**", _abort)
    painter.paint(1, 2)
    reader.wait_for_handle("g.saving.kind === 'offline' && g.saving.count === 2")
    devtools = reader.page.context.new_cdp_session(reader.page)
    devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    _let_lease_lapse(site, reader)
    reader.page.unroute("**/api/**")
    devtools.send("Page.setWebLifecycleState", {"state": "active"})
    reader.wait_until_saved()
    painter.paint(3)
    check_kept(painter, 4)


def test_closed_lid_while_another_tab_took_the_lease_keeps_the_strokes_beside(
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
    devtools = first.page.context.new_cdp_session(first.page)
    devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    _let_lease_lapse(site, first)

    second = open_tab(people["radiologist"])
    second.sign_in()
    second.open_reading(first.reading_id)
    elsewhere = Painter(second)
    elsewhere.paint(3)
    second.wait_until_saved()

    first.page.unroute("**/api/**")
    devtools.send("Page.setWebLifecycleState", {"state": "active"})
    first.until("the late strokes are stored", lambda: len(second.stored_strokes()) == 4)
    stored = check_stored_mask(second, painter.draft)
    assert [stroke["id"] for stroke in stored if not stroke["applied"]] == late
    (branch,) = second.api("branches/")["branches"]
    assert [stroke["id"] for stroke in branch["strokes"]] == late
    first.wait_for_handle("!g.mayPaint")
    assert second.handle("g.mayPaint")
    check_screen(first)
    check_screen(second)
