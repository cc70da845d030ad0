"""Every region tool on a long scan, undone and redone, by mouse and keys: does the page pause, and what is sent?"""

import base64
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from tests.bench.pauses import Pause, watched
from tests.bench.subjects import say
from tests.journeys.viewer import Reader

PLANES = ("axial", "coronal", "sagittal")
# Lung that holds no lesion, on the slices that the reading opens with.
LUNG = {"axial": (0.2, 0.35), "coronal": (0.3, 0.3), "sagittal": (0.5, 0.3)}
KINDS = ("Median", "Open", "Close", "Fill holes")
GAP_SLICES, DRAWN = 12, 8


class Hands:
    """A reader's hands on the region tools; `figures` collects what each use cost."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self.page = reader, reader.page
        self.figures: dict[str, dict[str, Any]] = {}

    def spot(self, plane: str, right: float, down: float) -> tuple[float, float]:
        """A place on the page: parts of the plane's slice image."""
        nz, ny, nx = self.reader.api()["scan"]["shape_zyx"]
        width, height = {"axial": (nx, ny), "coronal": (nx, nz), "sagittal": (ny, nz)}[plane]
        x, y = self.reader.view(plane).to_client((width * right, height * down))
        return float(x), float(y)

    def over(self, plane: str) -> None:
        """The pointer onto a plane: keys go to it."""
        box = self.page.locator(f"#pane-{plane}").bounding_box()
        assert box
        self.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20)

    def take(self, key: str, tool: str) -> None:
        """A tool in hand."""
        self.reader.press("Escape")
        self.reader.press(key)
        self.reader.wait_for_handle(f"g.tool === '{tool}'")

    def number(self, label: str, value: float) -> None:
        """Type a setting of the tool."""
        self.page.get_by_role("spinbutton", name=label).fill(str(value))
        self.reader.press("Enter")

    def choose(self, group: str, name: str) -> None:
        """Press one of a setting's buttons."""
        self.page.get_by_role("group", name=group).get_by_role("button", name=name, exact=True).click()

    def click(self, plane: str, right: float, down: float) -> Callable[[], None]:
        """A click to be made on a plane."""
        x, y = self.spot(plane, right, down)
        return lambda: self.page.mouse.click(x, y)

    def click_lesion(self) -> Callable[[], None]:
        """A click to be made on the lesion that the key J goes to."""
        self.reader.press("j")
        slices = self.reader.handle("g.slices")
        x, y = self.reader.view("axial").to_client((slices["sagittal"], slices["coronal"]))
        return lambda: self.page.mouse.click(float(x), float(y))

    def box(self, plane: str) -> Callable[[], None]:
        """A drag over nearly the whole of a plane's slice."""
        path = [self.spot(plane, *at) for at in ((0.05, 0.05), (0.5, 0.5), (0.95, 0.95))]
        return lambda: self.reader.drag([(round(x), round(y)) for x, y in path])

    def button(self, name: str) -> Callable[[], None]:
        """A button of the tool to be pressed."""
        return lambda: self.page.get_by_role("button", name=name, exact=True).click()

    def measure(self, name: str, act: Callable[[], Any], *, keep: bool = False) -> None:
        """Use a tool, undo, redo; and undo again unless what it made is needed."""
        before = self.reader.handle("g.mask.stroke_sequence")
        done = watched(self.reader, act)
        done.stroke_bytes = self.bytes_after(before)
        undone, redone = (watched(self.reader, lambda k=key: self.reader.press(k)) for key in ("z", "Shift+Z"))
        if not keep:
            watched(self.reader, lambda: self.reader.press("z"))
        self.note(name, done, undone, redone)

    def bytes_after(self, sequence: int) -> int:
        """The GGD1 bytes of the edit after this stroke: a large one has several."""
        size, more = 0, True
        while more:
            said = self.reader.api(f"strokes/?after={sequence}")
            size += sum(len(base64.b64decode(stroke["payload"])) for stroke in said["strokes"])
            more, sequence = said["more"], sequence + len(said["strokes"])
        return size

    def look(self, name: str, act: Callable[[], Any], until: Callable[[], Any]) -> None:
        """Something that shows and does not edit."""

        def acted() -> None:
            act()
            until()

        self.note(name, watched(self.reader, acted, edits=False))

    def note(self, name: str, *pauses: Pause) -> None:
        """Keep the figures of a use, its undoing and its redoing."""
        parts = dict(zip(("do", "undo", "redo"), pauses, strict=False))
        self.figures[name] = {part: {**asdict(p), "longest_ms": p.longest_ms} for part, p in parts.items()}
        shown = ", ".join(
            f"{part} {p.applied_s:.1f} s, blocks {p.working_ms:.0f} and {p.after_ms:.0f} ms"
            for part, p in parts.items()
        )
        say(f"{name}: {shown}; {pauses[0].stroke_bytes} B, saved after {pauses[0].committed_s:.1f} s")


def region_tools(reader: Reader) -> dict[str, dict[str, Any]]:
    """Every region tool; what each cost, by name. Leaves the mask as it was."""
    hands = Hands(reader)
    _in_one_slice(hands)
    _grown(hands)
    _through_slices(hands)
    _between_slices(hands)
    _thresholds(hands)
    _overlays(hands)
    return hands.figures


def _in_one_slice(hands: Hands) -> None:
    hands.page.keyboard.press("2")
    for plane in PLANES:
        hands.take("f", "fill")
        hands.measure(f"fill, alike, {plane}", hands.click(plane, *LUNG[plane]))
    hands.page.keyboard.press("1")
    hands.take("Shift+K", "keep")
    hands.measure("keep a lesion", hands.click_lesion())
    for plane in PLANES:
        hands.over(plane)
        hands.measure(f"copy up, {plane}", lambda: hands.reader.press("Shift+ArrowUp"))


