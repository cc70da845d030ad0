"""The stroke log: append-only, chained per mask, idempotent by UUID; nothing sent is ever dropped."""

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import zstandard
from django.db import transaction
from django.utils import timezone
from numpy.typing import NDArray

from inference.imaging.delta import (
    DeltaConflict,
    SliceRuns,
    apply_runs,
    decode_delta,
    encode_delta,
    invert_runs,
)
from inference.imaging.masks import decode_slice, encode_slice, slice_sha256
from webapp.audit.refusal import ActionRefused, Refusal
from webapp.masks.models import HeadSlice, Lease, Mask, Stroke

APPLIED, DUPLICATE, BRANCHED = "applied", "duplicate", "branched"
BRANCH_SENTENCES = {
    "lease": "This tab no longer holds the mask: the stroke is kept beside it and was not applied.",
    "conflict": "The mask had changed under this stroke: it is kept beside it and was not applied.",
}
GENESIS = "0" * 64


@dataclass(frozen=True)
class SentStroke:
    """A stroke as a tab sent it; `payload` are its GGD1 bytes."""

    id: uuid.UUID
    layer: str
    tool: str
    plane: str
    tab: uuid.UUID
    epoch: int
    sequence: int
    client_time: str
    undoes: uuid.UUID | None
    payload: bytes
    payload_sha256: str


@dataclass(frozen=True)
class Answer:
    """What became of a sent stroke."""

    id: uuid.UUID
    status: str
    stroke_sequence: int
    server_time: datetime
    sentence: str = ""


def stroke_hash(prev_hash: str, content: dict[str, Any]) -> str:
    """Return sha256(prev_hash LF canonical JSON of the stroke without its payload, which its own hash stands for)."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{prev_hash}\n{text}".encode()).hexdigest()


def stroke_content(stroke: Stroke) -> dict[str, Any]:
    """Return what the chain's hash of a stroke covers."""
    return {
        "id": str(stroke.id),
        "mask": str(stroke.mask_id),
        "stroke_sequence": stroke.stroke_sequence,
        "applied": stroke.applied,
        "branch_reason": stroke.branch_reason,
        "layer": stroke.layer,
        "tool": stroke.tool,
        "plane": stroke.plane,
        "reader": str(stroke.reader_id),
        "tab": str(stroke.tab),
        "epoch": stroke.epoch,
        "client_sequence": stroke.client_sequence,
        "client_time": stroke.client_time,
        "server_time": stroke.server_time.isoformat(),
        "undoes": str(stroke.undoes_id) if stroke.undoes_id else None,
        "voxel_count": stroke.voxel_count,
        "payload_sha256": stroke.payload_sha256,
    }


@transaction.atomic
def append_strokes(*, mask: Mask, sent: list[SentStroke], by: Any) -> list[Answer]:
    """Append strokes to a mask's log in the order given, and apply those that fit to its working state.

    All are committed or none. A stroke already there is answered "duplicate"; one of a stale epoch, or whose old
    labels are not the mask's, is kept as a branch. Raises ActionRefused for one that contradicts the log, and
    DeltaError for a malformed payload.
    """
    mask = Mask.objects.select_for_update(of=("self",)).select_related("scan").get(pk=mask.pk)
    lease = Lease.objects.filter(mask=mask).first()
    answers = [_append(mask, lease, stroke, by) for stroke in sent]
    mask.save(update_fields=["stroke_sequence", "head_hash"])
    if lease and any(s.tab == lease.tab and s.epoch == lease.epoch for s in sent):
        Lease.objects.filter(mask=mask).update(renewed_at=timezone.now())
    return answers


