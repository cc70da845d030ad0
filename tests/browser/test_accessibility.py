"""axe finds no serious or critical fault: on every page as everyone who may see it, in the viewer with all it opens.

The pages are those of the permission table, so a new page is looked at as soon as it stands there.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page

from tests.journeys.fixtures import furnished_case
from tests.journeys.site import ROOT, Person, Site
from tests.journeys.viewer import SCREEN, Reader

pytestmark = [pytest.mark.browser]
AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
TABLE = ROOT / "docs" / "reference" / "permissions.md"
VISITORS = ("nobody", "outsider", "reader", "other reader", "technician", "coordinator", "auditor")
ROLES = {"reader": "radiologist", "other reader": "radiologist 2"}
# What is not a page: answers for scripts, files, pictures. The viewer has scenes of its own.
# Programs' addresses, files, and parts that pages fetch for themselves.
NO_PAGE = re.compile(
    r"^/api/|^/dicomweb/|/exports/|\.(png|webp|csv|pdf|json|jsonl|py)$|^/readings/|/figures/$|/bell/$|/rows/$|/draft/$"
)
SERIOUS = ("serious", "critical")
RUN = """async () => {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const { violations } = await axe.run(document, { runOnly: tags, resultTypes: ['violations'] });
  return violations.map(({ id, impact, help, nodes }) => ({
    id, impact, help,
    nodes: nodes.map(node => [node.target.join(' '), [...node.any, ...node.all, ...node.none].map(c => c.message)]),
  }));
}"""


def faults(page: Page) -> list[str]:
    """A line for each element with a serious or critical fault."""
    if not page.evaluate("() => 'axe' in window"):
        page.add_script_tag(path=AXE)
    found: list[dict[str, Any]] = page.evaluate(RUN)
    return [
        f"{fault['id']} ({fault['help']}): {target}: {'; '.join(why)}"
        for fault in found
        if fault["impact"] in SERIOUS
        for target, why in fault["nodes"]
    ]


def pages_of(visitor: str) -> list[str]:
    """Patterns of the pages that a visitor gets, by the permission table."""
    rows = re.findall(r"^\| GET \| `([^`]+)` \| (.+) \|$", TABLE.read_text(), re.MULTILINE)
    at = VISITORS.index(visitor)
    return [url for url, cells in rows if not NO_PAGE.search(url) and cells.split("|")[at].strip() == "200"]


@pytest.fixture(scope="module")
def case(site: Site) -> tuple[str, dict[str, Person]]:
    """A campaign with a drafted case and people of all roles, shared by the scenes of this file."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run make test-tools")
    roles = ("coordinator", "radiologist", "radiologist 2", "technician", "auditor", "outsider")
    return furnished_case(site, "accessibility", *roles)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[[], Page]]:
    """A function that gives a page of a fresh profile, where scripts of the test may be put in."""
    contexts = []

    def open_one() -> Page:
        context = browser.new_context(viewport=SCREEN, bypass_csp=True)
        contexts.append(context)
        return context.new_page()

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def reading_id(site: Site, browser: Browser, case: tuple[str, dict[str, Person]]) -> str:
    """The reading of the radiologist, and a guideline of the campaign."""
    slug, people = case
    context = browser.new_context(viewport=SCREEN)
    coordinator = Reader(site, context.new_page(), people["coordinator"])
    coordinator.sign_in()
    coordinator.page.goto(f"{site.address}/campaigns/{slug}/guideline/")
    coordinator.page.fill(
        "textarea[name=text]", "# Lesions\n\n## Ground glass\n\n- Vessels stay visible.\n\n1. Paint.\n"
    )
    coordinator.page.click("main form:has(textarea) button[type=submit], main form:has(textarea) button:not([type])")
    coordinator.page.wait_for_load_state()
    context.close()
    context = browser.new_context(viewport=SCREEN)
    reader = Reader(site, context.new_page(), people["radiologist"])
    reader.sign_in()
    reader.start_reading(slug, 1)
    # Left as a person leaves it: a profile that is torn down may take the word that nobody writes with it.
    reader.page.goto(f"{site.address}/")
    reader.until("nobody writes it", lambda: reader.api()["lease"] is None)
    context.close()
    return reader.reading_id


