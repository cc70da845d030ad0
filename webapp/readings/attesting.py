"""What a signature is about: which slices were seen and decided, and what is missing of what the protocol asks."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from inference.imaging.masks import decode_slice
from webapp.campaigns.protocols import ATTESTED, BLOCK, OFF, WARN
from webapp.masks.models import HeadSlice
from webapp.readings.models import LedgerRow, Reading, Verdict
from webapp.readings.scoring import frozen_answers, missing_answers

PLANES_VIEWED = ("coronal_viewed", "sagittal_viewed")


@dataclass(frozen=True)
class Missing:
    """One point that a signature would attest and that is not so: its code, level, sentence, and the slices."""

    code: str
    level: str
    sentence: str
    slices: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Decisions:
    """The ledger of a reading beside its mask. Lists are slice indices, ascending."""

    lung: list[int]
    seen: list[int]
    verdicts: dict[int, str]
    lesion: list[int]

    @property
    def unseen(self) -> list[int]:
        """Slices with lung that were not seen."""
        return sorted(set(self.lung) - set(self.seen))

    @property
    def undecided(self) -> list[int]:
        """Slices with lung without a verdict, and those said to be indeterminate."""
        decided = (Verdict.PRESENT, Verdict.ABSENT)
        return [z for z in self.lung if self.verdicts.get(z) not in decided]

    @property
    def contradictions(self) -> list[int]:
        """Slices said to be without lesion that hold some, and slices said to hold some that have none."""
        lesion = set(self.lesion)
        said = {Verdict.PRESENT: True, Verdict.ABSENT: False}
        return sorted(z for z, verdict in self.verdicts.items() if said.get(verdict, z in lesion) != (z in lesion))


def lesion_slices(reading: Reading) -> list[int]:
    """The slices where the mask as it stands has lesion: a label that is no exclusion."""
    values = np.asarray(reading.begun_mask.label_set.lesion_values, dtype=np.uint8)
    height, width = reading.case.scan.shape_zyx[1:]
    rows = HeadSlice.objects.filter(mask=reading.begun_mask, layer="findings").order_by("z")
    return [z for z, data in rows.values_list("z", "data").iterator(64)
            if np.isin(decode_slice(bytes(data), (height, width)), values).any()]  # fmt: skip


def decisions_of(reading: Reading) -> Decisions:
    """What a reading's reader has seen and decided, beside the mask as it stands."""
    rows = LedgerRow.objects.filter(reading=reading).order_by("z").values_list("z", "first_seen_at", "verdict")
    found = list(rows)
    lung = HeadSlice.objects.filter(mask=reading.begun_mask, layer="anatomy").order_by("z").values_list("z", flat=True)
    return Decisions(
        lung=list(lung),
        seen=[z for z, seen_at, _ in found if seen_at is not None],
        verdicts={z: verdict for z, _, verdict in found if verdict},
        lesion=lesion_slices(reading),
    )


def missing_in(reading: Reading, decisions: Decisions | None = None) -> list[Missing]:
    """What is missing of what the protocol of a reading wants attested; empty where nothing is."""
    terms = reading.protocol.said
    if all(terms.level(code) == OFF for code in ATTESTED):
        return []
    told = decisions or decisions_of(reading)
    planes = [name.split("_")[0] for name in PLANES_VIEWED if name not in reading.attests]
    found = {
        "slices_seen": (told.unseen, _counted(told.unseen, "slice with lung {was} not seen")),
        "verdicts": (told.undecided, _counted(told.undecided, "slice with lung {is} undecided")),
        "no_contradictions": (told.contradictions, _counted(told.contradictions, "verdict {does} not fit the mask")),
        "lung_checked": ([], "" if "lung_checked" in reading.attests else "The lung layer was not marked as checked."),
        "planes_viewed": ([], _planes_in_words(planes)),
        "forms_filled": ([], missing_answers(reading)),
    }  # fmt: skip
    return [
        Missing(code, terms.level(code), sentence, slices)
        for code, (slices, sentence) in found.items()
        if sentence and terms.level(code) in (WARN, BLOCK)
    ]


def _planes_in_words(planes: Sequence[str]) -> str:
    if len(planes) > 1:
        return f"The {' and '.join(planes)} planes were not viewed."
    return f"The {planes[0]} plane was not viewed." if planes else ""


FORMS = {"was": "were", "is": "are", "does": "do"}


def _counted(slices: Sequence[int], words: str) -> str:
    """The sentence that counts slices; `words` begins with the noun, with its verb in braces."""
    if not slices:
        return ""
    one = len(slices) == 1
    noun, rest = words.split(" ", 1)
    verbs = {singular: singular if one else plural for singular, plural in FORMS.items()}
    return f"{len(slices)} {noun if one else noun + 's'} {rest.format(**verbs)}."


def attested_by(reading: Reading, decisions: Decisions) -> dict[str, Any]:
    """What a signature writes down of the ledger: counts, the points of `attests`, and a SHA-256 over every row."""
    ledger = [[z, verdict] for z, verdict in sorted(decisions.verdicts.items())]
    text = json.dumps({"seen": decisions.seen, "verdicts": ledger}, separators=(",", ":"))
    count = {value: sum(v == value for v in decisions.verdicts.values()) for value in Verdict.VALUES}
    return {
        "lung_slices": len(decisions.lung),
        "unseen": len(decisions.unseen),
        "undecided": len(decisions.undecided),
        "contradictions": len(decisions.contradictions),
        **count,
        **reading.attests,
        "active_s": round(reading.active_ms / 1000),
        "ledger_sha256": hashlib.sha256(text.encode()).hexdigest(),
        **frozen_answers(reading),
    }
