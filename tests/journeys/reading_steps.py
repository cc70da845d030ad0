"""Steps of people who read by a protocol, through the same addresses as the pages and the viewer."""

import json
from typing import Any

from tests.journeys.site import ROOT, Site
from tests.journeys.viewer import Reader

SHAPE = (24, 96, 96)
PAN = json.loads((ROOT / "tests" / "vectors" / "forms.json").read_text())["forms"]["pan_2020"]
LOBES = [f"region/{lobe}" for lobe in ("rul", "rml", "rll", "lul", "lll")]


def post(reader: Reader, path: str, body: dict[str, Any] | None = None, form: bool = False) -> Any:
    """A POST under this person's session; the response."""
    token = next(c["value"] for c in reader.page.context.cookies() if c["name"] == "csrftoken")
    headers = {"X-CSRFToken": token, "Referer": reader.site.address}
    url = f"{reader.site.address}{path}"
    if form:
        return reader.page.request.post(url, form={"csrfmiddlewaretoken": token}, headers=headers)
    return reader.page.request.post(url, data=body, headers=headers)


def begin(reader: Reader, slug: str, number: int) -> str | None:
    """Begin a case by the button's own address; the reading's id, or None where it was refused."""
    answer = post(reader, f"/campaigns/{slug}/cases/{number}/readings/", form=True)
    return answer.url.rstrip("/").rsplit("/", 1)[-1] if "/readings/" in answer.url else None


def say(reader: Reader, reading: str, path: str, **body: Any) -> dict[str, Any]:
    """Ask something of a reading's API that it agrees to."""
    answer = post(reader, f"/api/readings/{reading}/{path}/", body)
    assert answer.ok, f"{path}: {answer.status} {answer.text()[:300]}"
    said: dict[str, Any] = answer.json()
    return said


def decide_everything(reader: Reader, reading: str) -> None:
    """See every slice with lung and give each the verdict of the mask."""
    there = reader.get(f"/api/readings/{reading}/attesting/").json()
    lesion = set(there["lesion"])
    say(
        reader,
        reading,
        "ledger",
        seen=[{"z": z, "dwell_ms": 300} for z in there["lung"]],
        verdicts=[
            {"z_first": z, "z_last": z, "verdict": "present" if z in lesion else "absent", "how": "key"}
            for z in there["lung"]
        ],
        attests={"lung_checked": True, "coronal_viewed": True, "sagittal_viewed": True},
    )


def score(reader: Reader, reading: str, values: tuple[int, ...]) -> None:
    """Answer Pan's form, a value for each lobe."""
    rows = [{"form": "pan_2020", "item": lobe, "value": value} for lobe, value in zip(LOBES, values, strict=True)]
    say(reader, reading, "forms", answers=rows)


def references(site: Site, slug: str) -> list[str]:
    """How the references of a campaign came to be, by case number; the newest of each case."""
    rows = site.rows(
        "SELECT DISTINCT ON (c.number) c.number, r.how FROM readings_reference r JOIN campaigns_case c"
        " ON c.id = r.case_id JOIN campaigns_campaign g ON g.id = c.campaign_id WHERE g.slug = %s"
        " ORDER BY c.number, r.number DESC",
        slug,
    )
    return [row["how"] for row in rows]
