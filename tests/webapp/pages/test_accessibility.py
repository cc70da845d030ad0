"""Pages for everyone: headings in order, every field and picture named, every reference kept, colours apart."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.test import Client

import webapp.pages
from tests.factories.filed import letter_f, read_and_sign
from tests.factories.pictures import a_png
from tests.factories.scans import a_scan_record
from tests.webapp.pages.conftest import client_of
from webapp.campaigns.actions import add_guideline_picture, write_guideline
from webapp.intake.models import Batch
from webapp.releases.actions import delete_scan

STYLE = Path(webapp.pages.__file__).parent / "static" / "pages" / "groundglass.css"
NAMING = ("aria-labelledby", "aria-describedby", "for")
HIDDEN_INPUTS = ("hidden", "submit", "button")


class Page(HTMLParser):
    """A page as assistive programs find it: its elements, and the words inside those that need a name."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[list[str]] = []
        self._open: list[int] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.words.append([])
        if tag not in ("input", "img", "meta", "link", "br", "hr"):
            self._open.append(len(self.elements) - 1)

    def handle_endtag(self, tag):
        while self._open and self.elements[self._open.pop()][0] != tag:
            pass

    def handle_data(self, data):
        for place in self._open:
            self.words[place].append(data)

    def all(self, *tags: str) -> list[tuple[str, dict[str, str | None], str]]:
        found = zip(self.elements, self.words, strict=True)
        return [(tag, attributes, "".join(words).strip()) for (tag, attributes), words in found if tag in tags]


@pytest.fixture
def pages(place) -> dict[str, Page]:
    """Every kind of page, in the states that differ in what stands on it."""
    reader, coordinator = client_of(place.reader), client_of(place.coordinator)
    case = "/campaigns/covid/cases/1/"
    found = {
        "sign in": Client().get("/sign-in/"),
        "sign in, refused": Client().post("/sign-in/", {"username": "x", "password": "y"}),
        "home with a next case": reader.get("/"),
        "home without": coordinator.get("/"),
        "home of nobody's member": client_of(place.outsider).get("/"),
        "no such page": reader.get("/nowhere/"),
        "worklist": coordinator.get("/campaigns/covid/"),
        "case to read": reader.get(case),
        "case not to read": coordinator.get(case),
        "audit": coordinator.get("/campaigns/covid/audit/"),
        "audit, nothing found": coordinator.get("/campaigns/covid/audit/?q=nothing&from=never"),
        "story": reader.get(f"{case}story/"),
        "no guideline": reader.get("/campaigns/covid/guideline/"),
        "password": reader.get("/password/"),
        "password, refused": reader.post("/password/", {"old": "x", "new": "one", "again": "two"}),
        "forgotten password": Client().get("/password/forgotten/"),
        "forgotten password, asked": Client().post("/password/forgotten/", {"name": "nobody"}),
        "link of no password": Client().get("/password/reset/x/y/"),
        "profile, address refused": reader.post("/profile/email/", {"email": "no address", "password": "x"}),
        "profile without tokens": coordinator.get("/profile/"),
        "profile with a new token": reader.post("/profile/", {"name": "notebook", "days": "30"}),
        "profile, refused": reader.post("/profile/", {"name": "notebook", "days": "30"}),
        "intake": coordinator.get("/intake/"),
        "upload": coordinator.get(
            f"/intake/batches/{Batch.objects.create(campaign=place.campaign, by=place.coordinator).pk}/"
        ),
    }
    scan = f"/scans/{place.case.scan_id}/"
    found |= {
        "scans": coordinator.get("/scans/"),
        "scans, narrowed": coordinator.get("/scans/?kernel=B60f&q=lung&from=never"),
        "scans, none found": reader.get("/scans/?q=nothing"),
        "scans of nobody's member": client_of(place.outsider).get("/scans/"),
        "scan": coordinator.get(scan),
        "scan to a reader": reader.get(scan),
        "patient": reader.get(f"/patients/{place.case.scan.study.patient.pseudonym}/"),
        "deletion": coordinator.get(f"{scan}delete/"),
        "deletion, refused": reader.get(f"{scan}delete/"),
        "deletion, not confirmed": coordinator.post(f"{scan}delete/", {"reason": "x", "pseudonym": "y"}),
    }
    picture = add_guideline_picture(
        campaign=place.campaign, file_name="a.png", content=a_png((4, 4)), by=place.coordinator
    )
    text = f"# Lesion\n\n## Where\n\n![x]({picture.name})"
    write_guideline(campaign=place.campaign, text=text, known_version=1, by=place.coordinator)
    found["guideline"] = reader.get("/campaigns/covid/guideline/")
    found["guideline, written"] = coordinator.get("/campaigns/covid/guideline/")
    read_and_sign(place.case, place.reader, letter_f(place.volume.shape_zyx))
    found["signed case"] = coordinator.get(case)
    found["worklist with a signed case"] = reader.get("/campaigns/covid/")
    found["patient with a signed reading"] = reader.get(f"/patients/{place.case.scan.study.patient.pseudonym}/")
    gone = a_scan_record(place.campaign)
    delete_scan(scan=gone, reason="sent by mistake", by=place.coordinator)
    found["deleted scan"] = reader.get(f"/scans/{gone.pk}/")
    return {name: Page(answer.content.decode()) for name, answer in found.items()}


