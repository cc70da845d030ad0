"""What the masks of one scan amount to together: at most one mask a layer, and no voxel chosen for a reader."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from inference.imaging.findings import SeriesRefused
from webapp.archive.models import Scan
from webapp.archive.queries import volume_of
from webapp.archive.storage import DamagedFile
from webapp.campaigns.actions import chain_of
from webapp.intake.layers import LEFT, RIGHT, Claim
from webapp.intake.lines import Delivery, Line, attempted
from webapp.masks.imports import UNNAMED, NewLayer, import_mask, name_data_set
from webapp.masks.models import LabelSet

WHAT = {"anatomy": "lung", "findings": "findings"}
AIRY_BELOW_HU, LEAST_AIRY_PERCENT = -300, 50.0
NO_LUNG = (
    "No mask of the lung came with it. Extent is lesion inside the lung over the lung, so there is none until the lung "
    "is drawn."
)


def import_claims(claims: Sequence[Claim], scan: Scan, case_number: int, delivery: Delivery) -> list[Line]:
    """Import what files say of a scan; a line for each refusal, and one for what was imported."""
    lines: list[Line] = []
    chosen: dict[str, Claim] = {}
    for layer in ("anatomy", "findings"):
        alike = [claim for claim in claims if claim.layer == layer]
        try:
            if alike:
                chosen[layer] = _one_of(layer, alike, delivery.campaign.label_set)
        except SeriesRefused as refusal:
            lines += [Line(claim.title, "refused", refusal.sentence, refusal.code) for claim in alike]
    if chosen:
        title = ", ".join(dict.fromkeys(claim.title for claim in chosen.values()))
        lines.append(attempted(f"mask in {title}", lambda: _imported(title, chosen, scan, case_number, delivery)))
    return lines


def _one_of(layer: str, claims: list[Claim], label_set: LabelSet) -> Claim:
    """The claim that says most, where all others say the same. Raises SeriesRefused."""
    if layer == "anatomy" and len(claims) == 2 and {c.sides for c in claims} == {frozenset({LEFT}), frozenset({RIGHT})}:
        return _both_lungs(claims)
    best = max(claims, key=lambda claim: (claim.said_by_label, len(claim.labels)))
    for other in claims:
        if other is best or np.array_equal(other.voxels, best.voxels):
            continue
        if layer == "findings" and not other.said_by_label:
            lesion = label_set.lesion_values
            if np.array_equal(np.isin(best.voxels, lesion), np.isin(other.voxels, lesion)):
                continue
        differ = int(np.count_nonzero(other.voxels != best.voxels))
        sentence = (
            f"{len(claims)} masks are for the {WHAT[layer]} layer of one scan, and they differ (in {differ:,} voxels): "
            "none is chosen for a reader. Send the one that counts."
        )
        raise SeriesRefused("mask_twice", sentence)
    if len(claims) == 1:
        return best
    note = f"{len(claims)} masks of the {WHAT[layer]} layer say the same; it counts once."
    return replace(best, notes=[*best.notes, note])


def _both_lungs(claims: list[Claim]) -> Claim:
    one, other = claims
    shared = int(np.count_nonzero((one.voxels != 0) & (other.voxels != 0)))
    notes = [*one.notes, *other.notes]
    if shared:
        notes.append(f"{shared:,} voxels belong to both lungs; the one that came first has them.")
    voxels = np.where(one.voxels != 0, one.voxels, other.voxels).astype(np.uint8)
    labels = sorted([*one.labels, *other.labels])
    title = f"{one.title}, {other.title}"
    return Claim("anatomy", voxels, title, one.came_as, labels, notes)


def _imported(title: str, chosen: dict[str, Claim], scan: Scan, case_number: int, delivery: Delivery) -> Line:
    campaign = delivery.campaign
    data_set = delivery.data_set or name_data_set(name=UNNAMED, by=delivery.by)
    notes = list(dict.fromkeys(note for claim in chosen.values() for note in claim.notes))
    if "anatomy" in chosen and "findings" in chosen and (outside := _outside(chosen, campaign.label_set)):
        notes.append(outside)
    if "anatomy" in chosen and (doubt := _doubt_of_lung(chosen["anatomy"], scan)):
        notes.append(doubt)
    layers = {layer: NewLayer(claim.voxels, claim.came_as, claim.labels) for layer, claim in chosen.items()}
    done = import_mask(
        scan=scan,
        label_set=campaign.label_set,
        data_set=data_set,
        layers=layers,
        notes=notes,
        by=delivery.by,
        chain=chain_of(campaign),
    )
    counts = [f"{WHAT[layer]} ({np.count_nonzero(c.voxels):,} voxels)" for layer, c in chosen.items()]
    sentence = f"Case {case_number} has a mask of {data_set}: {' and '.join(counts)}."
    if done.known:
        later = " A later mask of this data set has taken its place, and stays." if done.outlived else ""
        sentence = f"Already imported, recognised and not doubled: {sentence[0].lower()}{sentence[1:]}{later}"
    if "anatomy" not in done.mask.layers:
        notes.append(NO_LUNG)
    return Line(f"mask in {title}", "accepted", sentence, "", notes, scan, case_number, imported_mask=done.mask)


def _doubt_of_lung(claim: Claim, scan: Scan) -> str:
    """What to say of a lung mask that lies where there is little air: it fits the grid, and may be another scan's.

    Lung without disease is nearly all below -300 HU, and half of it still is where much is consolidated.
    """
    if not scan.has_hu:
        return ""
    try:
        hu = volume_of(scan).hu
    except DamagedFile:  # whoever opens the scan is told
        return ""
    percent = 100 * float(np.mean(hu[claim.voxels != 0] < AIRY_BELOW_HU))
    if percent >= LEAST_AIRY_PERCENT:
        return ""
    return (
        f"Only {percent:.0f} % of the lung layer holds air (below {AIRY_BELOW_HU} HU). It lies on the scan's voxels "
        "all the same: look whether the mask is this scan's, and not mirrored, before anybody reads from it."
    )


def _outside(chosen: dict[str, Claim], label_set: LabelSet) -> str:
    lesion = np.isin(chosen["findings"].voxels, label_set.lesion_values)
    outside = int(np.count_nonzero(lesion & (chosen["anatomy"].voxels == 0)))
    if not outside:
        return ""
    return f"{outside:,} voxels of lesion lie outside the lung of the same data set; they do not count for extent."
