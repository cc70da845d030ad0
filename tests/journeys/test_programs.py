"""A program coordinates a real site by the client, the way the documentation says."""

import re
import subprocess
import sys

import pytest

from tests.journeys.fixtures import small_phantom
from tests.journeys.program import Program
from tests.journeys.site import ROOT
from webapp.client import ApiError, Groundglass

pytestmark = [pytest.mark.journey]

EXAMPLE = re.compile(r"```python\n(.+?)```", re.DOTALL)


def test_the_documented_program_deals_the_cases_out(site, tmp_path):
    slug = "programs"
    people = site.furnish(slug, "coordinator", "radiologist", draft=False)
    site.ingest(small_phantom(), slug=slug)
    coordinator, radiologist = people["coordinator"], people["radiologist"]
    token = Program(site, coordinator).token
    (text,) = EXAMPLE.findall((ROOT / "docs" / "how-to" / "use-the-api.md").read_text())
    for word, meant in (
        ("https://HOST", site.address),
        ("TOKEN", token),
        ("SLUG", slug),
        ("USERNAME", radiologist.username),
    ):
        assert word in text
        text = text.replace(word, meant)
    # Far from Django's settings, and with nothing of the site's in its environment.
    script = tmp_path / "program.py"
    script.write_text(text)
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    said = done.stdout.splitlines()
    assert f"{slug} ['coordinator']" in said
    assert said[-2:] == ["1 readings were given", f"1 review {radiologist.username}"]
    reader = Groundglass(site.address, Program(site, radiologist).token)
    begun = reader.begin_next_case(slug)
    assert (begun["case"], begun["state"]) == (1, "in progress")
    assert reader.reading(begun["id"])["statement"]
    assert reader.mask(begun["id"])[:4] == b"GGM1"
    with pytest.raises(ApiError, match="coordinator"):
        reader.exclude(slug, [1], "Not mine to say")