INVITE = """
from webapp.audit.actor import SYSTEM
from webapp.campaigns.invitation_actions import invite
from webapp.campaigns.models import Campaign
print(invite(campaign=Campaign.objects.get(slug="{slug}"), role="auditor", days=1, by=SYSTEM)[1])
"""


def _member_of(site: Site, slug: str) -> int:
    rows = site.rows(
        "SELECT m.id FROM campaigns_membership m JOIN campaigns_campaign c ON c.id = m.campaign_id"
        " WHERE c.slug = %s AND m.role = 'technician'",
        slug,
    )
    return int(rows[0]["id"])


# All the others are walked where there is time.
OFTEN = ("nobody", "reader")
WALKED = [v if v in OFTEN else pytest.param(v, marks=pytest.mark.slow) for v in VISITORS]


@pytest.mark.parametrize("visitor", WALKED)
def test_no_page_has_a_serious_fault(
    site: Site, open_page: Callable[[], Page], case: tuple[str, dict[str, Person]], reading_id: str, visitor: str
) -> None:
    slug, people = case
    page = open_page()
    if visitor != "nobody":
        Reader(site, page, people[ROLES.get(visitor, visitor)]).sign_in()
    (batch,) = site.rows(
        "SELECT b.id FROM intake_batch b JOIN campaigns_campaign c ON c.id = b.campaign_id WHERE c.slug = %s", slug
    )
    (scan,) = site.rows(
        "SELECT s.id, p.pseudonym FROM archive_scan s JOIN archive_study t ON t.id = s.study_id"
        " JOIN archive_patient p ON p.id = t.patient_id JOIN campaigns_case k ON k.scan_id = s.id"
        " JOIN campaigns_campaign c ON c.id = k.campaign_id WHERE c.slug = %s AND k.number = 1",
        slug,
    )
    values = {
        "<slug:slug>": slug,
        "<int:number>": "1",
        "<uuid:batch_id>": str(batch["id"]),
        "<uuid:scan_id>": str(scan["id"]),
        "<slug:pseudonym>": scan["pseudonym"],
        "<str:name>": "classical-baseline",
        "<str:version>": "1",
        "<str:secret>": site.manage("shell", "-c", INVITE.format(slug=slug)).stdout.split()[-1],
        "<int:member_id>": str(_member_of(site, slug)),
    }
    addresses = ["/no-such-page/"]
    for address in pages_of(visitor):
        for placeholder, value in values.items():
            address = address.replace(placeholder, value)
        assert "<" not in address, f"this test does not know what to put into {address}"
        addresses.append(address)
    wrong = []
    for address in addresses:
        answer = page.goto(f"{site.address}{address}")
        assert answer
        assert "text/html" in answer.headers["content-type"], address
        for theme in ("dark", "light"):
            page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
            wrong += [f"{address}, {theme}: {fault}" for fault in faults(page)]
    assert not wrong, "\n".join(wrong)


def test_refused_sign_in_has_no_serious_fault(site: Site, open_page: Callable[[], Page]) -> None:
    page = open_page()
    page.goto(f"{site.address}/sign-in/")
    page.fill("input[name=username]", "nobody")
    page.fill("input[name=password]", "nothing")
    page.keyboard.press("Enter")
    page.locator("[role=alert], .errorlist, .notice").first.wait_for()
    assert faults(page) == []


