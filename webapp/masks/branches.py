"""Strokes kept beside a mask: read as branches, and settled by a decision; restore of a past state."""

import hashlib
import uuid
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from inference.imaging.delta import delta_parts, encode_delta
from webapp.audit.refusal import ActionRefused, Refusal
from webapp.audit.trail import SITE_CHAIN, audited, record
from webapp.masks import events
from webapp.masks.actions import cut_version
from webapp.masks.history import State, delta_to
from webapp.masks.models import LAYERS, BranchDecision, Mask, Stroke, Version
from webapp.masks.parts import PART_BYTES
from webapp.masks.strokes import APPLIED, SentStroke, append_strokes

MERGED, SET_ASIDE = "merged", "set_aside"


@dataclass(frozen=True)
class Branch:
    """The strokes of one tab under one epoch that were not applied, in order; `settled` once decided on."""

    tab: uuid.UUID
    epoch: int
    strokes: list[Stroke]
    settled: BranchDecision | None


def branches_of(mask: Mask) -> list[Branch]:
    """The branches of a mask, oldest first. Strokes that came after a decision are a branch of their own again."""
    aside = mask.strokes.filter(applied=False).select_related("reader").order_by("stroke_sequence")
    decisions = list(mask.branch_decisions.select_related("decided_by").order_by("decided_at", "pk"))
    grouped: dict[tuple[uuid.UUID, int, int], tuple[list[Stroke], BranchDecision | None]] = {}
    for stroke in aside:
        decided = next(
            (
                d
                for d in decisions
                if (d.tab, d.epoch) == (stroke.tab, stroke.epoch) and d.up_to_sequence >= stroke.stroke_sequence
            ),
            None,
        )
        key = (stroke.tab, stroke.epoch, decided.pk if decided else 0)
        grouped.setdefault(key, ([], decided))[0].append(stroke)
    return [Branch(tab, epoch, strokes, decided) for (tab, epoch, _), (strokes, decided) in grouped.items()]


def strokes_waiting_beside(mask: Mask) -> int:
    """How many strokes are kept beside a mask with nobody's decision on them."""
    decided: dict[tuple[uuid.UUID, int], int] = {}
    for tab, epoch, up_to in mask.branch_decisions.values_list("tab", "epoch", "up_to_sequence"):
        decided[tab, epoch] = max(up_to, decided.get((tab, epoch), 0))
    aside = mask.strokes.filter(applied=False).values_list("tab", "epoch", "stroke_sequence")
    return sum(sequence > decided.get((tab, epoch), 0) for tab, epoch, sequence in aside)


@audited(events.BRANCH_SETTLED)
def settle_branch(
    *,
    mask: Mask,
    tab: uuid.UUID,
    epoch: int,
    up_to_sequence: int,
    decision: str,
    strokes: list[uuid.UUID],
    by: Any,
    chain: str = SITE_CHAIN,
) -> BranchDecision:
    """Write down what became of a branch up to the last of its strokes that was looked at; later ones wait again.

    Raises ActionRefused when it is not there or is settled already.
    """
    Mask.objects.select_for_update().get(pk=mask.pk)
    if decision not in (MERGED, SET_ASIDE):
        raise ActionRefused(Refusal("malformed", "`decision` is merged or set_aside."))
    branch = next((b for b in branches_of(mask) if (b.tab, b.epoch, b.settled) == (tab, epoch, None)), None)
    kept = [s for s in branch.strokes if s.stroke_sequence <= up_to_sequence] if branch else []
    if not kept:
        raise ActionRefused(Refusal("no_branch", "No strokes of that tab are waiting beside the mask."))
    merged = mask.strokes.filter(pk__in=strokes, applied=True, tool="merge")
    if decision == MERGED and merged.count() != len(set(strokes)):
        raise ActionRefused(Refusal("not_merged", "A merge names the saved strokes that brought the branch in."))
    settled = BranchDecision.objects.create(
        mask=mask,
        tab=tab,
        epoch=epoch,
        up_to_sequence=kept[-1].stroke_sequence,
        decision=decision,
        decided_by_id=by.pk,
        strokes=[str(s) for s in strokes],
    )
    record(
        events.BRANCH_SETTLED,
        by=by,
        chain=chain,
        subject=f"mask:{mask.pk}",
        tab=str(tab),
        epoch=epoch,
        decision=decision,
        strokes=settled.strokes,
        kept=[str(s.pk) for s in kept],
    )
    return settled


@audited(events.MASK_RESTORED)
def restore_state(
    *, mask: Mask, state: State, named: str, tab: uuid.UUID, epoch: int, by: Any, chain: str = SITE_CHAIN
) -> Version:
    """Make a past state the present one: by strokes like any other, and a version of it; nothing is taken back.

    Raises ActionRefused when the tab does not hold the mask, or when the mask is in that state already.
    """
    mask = Mask.objects.select_for_update(of=("self",)).select_related("scan").get(pk=mask.pk)
    sent: list[SentStroke] = []
    # Parts of one edit are known by their time, and can be taken back as one.
    now = timezone.now().isoformat()
    for layer in LAYERS:
        parts = delta_parts(delta_to(mask, state, layer), PART_BYTES)
        edit = uuid.uuid4() if len(parts) > 1 else None
        for part in parts:
            payload = encode_delta(part)
            sent.append(
                SentStroke(
                    id=uuid.uuid4(),
                    layer=layer,
                    tool="restore",
                    plane="none",
                    tab=tab,
                    epoch=epoch,
                    sequence=mask.stroke_sequence + len(sent) + 1,
                    client_time=now,
                    undoes=None,
                    payload=payload,
                    payload_sha256=hashlib.sha256(payload).hexdigest(),
                    edit=edit,
                )
            )
    if not sent:
        raise ActionRefused(Refusal("same_state", "The mask is in that state already: there is nothing to restore."))
    answers = append_strokes(mask=mask, sent=sent, by=by, from_the_past=True)
    if any(answer.status != APPLIED for answer in answers):
        raise ActionRefused(Refusal("held", "This tab does not hold the mask, so it cannot restore a state."))
    version = cut_version(mask=mask, reason="restore", by=by, chain=chain)
    record(
        events.MASK_RESTORED,
        by=by,
        chain=chain,
        subject=f"mask:{mask.pk}",
        state=named,
        version=str(version.pk),
        strokes=[str(answer.id) for answer in answers],
    )
    return version
