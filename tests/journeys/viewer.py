"""A reader at the screen: signs in, opens a case, paints with the mouse, looks, signs. Everything by page and pointer.

The viewer's own handle (`window.groundglass`) is only asked where things are and what has been done, never to do them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, Locator, Page, Playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.journeys.formats import read_mask_container
from tests.journeys.painting import IN_PLANE, View, distance_mm
from tests.journeys.site import PATIENCE_S, Person, Site, wait_until

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
PATIENCE_MS = PATIENCE_S * 1000
POLL_MS = 50
SCREEN = {"width": 1280, "height": 800}


def launch_browser(playwright: Playwright) -> Browser:
    """Debian's Chromium with software WebGL."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)


class Reader:
    """One person in one tab of one browser."""

    def __init__(self, site: Site, page: Page, person: Person) -> None:
        self.site, self.page, self.person = site, page, person
        self.troubles: list[str] = []
        self.reading_id = ""
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.troubles.append(f"{error.message}\n{error.stack or ''}"))

    # Pages

    def sign_in(self) -> None:
        """Through the sign-in page."""
        self.page.goto(f"{self.site.address}/sign-in/")
        self.page.fill("input[name=username]", self.person.username)
        self.page.fill("input[name=password]", self.person.password)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(lambda url: "/sign-in/" not in url)

    def start_reading(self, slug: str, number: int) -> None:
        """From the page of the case, by its button, until the viewer takes strokes."""
        self.page.goto(f"{self.site.address}/campaigns/{slug}/cases/{number}/")
        self.page.click(f'form[action$="/cases/{number}/readings/"] button')
        self.page.wait_for_url("**/readings/*/")
        self.reading_id = self.page.url.rstrip("/").rsplit("/", 1)[-1]
        self.wait_until_ready()

    def open_reading(self, reading_id: str, ready: bool = True) -> None:
        """Open a reading that was started before."""
        self.reading_id = reading_id
        self.page.goto(f"{self.site.address}/readings/{reading_id}/")
        if ready:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Until every slice is there and the viewer takes strokes."""
        try:
            self.page.wait_for_function(
                "() => window.groundglass?.slicesComplete && window.groundglass?.mayPaint", polling=POLL_MS
            )
        except PlaywrightTimeout as error:
            state = self.page.evaluate("() => [window.groundglass?.slicesComplete, window.groundglass?.mayPaint]")
            shown = self.page.inner_text("body")[:1500]
            raise AssertionError(f"[complete, may paint] {state}; {self.troubles}; {shown}") from error

    # What the server says

    def get(self, path: str) -> Any:
        """A GET under this person's session; the response."""
        response = self.page.request.get(f"{self.site.address}{path}", timeout=PATIENCE_MS)
        assert response.ok, f"{path}: {response.status} {response.text()[:300]}"
        return response

    def api(self, path: str = "") -> Any:
        """JSON of the reading's API."""
        return self.get(f"/api/readings/{self.reading_id}/{path}").json()

    def stored_layers(self) -> dict[str, NDArray[np.uint8]]:
        """The layers as the server would give them to anyone who opens the reading now."""
        return read_mask_container(self.get(f"/api/readings/{self.reading_id}/mask/").body())[0]

    def stored_strokes(self) -> list[dict[str, Any]]:
        """The server's log of strokes."""
        strokes: list[dict[str, Any]] = self.api("strokes/?after=0")["strokes"]
        return strokes

    def stored_strokes_or_none(self) -> list[dict[str, Any]] | None:
        """The server's log, or None while the server cannot answer."""
        response = self.page.request.get(f"{self.site.address}/api/readings/{self.reading_id}/strokes/?after=0")
        return response.json()["strokes"] if response.ok else None

    # The viewer

    def handle(self, expression: str) -> Any:
        """Ask the viewer's handle `g` something."""
        return self.page.evaluate(f"() => {{ const g = window.groundglass; return {expression}; }}")

    def wait_for_handle(self, expression: str) -> None:
        """Until the viewer's handle `g` says so; asked by the clock, as a page behind another draws no frames."""
        self.page.wait_for_function(f"() => {{ const g = window.groundglass; return {expression}; }}", polling=POLL_MS)

    def view(self, plane: str) -> View:
        """Where the voxels of the plane's shown slice lie on the page."""
        axis_u, axis_v, _ = IN_PLANE[plane]
        at = int(self.handle(f"g.slices.{plane}"))
        corners = []
        for u, v in ((0, 0), (100, 0), (0, 100)):
            voxel = [0, 0, 0]
            voxel[axis_u], voxel[axis_v] = u, v
            corners.append(self.handle(f"g.voxelToClient('{plane}', {voxel[0]}, {voxel[1]}, {voxel[2]})"))
        return View.measured(plane, at, corners)

    def go_to_slice(self, plane: str, wanted: int) -> None:
        """Turn the wheel over a plane until it shows the slice.

        Up leads towards the head; which way the file counts its slices shows when it leads farther away.
        """
        box = self.page.locator(f"#pane-{plane}").bounding_box()
        assert box
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        sense, before = 1, None

        def there() -> bool:
            nonlocal sense, before
            away = int(self.handle(f"g.slices.{plane}")) - wanted
            if before is not None and abs(away) > abs(before):
                sense = -sense
            before = away
            if away:
                self.page.mouse.wheel(0, 100 * sense * away)
                self.page.wait_for_timeout(50)
            return not away

        wait_until(f"slice {wanted} of {plane}", there)

    def path_near(
        self,
        view: View,
        voxel_uv: tuple[float, float],
        radius_mm: float,
        scan: dict[str, Any],
        step: tuple[int, int] = (5, 3),
        steps: int = 4,
    ) -> list[tuple[int, int]]:
        """A straight path of whole client pixels near a voxel position.

        Of the paths nearby, one that no pixel centre touches with its edge: what it paints is beyond rounding.
        """
        start = np.rint(view.to_client(voxel_uv)).astype(int)
        for nudge in range(40):
            first = start + np.array([nudge % 7, nudge // 7])
            path = [(int(first[0]) + step[0] * n, int(first[1]) + step[1] * n) for n in range(steps + 1)]
            edge = np.abs(distance_mm(view, path, scan["shape_zyx"], scan["spacing_zyx_mm"]) - radius_mm)
            if edge.min() > 1e-3:
                return path
        raise AssertionError("no path clear of every pixel's edge")

    def drag(self, path: list[tuple[int, int]], button: Any = "left", release: bool = True) -> None:
        """Press, move through the path, let go."""
        mouse = self.page.mouse
        mouse.move(*path[0])
        mouse.down(button=button)
        for point in path[1:]:
            mouse.move(*point)
        if release:
            mouse.up(button=button)

    def strokes_done(self) -> int:
        """How many brush and eraser strokes this tab has recorded."""
        return int(self.handle("g.strokes.length"))

    def paint(self, path: list[tuple[int, int]], button: Any = "left") -> None:
        """Drag, and wait until the viewer has recorded one more stroke."""
        before = self.strokes_done()
        self.drag(path, button)
        self.wait_for_handle(f"g.strokes.length === {before + 1}")

    def press(self, key: str) -> None:
        """One key."""
        self.page.keyboard.press(key)

    def tab_to(self, wanted: Locator, key: str = "Tab") -> None:
        """By the Tab key alone to what is wanted; from there its own keys go on."""
        for _ in range(120):
            if wanted.count() and wanted.evaluate("element => element === document.activeElement"):
                return
            self.press(key)
        raise AssertionError(f"Tab never came to {wanted}")

    def take(self, tool: str) -> None:
        """Take a tool up by its key; the key of the tool in hand would put it down."""
        if self.handle("g.tool") != tool:
            self.press({"brush": "b", "eraser": "e"}[tool])
            self.wait_for_handle(f"g.tool === '{tool}'")

    def wait_until_saved(self) -> None:
        """Until the viewer says that everything is saved: the server has committed it."""
        self.wait_for_handle("g.allSaved()")

    def lesion_voxels(self) -> int:
        """How many voxels of lesion the viewer holds."""
        return int(self.handle("g.voxelCount('findings', 1)"))

    def acknowledged(self) -> list[str]:
        """Ids of the strokes that the server has acknowledged to this tab (if it undid none)."""
        ids: list[str] = self.handle("g.strokes.slice(0, g.mask.stroke_sequence).map(s => s.id)")
        return ids

    def until(self, what: str, condition: Callable[[], Any]) -> Any:
        """Poll from the test's side."""
        return wait_until(what, condition)