def _append(mask: Mask, lease: Lease | None, sent: SentStroke, by: Any) -> Answer:
    known = Stroke.objects.filter(pk=sent.id).first()
    if known:
        if known.mask_id != mask.pk or known.payload_sha256 != sent.payload_sha256 or known.reader_id != by.pk:
            raise ActionRefused(Refusal("stroke_reused", f"Stroke {sent.id} is another stroke already."))
        return Answer(
            known.pk,
            DUPLICATE,
            known.stroke_sequence,
            known.server_time,
            BRANCH_SENTENCES.get(known.branch_reason, ""),
        )
    if hashlib.sha256(sent.payload).hexdigest() != sent.payload_sha256:
        raise ActionRefused(Refusal("payload_hash", f"Stroke {sent.id} was damaged on its way: send it again."))
    nz, ny, nx = mask.scan.shape_zyx
    runs = decode_delta(sent.payload, (nz, ny, nx))
    _check_labels(mask, sent.layer, runs)
    undone = _undone(mask, sent, runs)
    holds = lease is not None and (lease.tab, lease.epoch, lease.holder_id) == (sent.tab, sent.epoch, by.pk)
    # A lease that was let go, or fell silent, still stands until the next one raises the epoch.
    reason = "" if holds else "lease"
    if not reason:
        try:
            _apply(mask, sent.layer, runs, (ny, nx))
        except DeltaConflict:
            reason = "conflict"
    stroke = Stroke(
        id=sent.id,
        mask=mask,
        stroke_sequence=mask.stroke_sequence + 1,
        applied=not reason,
        branch_reason=reason,
        layer=sent.layer,
        tool=sent.tool,
        plane=sent.plane,
        reader_id=by.pk,
        tab=sent.tab,
        epoch=sent.epoch,
        client_sequence=sent.sequence,
        client_time=sent.client_time,
        server_time=timezone.now(),
        undoes=undone,
        voxel_count=sum(r.voxel_count for r in runs),
        z_first=runs[0].z,
        z_last=runs[-1].z,
        payload=zstandard.ZstdCompressor(level=3).compress(sent.payload),
        payload_sha256=sent.payload_sha256,
        prev_hash=mask.head_hash,
    )
    stroke.hash = stroke_hash(stroke.prev_hash, stroke_content(stroke))
    stroke.save(force_insert=True)
    mask.stroke_sequence, mask.head_hash = stroke.stroke_sequence, stroke.hash
    status = BRANCHED if reason else APPLIED
    return Answer(stroke.pk, status, stroke.stroke_sequence, stroke.server_time, BRANCH_SENTENCES.get(reason, ""))


def _check_labels(mask: Mask, layer: str, runs: list[SliceRuns]) -> None:
    known = {0, 1, 2} if layer == "anatomy" else {0, *(label["value"] for label in mask.label_set.labels)}
    used = {int(v) for r in runs for v in np.unique(r.new)}
    # Old labels may be ones that were imported; new ones must have a name.
    if unknown := used - known:
        raise ActionRefused(Refusal("unknown_label", f"Label {min(unknown)} is not in the {layer} layer."))


def _undone(mask: Mask, sent: SentStroke, runs: list[SliceRuns]) -> Stroke | None:
    if sent.undoes is None:
        if sent.tool in ("undo", "redo"):
            raise ActionRefused(Refusal("undo_of_nothing", f"Stroke {sent.id} does not say which stroke it undoes."))
        return None
    undone = Stroke.objects.filter(pk=sent.undoes, mask=mask).first()
    if undone is None:
        raise ActionRefused(Refusal("undo_unknown", f"Stroke {sent.id} undoes a stroke that is not in this mask."))
    inverse = encode_delta(invert_runs(decode_delta(payload_of(undone), tuple(mask.scan.shape_zyx))))
    if undone.layer != sent.layer or inverse != encode_delta(runs):
        raise ActionRefused(Refusal("undo_differs", f"Stroke {sent.id} is not the inverse of the one it undoes."))
    return undone


def payload_of(stroke: Stroke) -> bytes:
    """Return the GGD1 bytes of a stored stroke."""
    return zstandard.ZstdDecompressor().decompress(bytes(stroke.payload))


def _apply(mask: Mask, layer: str, delta: list[SliceRuns], shape_yx: tuple[int, int]) -> None:
    """Apply a delta to the working state; raises DeltaConflict with nothing written when it does not fit."""
    zs = [runs.z for runs in delta]
    heads = {h.z: h for h in HeadSlice.objects.filter(mask=mask, layer=layer, z__in=zs)}
    changed: list[tuple[int, NDArray[np.uint8]]] = []
    for runs in delta:
        head = heads.get(runs.z)
        voxels = decode_slice(bytes(head.data), shape_yx).copy() if head else np.zeros(shape_yx, np.uint8)
        apply_runs(voxels, runs)
        changed.append((runs.z, voxels))
    fresh: list[HeadSlice] = []
    for z, voxels in changed:
        head = heads.get(z)
        if not voxels.any():
            if head:
                head.delete()
            continue
        row = head or HeadSlice(mask=mask, layer=layer, z=z)
        row.sha256, row.data = slice_sha256(voxels), encode_slice(voxels)
        fresh.append(row)
    HeadSlice.objects.bulk_create(
        fresh,
        update_conflicts=True,
        unique_fields=["mask", "layer", "z"],
        update_fields=["sha256", "data"],
    )
