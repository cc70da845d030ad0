"""Readings of one case laid against each other: their figures, and whether the protocol's rule accepts them."""

import itertools
import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from inference.measures.overlap import dice
from inference.measures.quantification import measure
from webapp.archive.queries import has_spacing
from webapp.campaigns.models import Case
from webapp.campaigns.protocols import Acceptance
from webapp.masks.models import Version
from webapp.masks.queries import Layers, version_layers
from webapp.readings.models import LedgerRow, Reading, Signature, Verdict


def signatures_to_compare(case: Case, stage: str) -> list[Signature]:
    """The signatures of the readings of a stage that count, in the order of the readings' ids."""
    readings = case.readings.filter(stage=stage, state=Reading.SIGNED, repeat=0)
    signed = Signature.objects.filter(reading__in=readings).select_related("version__mask__scan", "reading")
    return list(signed.order_by("reading_id"))


def compare(signatures: Sequence[Signature]) -> list[dict[str, Any]]:
    """The figures of each two signed readings, in order; no more than two masks are in memory at once."""
    return [_pair(first, second) for first, second in itertools.combinations(signatures, 2)]


def _pair(first: Signature, second: Signature) -> dict[str, Any]:
    return {
        "first": first.pk,
        "second": second.pk,
        **pair_of_versions(first.version, second.version),
        "contradicting_slices": contradicting_slices(first.reading, second.reading),
    }


def pair_of_versions(first: Version, second: Version) -> dict[str, Any]:
    """The figures of two versions of one scan; differences are second minus first."""
    a, b = version_layers(first), version_layers(second)
    lesion = [np.isin(x["findings"], v.mask.label_set.lesion_values) for x, v in ((a, first), (b, second))]
    numbers = [_numbers(first, a), _numbers(second, b)]
    extents = [one["extent_percent"] for one in numbers]
    known = [extent for extent in extents if extent is not None]
    return {
        "dice": dice(lesion[0], lesion[1]),
        "lung_dice": dice(a["anatomy"] > 0, b["anatomy"] > 0),
        "numbers": numbers,
        # Second minus first, as everywhere (science.md 4).
        "extent_difference": known[1] - known[0] if len(known) == 2 else None,
        "empty": [not one.any() for one in lesion],
    }


def _numbers(version: Version, layers: Layers) -> dict[str, float | None]:
    """Extent and lesion volume, which need no HU."""
    scan, labels = version.mask.scan, version.mask.label_set
    columns = np.asarray(scan.affine_lps, dtype=np.float64)[:3, :3]
    measured = measure(
        np.broadcast_to(np.int16(0), layers["anatomy"].shape),
        layers["anatomy"],
        layers["findings"],
        float(np.linalg.norm(columns, axis=0).prod()) / 1000 if has_spacing(scan) else None,
        lesion_values=labels.lesion_values,
        not_lung_values=labels.not_lung_values,
        has_hu=False,
    )
    return {"extent_percent": measured.extent_percent, "lesion_volume_ml": measured.lesion_volume_ml}


def contradicting_slices(first: Reading, second: Reading) -> list[int]:
    """The slices that one of two readers said to hold lesion and the other said to hold none."""
    said = [
        dict(LedgerRow.objects.filter(reading=one).exclude(verdict="").values_list("z", "verdict"))
        for one in (first, second)
    ]
    opposite = {Verdict.PRESENT: Verdict.ABSENT, Verdict.ABSENT: Verdict.PRESENT}
    return sorted(z for z, verdict in said[0].items() if said[1].get(z) == opposite.get(verdict, "neither"))


def objections(pairs: Sequence[dict[str, Any]], rule: Acceptance | None) -> list[str]:
    """Why readings are not accepted by a rule, each in a sentence; empty where they are (records.md)."""
    if rule is None:
        return ["The protocol has each case settled by an adjudicator."]
    return [sentence for pair in pairs for sentence in _objections(pair, rule)]


def _objections(pair: dict[str, Any], rule: Acceptance) -> list[str]:
    found = []
    if all(pair["empty"]):
        overlap = None  # both empty agree
    elif any(pair["empty"]):
        overlap = "One reading has lesion and the other has none."
    elif pair["dice"] < rule.dice_at_least:
        overlap = f"Their Dice is {pair['dice']:.2f}, below {rule.dice_at_least:.2f}."
    else:
        overlap = None
    found += [overlap] if overlap else []
    difference = pair["extent_difference"]
    if difference is not None and abs(difference) > rule.extent_difference_at_most:
        found.append(
            f"Their extents differ by {abs(difference):.1f} points, more than {rule.extent_difference_at_most:.1f}."
        )
    if difference is None and not all(pair["empty"]):
        found.append("Their extents cannot be compared: a reading has no lung.")
    slices = len(pair["contradicting_slices"])
    if rule.no_contradicting_verdicts and slices:
        found.append(f"Their verdicts contradict each other on {slices} slice{'s' if slices > 1 else ''}.")
    return found


def one_of(case: Case, versions: Sequence[Version]) -> Version:
    """One of several accepted versions, drawn at random by the case's id: no volume is made that nobody signed."""
    return random.Random(str(case.pk)).choice(list(versions))