def test_every_page_has_a_title_a_language_and_one_main_part(pages):
    for name, page in pages.items():
        assert page.all("title")[0][2], name
        assert page.all("html")[0][1].get("lang") == "en", name
        assert len(page.all("main")) == 1, name


def test_headings_begin_with_one_of_the_first_rank_and_skip_none(pages):
    for name, page in pages.items():
        ranks = [int(tag[1]) for tag, _, _ in page.all("h1", "h2", "h3", "h4", "h5", "h6")]
        assert ranks.count(1) == 1, f"{name}: {ranks}"
        assert all(after <= before + 1 for before, after in zip([0, *ranks], ranks, strict=False)), f"{name}: {ranks}"
        assert all(words for _, _, words in page.all("h1", "h2", "h3")), name


def test_every_field_has_a_label_and_every_picture_its_words(pages):
    for name, page in pages.items():
        labelled = {attributes.get("for") for _, attributes, _ in page.all("label")}
        inside = len([1 for _, _, words in page.all("label") if words])
        assert inside == len(page.all("label")), name
        for _, field, _ in page.all("input", "select", "textarea"):
            if field.get("type") in HIDDEN_INPUTS or "visually-hidden" in (field.get("class") or ""):
                continue
            assert field.get("id") in labelled or field.get("aria-label"), f"{name}: {field}"
        assert all("alt" in attributes for _, attributes, _ in page.all("img")), name


def test_every_button_and_link_says_what_it_does(pages):
    for name, page in pages.items():
        for tag, attributes, words in page.all("button", "a"):
            assert words or attributes.get("aria-label"), f"{name}: {tag} {attributes}"


def test_names_on_a_page_are_unique_and_what_is_referred_to_is_there(pages):
    for name, page in pages.items():
        ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
        assert len(ids) == len(set(ids)), name
        for _, attributes in page.elements:
            for reference in NAMING:
                for wanted in (attributes.get(reference) or "").split():
                    assert wanted in ids, f"{name}: {reference}={wanted}"


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2) of "#rrggbb" or "#rgb"."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def themes() -> dict[str, dict[str, str]]:
    """The colours of each theme, by token; later ones rest on the first."""
    css = STYLE.read_text()
    blocks = re.findall(r":root(\[[^\]]+\])?[^{]*\{([^}]*)\}", css)
    first = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", blocks[0][1]))
    return {
        selector or "dark": {**first, **dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", body))}
        for selector, body in blocks[:2]
    }


def test_contrast_is_right_for_black_on_white():
    assert round(contrast("#000", "#ffffff"), 2) == 21


@pytest.mark.parametrize("theme", sorted(themes()))
def test_every_text_colour_can_be_read_on_every_surface(theme):
    colours = themes()[theme]
    for text in ("text", "text-2", "text-off", "accent", "good", "wait", "bad"):
        for surface in ("page", "panel", "raised"):
            found = contrast(colours[text], colours[surface])
            assert found >= 4.5, f"{text} {colours[text]} on {surface} {colours[surface]}: {found:.2f}"
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5