class Viewer:
    """The viewer under axe: what was wrong, and with what open."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._found: dict[str, str] = {}

    def look(self, what: str) -> None:
        """Run axe now; what comes and goes by itself has come to rest."""
        self.reader.page.wait_for_timeout(200)
        for fault in faults(self.reader.page):
            self._found.setdefault(fault, what)

    @property
    def wrong(self) -> list[str]:
        """Each fault once, with what was open when it was first seen."""
        return [f"{what}: {fault}" for fault, what in self._found.items()]

    @property
    def dialog(self) -> Locator:
        """The open dialog."""
        return self.reader.page.locator("dialog[open]")


@pytest.fixture
def viewer(site: Site, open_page: Callable[[], Page], case: tuple[str, dict[str, Person]], reading_id: str) -> Viewer:
    """The reading, open and writable."""
    reader = Reader(site, open_page(), case[1]["radiologist"])
    reader.sign_in()
    reader.open_reading(reading_id)
    return Viewer(reader)


@pytest.mark.slow
def test_viewer_has_no_serious_fault_in_any_panel_layout_or_tool(viewer: Viewer) -> None:
    reader, page = viewer.reader, viewer.reader.page
    viewer.look("as it opens")
    for tab in page.get_by_role("tab").all():
        tab.click()
        viewer.look(f"panel {tab.inner_text()}")
    reader.press("c")
    page.keyboard.type("Look @")
    viewer.look("a comment being written")
    page.keyboard.type("here")
    reader.press("Control+Enter")
    page.get_by_label("Answer").wait_for()
    viewer.look("a thread")
    page.get_by_role("tab").first.click()
    tools = page.locator("nav button, [role=toolbar] button").all()
    assert tools, "the rail of tools was not found"
    for n, tool in enumerate(tools):
        if tool.is_enabled() and tool.get_attribute("aria-pressed") is not None:
            tool.click()
            viewer.look(f"tool {tool.get_attribute('aria-label') or n}")
    reader.press("Escape")
    for button in page.get_by_role("group", name="Layout").get_by_role("button").all():
        button.click()
        viewer.look(f"layout {button.get_attribute('aria-label')}")
    for key in ("d", "q"):
        reader.press(key)
        viewer.look(f"after the key {key}")
    reader.press("q")
    page.locator("button.window-now").click()
    viewer.look("the list of windows")
    page.locator("button.window-now").click()
    reader.press("Shift+1")
    page.locator(".lesion-more").first.click()
    viewer.look("what a lesion's row offers")
    reader.press("Shift+H")
    page.get_by_role("button", name="Look at the film").click()
    page.get_by_label("Stroke of the film").wait_for()
    viewer.look("the film")
    page.get_by_role("button", name="Now", exact=True).click()
    reader.press("Shift+F")
    viewer.look("the panel folded")
    reader.press("Shift+F")
    assert not viewer.wrong, "\n".join(viewer.wrong)


def test_no_dialog_of_the_viewer_has_a_serious_fault(site: Site, viewer: Viewer) -> None:
    reader, page = viewer.reader, viewer.reader.page
    for key, what in (("?", "keys"), ("Control+Enter", "sign")):
        reader.press(key)
        viewer.dialog.wait_for()
        viewer.look(what)
        if what == "keys":
            page.locator("button.key:not(.fixed)").first.click()
            viewer.look("a key that waits for another")
            reader.press("Escape")
        reader.press("Escape")
        viewer.dialog.wait_for(state="hidden")
    reader.take("brush")
    (session,) = (c for c in page.context.cookies() if c["name"] == "sessionid")
    site.rows("DELETE FROM django_session WHERE session_key = %s RETURNING 1 AS one", session["value"])
    box = page.locator("#pane-axial").bounding_box()
    assert box
    at = round(box["x"] + 0.2 * box["width"]), round(box["y"] + 0.5 * box["height"])
    reader.drag([at, (at[0] + 6, at[1])])  # unless another request has met the ended session before
    viewer.dialog.wait_for()
    viewer.look("sign in again")
    assert not viewer.wrong, "\n".join(viewer.wrong)


def test_who_looks_on_meets_no_serious_fault(
    site: Site, open_page: Callable[[], Page], case: tuple[str, dict[str, Person]], reading_id: str
) -> None:
    reader = Reader(site, open_page(), case[1]["coordinator"])
    reader.sign_in()
    reader.open_reading(reading_id, ready=False)
    reader.wait_for_handle("g?.slicesComplete && g.writing.kind !== 'starting'")
    viewer = Viewer(reader)
    viewer.look("looking on")
    assert not viewer.wrong, "\n".join(viewer.wrong)
