"""The way of one case as a line of stations: filed, AI draft, each reading, its signature."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from inference.imaging import axes
from webapp.accounts.models import User
from webapp.algorithms.models import DraftRun
from webapp.archive.models import Scan
from webapp.archive.queries import has_spacing
from webapp.campaigns.models import Case
from webapp.campaigns.protocols import SIGN
from webapp.masks.models import ImportedMask, Version
from webapp.masks.queries import imported_version
from webapp.pages.pictures import LUNG_OUTLINE, labels_shown
from webapp.pages.queries import DraftView, draft_for, visible_mask_for
from webapp.readings.models import Reading
from webapp.readings.queries import imports_shown, readings_of_case_for
from webapp.readings.rules import may_start_reading, stage_of
from webapp.releases.exports import draft_algorithm_of
from webapp.releases.measurements import measured
from webapp.releases.rules import may_export_dicom, may_export_seg

IN_TRAINING_DATA = "this case is in its training data"
DONE, NOW, WAIT, BAD, AHEAD = "done", "now", "wait", "bad", "ahead"
TONES = {
    DraftRun.FINISHED: DONE,
    DraftRun.FAILED: BAD,
    DraftRun.CANCELLED: AHEAD,
    DraftRun.RUNNING: NOW,
    DraftRun.QUEUED: WAIT,
}


@dataclass(frozen=True)
class Station:
    """One stop: what happened, who did it, when, what came of it. `tone` is done, now, wait, bad or ahead."""

    title: str
    tone: str
    who: str = ""
    when: datetime | None = None
    lines: list[str] = field(default_factory=list)
    version_sha256: str = ""
    draft: DraftRun | None = None
    reading: Reading | None = None


def story_for(user: User, case: Case) -> dict[str, Any]:
    """What the page of a case shows to a person: stations, what they may do next, numbers and exports."""
    readings = list(readings_of_case_for(user, case))
    current = [r for r in readings if r.state != Reading.SUPERSEDED]
    signed = [r for r in current if r.state == Reading.SIGNED]
    # A repeat measures its reader: what is measured of the case is a first reading.
    counted = [r for r in signed if not r.repeat] or signed
    draft, imports = draft_for(user, case), imports_shown(user, case)
    mine = next((r for r in current if r.reader_id == user.pk), None)
    return {
        "stations": [
            _filed(case),
            *_import_stations(imports),
            *_draft_stations(draft),
            *_reading_stations(case, readings, draft),
        ],
        "imports": imports,
        "draft": draft,
        "own": mine,
        "mine": mine if mine and mine.state in Reading.OPEN_STATES else None,
        "start_refusal": may_start_reading(case, user),
        "signed": signed,
        "numbers": _numbers(counted[-1].signature.version) if counted else None,
        "seg_refusal": may_export_seg(case.scan) or may_export_dicom(case.campaign, user),
        "labels": _legend(case, user),
    }


def _filed(case: Case) -> Station:
    scan = case.scan
    noun = "slice" if scan.shape_zyx[0] == 1 else "slices"
    lines = [f"{scan.came_as}, {scan.shape_zyx[0]} {noun}"]
    return Station("Filed", DONE, "", scan.filed_at, lines, scan.voxels_sha256)


def _import_stations(imports: list[ImportedMask]) -> list[Station]:
    """A station for each mask that came with the scan."""
    stations = []
    for imported in imports:
        lines = [imported.words]
        if "anatomy" not in imported.layers:
            lines.append("no lung: no extent until it is drawn")
        digest = imported_version(imported).sha256
        stations.append(Station("Imported mask", DONE, imported.data_set.name, imported.imported_at, lines, digest))
    return stations


def _draft_stations(draft: DraftView | None) -> list[Station]:
    if draft is None:
        return []
    run = draft.run
    tone = TONES[run.state]
    lines = []
    if run.state == DraftRun.FINISHED and run.duration_s:
        lines = [f"in {run.duration_s:.0f} s on {run.device}" if run.device else f"in {run.duration_s:.0f} s"]
    if run.state == DraftRun.FAILED:
        lines = [run.failure_sentence]
    if run.state == DraftRun.CANCELLED:
        lines = ["cancelled before it was made"]
    if run.state == DraftRun.QUEUED:
        lines = ["waits for a free worker"]
    if draft.not_validated:
        lines.append(IN_TRAINING_DATA)
    digest = draft.version.sha256 if draft.version else ""
    return [Station("AI draft", tone, str(run.algorithm), run.finished_at, lines, digest, draft=run)]


def _reading_stations(case: Case, readings: list[Reading], draft: DraftView | None) -> list[Station]:
    """Two stations a reading: the reading, and what it ended in; the next stage where there is none yet."""
    stations = []
    for reading in readings:
        ended = reading.state in (Reading.SIGNED, Reading.SUBMITTED, Reading.SUPERSEDED)
        word = "superseded" if reading.state == Reading.SUPERSEDED else "" if ended else reading.state
        stations.append(
            Station(
                _title(reading),
                DONE if ended else NOW,
                str(reading.reader),
                reading.started_at,
                [_origin(reading), *([word] if word else [])],
                reading=reading,
            )
        )
        signature = getattr(reading, "signature", None)
        if signature is not None:
            stations.append(
                Station(
                    "Signed",
                    DONE,
                    signature.signer_name,
                    signature.signed_at,
                    [signature.meaning, *_biased_by(signature.version)],
                    signature.version_sha256,
                )
            )
        elif reading.state in Reading.OPEN_STATES:
            stations.append(Station("Signed", AHEAD))
    if not readings:
        stage = stage_of(case)
        verb = "Signed" if stage.ends_with == SIGN else "Submitted"
        stations += [Station(stage.name.capitalize(), AHEAD, lines=[f"by a {stage.role}"]), Station(verb, AHEAD)]
    return stations


def _biased_by(version: Version) -> list[str]:
    """What agreement with a signed mask is biased by: the algorithm whose draft it began from."""
    algorithm = draft_algorithm_of(version)
    return [f"from the draft of {algorithm}: agreement with it is biased"] if algorithm else []


def _title(reading: Reading) -> str:
    title = reading.stage.capitalize()
    return f"{title}, repeat {reading.repeat}" if reading.repeat else title


def _origin(reading: Reading) -> str:
    origin = reading.begun_mask.forked_from
    if origin is None:
        return "began empty"
    if origin.mask.author_kind == "import":
        return f"began from the imported mask of {origin.author_name}"
    return "began from the AI draft" if origin.mask.author_kind == "algorithm" else f"began from {origin.author_name}"


def _numbers(version: Version) -> dict[str, Any]:
    return measured(version).values


def _legend(case: Case, user: User) -> list[dict[str, str]]:
    """Names and colours of what the picture of a case shows."""
    mask = visible_mask_for(user, case)
    if mask is None:
        return []
    shown = labels_shown(case.scan, mask)
    lung = {"name": "Lung", "colour": LUNG_OUTLINE}
    return [lung, *({"name": x["name"], "colour": x["colour"]} for x in mask.label_set.labels if x["value"] in shown)]


def spacing_text(scan: Scan) -> str:
    """Voxel spacing x, y, z with its unit, as people write it."""
    if not has_spacing(scan):
        return "not known"
    z, y, x = axes.spacing_zyx_mm(np.asarray(scan.affine_lps, dtype=np.float64).reshape(4, 4))
    return " × ".join(f"{mm:.3g}" for mm in (x, y, z)) + " mm"
