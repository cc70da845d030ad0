"""What the command line says of what it is given: a line for each, good series filed, nothing half-written."""

import os
import shutil
from pathlib import Path

import pytest

from tests.journeys.fixtures import small_phantom
from tests.journeys.site import Site

pytestmark = [pytest.mark.journey]


@pytest.fixture
def slug(site: Site, request: pytest.FixtureRequest) -> str:
    """A campaign of this test's own."""
    slug = request.node.name.replace("_", "-").removeprefix("test-")[:40].strip("-")
    site.furnish(slug, "coordinator")
    return slug


def _cases(site: Site, slug: str) -> int:
    query = "SELECT c.id FROM campaigns_case c JOIN campaigns_campaign g ON g.id = c.campaign_id WHERE g.slug = %s"
    return len(site.rows(query, slug))


def _orphans(site: Site) -> list[Path]:
    """Files of the archive that no scan in the database owns: what a killed process left is there until it is swept."""
    known = {str(row["id"]) for row in site.rows("SELECT id FROM archive_scan")}
    scans = site.home / "archive" / "scans"
    return [path for path in sorted(scans.glob("*")) if path.name not in known] if scans.is_dir() else []


def _refused(site: Site, slug: str, *paths: Path) -> list[str]:
    """Ingest what must be refused in whole or part; the lines that say so."""
    before = _orphans(site)
    done = site.ingest(*paths, slug=slug, check=False)
    assert done.returncode != 0, done.stdout
    assert "Traceback" not in done.stderr, done.stderr
    assert _orphans(site) == before
    return [line for line in done.stdout.splitlines() if line.startswith("refused")]


def test_empty_folder_and_text_named_dcm_are_each_refused_in_a_line(site: Site, slug: str, tmp_path: Path) -> None:
    empty, text = tmp_path / "empty", tmp_path / "note.dcm"
    empty.mkdir()
    text.write_text("Not a scan.")
    lines = _refused(site, slug, empty, text)
    assert len(lines) == 2, lines
    assert _cases(site, slug) == 0


def test_good_series_are_filed_out_of_a_folder_with_bad_ones(site: Site, slug: str, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed"
    shutil.copytree(small_phantom(41), mixed / "good")
    shutil.copytree(small_phantom(42), mixed / "cut-short")
    for path in sorted((mixed / "cut-short").iterdir())[:3]:
        path.write_bytes(path.read_bytes()[:-2000])
    (mixed / "note.dcm").write_text("Not a scan.")
    before = _orphans(site)
    done = site.ingest(mixed, slug=slug, check=False)
    assert done.returncode != 0
    states = [line.split()[0] for line in done.stdout.splitlines() if line.startswith(("accepted", "refused"))]
    assert states.count("accepted") == 1, done.stdout
    assert states.count("refused") >= 2, done.stdout
    assert _cases(site, slug) == 1
    assert _orphans(site) == before


def test_corrupt_jpeg_2000_is_refused_file_by_file(site: Site, slug: str) -> None:
    data = os.environ.get("GROUNDGLASS_DATA")
    if not data:
        pytest.skip("GROUNDGLASS_DATA is not set: the corrupt files are not here")
    folder = Path(data).resolve() / "dicom" / "corrupt-j2k"
    lines = _refused(site, slug, folder)
    assert lines
    assert _cases(site, slug) == 0
