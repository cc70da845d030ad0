"""The documentation names what exists, and what exists is documented."""

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from inference.imaging.gate.__main__ import PAGE
from inference.imaging.gate.page import page as gate_page
from webapp.campaigns import protocol_page, score_tables
from webapp.intake import mask_tables, profile_table

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"(?<!`)\[[^\]]+\]\(([^)\s]+)\)")
SETTINGS = ROOT / "docs" / "reference" / "settings.md"
# Names that are read from the environment because other programs set them.
NOT_OURS = {"PATH"}


def anchor(heading: str) -> str:
    """The anchor that a heading gets on the usual hosts."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in LINK.findall(page.read_text()):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, fragment = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{target} does not exist"
        if fragment and found.suffix == ".md":
            anchors = {anchor(m) for m in re.findall(r"^#+ (.+)$", found.read_text(), re.MULTILINE)}
            assert fragment in anchors, f"{target}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_is_a_heading_alone(page):
    assert len(page.read_text()) > 200


def test_profiles_of_containers_that_pages_speak_of_exist():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    there = {profile for service in services.values() for profile in service.get("profiles", ())}
    named = {name for page in PAGES for name in re.findall(r"--profile (\w+)", page.read_text())}
    assert named == there


def variables_read() -> set[str]:
    """Every name that the site's code reads from the environment."""
    names = set()
    for path in (ROOT / "webapp").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            reads = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get"
            if reads and ast.unparse(node.func.value) in ("os.environ", "environment") and node.args:
                names |= {node.args[0].value} if isinstance(node.args[0], ast.Constant) else set()
            if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
                names |= {node.slice.value} if isinstance(node.slice, ast.Constant) else set()
    return {name for name in names if isinstance(name, str)} - NOT_OURS


def test_every_setting_is_documented():
    page = SETTINGS.read_text()
    assert [name for name in sorted(variables_read()) if f"`{name}`" not in page] == []


def test_documented_settings_exist():
    code = "\n".join(path.read_text() for path in [*(ROOT / "webapp").rglob("*.py"), *(ROOT / "tests").rglob("*.py")])
    documented = re.findall(r"^\| `([A-Z_]+)`", SETTINGS.read_text(), re.MULTILINE)
    made = {f"GROUNDGLASS_SECRET_{name.upper()}" for name in re.findall(r'installation_secret\(\w+, "(\w+)"\)', code)}
    assert [name for name in documented if name not in code and name not in made] == []


def test_deidentification_table_is_what_the_rules_say():
    """`python -m webapp.intake.profile_table` writes it anew."""
    page = profile_table.PAGE.read_text()
    assert profile_table.written(page) == page


def test_tables_of_imported_masks_are_what_the_rules_say():
    """`python -m webapp.intake.mask_tables` writes them anew."""
    page = mask_tables.PAGE.read_text()
    assert mask_tables.written(page) == page


def test_table_of_scoring_forms_is_what_the_presets_say():
    """`python -m webapp.campaigns.score_tables` writes it anew."""
    page = score_tables.PAGE.read_text()
    assert score_tables.written(page) == page


def test_architecture_names_every_app():
    page = (ROOT / "ARCHITECTURE.md").read_text()
    apps = [path.parent.name for path in (ROOT / "webapp").glob("*/apps.py")]
    assert [app for app in apps if f"{app}/" not in page] == []


def test_every_decision_has_context_choice_and_consequence():
    for page in (ROOT / "docs" / "decisions").glob("*.md"):
        headings = re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)
        assert headings[:3] == ["Context", "Choice", "Consequence"], page.name


def test_geometry_gate_page_is_what_the_table_says():
    """`python -m inference.imaging.gate` writes it anew."""
    assert PAGE.read_text() == gate_page()


def test_protocol_page_names_every_term_with_its_default():
    """`python -m webapp.campaigns.protocol_page` writes it anew."""
    page = protocol_page.PAGE.read_text()
    assert protocol_page.written(page) == page
    for kind, meanings in protocol_page.MEANINGS.items():
        assert set(meanings) == {field.name for field in fields(kind)}, kind