def _grown(hands: Hands) -> None:
    """A region of some hundred mL, grown, and then all that is done to one big lesion."""
    page, reader = hands.page, hands.reader
    page.keyboard.press("3")
    hands.take("g", "grow")
    ready = page.locator(".tool-options").get_by_text(" mL")
    # Of the whole lung, and of a part of it in which noise leaves holes: that is kept, and smoothed.
    for reach_mm, tolerance_hu in ((400, 150), (70, 60)):
        page.get_by_label("Tolerance in HU").fill(str(tolerance_hu))
        hands.number("Within", reach_mm)
        hands.look(f"grow {reach_mm} mm, preview", hands.click("axial", *LUNG["axial"]), ready.wait_for)
        hands.measure(f"grow {reach_mm} mm, applied", lambda: reader.press("Enter"), keep=reach_mm == 70)
    for kind in KINDS:
        hands.take("s", "smooth")
        hands.choose("How", kind)
        hands.number("Radius", 2 if kind != "Median" else 1.5)
        hands.measure(f"smooth in space, {kind.lower()}", hands.click("axial", *LUNG["axial"]))
    hands.take("Shift+E", "relabel")
    hands.choose("It becomes", "Dependent density")
    hands.measure("relabel the lesion", hands.click("axial", *LUNG["axial"]))
    reader.press("z")
    reader.wait_for_handle("g.allSaved() && g.atRest")


def _through_slices(hands: Hands) -> None:
    page, reader = hands.page, hands.reader
    reader.press("Shift+L")
    reader.press("Shift+L")
    for plane in PLANES:
        hands.take("Shift+R", "replace")
        hands.choose("Depth", "All slices")
        hands.measure(f"replace through all slices, {plane}", hands.box(plane))
    page.keyboard.press("4")
    for plane in PLANES:
        hands.take("r", "rectangle")
        page.get_by_label("Only inside the lung").check()
        hands.choose("Depth", "All slices")
        hands.measure(f"scissors through all slices, {plane}", hands.box(plane))
        page.get_by_label("Only inside the lung").uncheck()
        hands.choose("Depth", "This slice")


def _between_slices(hands: Hands) -> None:
    """Discs on every twelfth slice of a plane; all gaps between them are filled."""
    reader, page = hands.reader, hands.page
    page.keyboard.press("5")
    reader.press("i")
    hands.choose("Gaps", "All")
    for plane in PLANES:
        middle = reader.handle(f"g.slices.{plane}")
        hands.take("b", "brush")
        hands.number("Diameter", 60)
        for n in range(DRAWN):
            reader.go_to_slice(plane, middle + GAP_SLICES * (n - DRAWN // 2))
            x, y = hands.spot(plane, 0.3 + 0.02 * n, 0.5)
            reader.paint([(round(x), round(y)), (round(x) + 30, round(y) + 10)])
        reader.wait_until_saved()
        hands.over(plane)
        hands.measure(f"between slices, {DRAWN - 1} gaps, {plane}", lambda: reader.press("i"))
        for _ in range(DRAWN):
            reader.press("z")
        reader.wait_for_handle("g.allSaved() && g.atRest")
        reader.go_to_slice(plane, middle)


def _thresholds(hands: Hands) -> None:
    """The whole lung; and a window in the middle of its noise: as many runs as there can be. Islands of those."""
    reader, page = hands.reader, hands.page
    page.keyboard.press("6")
    for name, low, high in (("whole lung", -1000, 50), ("within its noise", -845, -800)):
        reader.press("Escape")
        reader.press("Shift+T")
        hands.number("from HU", low)
        hands.number("to HU", high)
        hands.measure(f"threshold, {name}", hands.button("Threshold the lung"), keep=True)
        if name == "within its noise":
            hands.take("k", "islands")
            hands.number("Smaller than", 1000)
            hands.measure("islands of the noise removed", hands.button("Remove them"))
            _painted_over(hands)
        reader.press("z")
        reader.wait_for_handle("g.allSaved() && g.atRest")


def _painted_over(hands: Hands) -> None:
    """With a mask that full: one stroke of the brush, and the list and the numbers that follow."""
    hands.take("b", "brush")
    hands.number("Diameter", 12)
    x, y = hands.spot("axial", 0.5, 0.3)
    path = [(round(x) + 5 * n, round(y) + 3 * n) for n in range(8)]
    hands.measure("a brush stroke on the full mask", lambda: hands.reader.drag(path))


def _overlays(hands: Hands) -> None:
    reader, page = hands.reader, hands.page
    hands.look("list of lesions opened", lambda: reader.press("Shift+1"), lambda: page.locator(".lesions").wait_for())
    reader.press("Shift+1")
    hands.look("difference", lambda: reader.press("d"), lambda: page.locator(".legend[aria-busy=false]").wait_for())
    reader.press("d")
    colours = page.locator(".legend.authors")
    hands.look("provenance", lambda: reader.press("q"), colours.wait_for)
    reader.press("q")
    reader.press("Shift+H")
    film = page.get_by_role("button", name="Look at the film")
    film.wait_for()
    slider = page.get_by_label("Stroke of the film")
    hands.look("film opened", film.click, slider.wait_for)
    begun = page.locator(".film:not([aria-busy=true])").get_by_text("0 / ")
    hands.look("film to its beginning", lambda: slider.press("Home"), begun.wait_for)
    page.get_by_role("button", name="Now", exact=True).click()
    reader.press("Shift+H")
    canvas = page.locator(".surface-canvas:not([data-triangles='0'])")
    hands.look("surface", lambda: reader.press("Shift+V"), canvas.wait_for)
    reader.press("Shift+V")
