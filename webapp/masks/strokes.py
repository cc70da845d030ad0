"""The stroke log: append-only, chained per mask, idempotent by UUID; nothing sent is ever dropped."""

import hashlib
import itertools
import json
import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import zstandard
from django.db import transaction
from django.utils import timezone

from inference.imaging.delta import MAX_BYTES, DeltaConflict, DeltaError, SliceRuns, decode_delta, invert_runs
from inference.imaging.editing import edit_slices
from webapp.audit.refusal import ActionRefused, Refusal
from webapp.masks.checkpoints import leave_checkpoint, replay_cost
from webapp.masks.models import HeadSlice, Lease, Mask, Stroke
from webapp.masks.parts import forget_parts, parts_of

APPLIED, DUPLICATE, BRANCHED = "applied", "duplicate", "branched"
BRANCH_SENTENCES = {
    "lease": "This tab no longer holds the mask: the stroke is kept beside it and was not applied.",
    "conflict": "The mask had changed under this stroke: it is kept beside it and was not applied.",
    "closed": "The mask was closed before this stroke arrived: it is kept beside it and was not applied.",
}
GENESIS = "0" * 64
# Slices of noise are large: one statement shall not hold all of them as text.
ROWS_AT_ONCE = 200


@dataclass(frozen=True)
class SentStroke:
    """A stroke as a tab sent it; `payload` are its GGD1 bytes, None where they were sent ahead (see parts).

    `edit` is what the parts of one edit have in common.
    """

    id: uuid.UUID
    layer: str
    tool: str
    plane: str
    tab: uuid.UUID
    epoch: int
    sequence: int
    client_time: str
    undoes: uuid.UUID | None
    payload: bytes | None
    payload_sha256: str
    edit: uuid.UUID | None = None


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
def append_strokes(
    *, mask: Mask, sent: list[SentStroke], by: Any, closed: bool = False, from_the_past: bool = False
) -> list[Answer]:
    """Append strokes to a mask's log in the order given, and apply those that fit to its working state.

    All are committed or none, and the strokes of one edit are applied all or none. A stroke already there is answered
    as it was the first time ("duplicate" where it was applied); one of a stale epoch, or whose old labels are not the
    mask's, or any to a mask that is `closed`, is kept as a branch. `from_the_past`: they bring back what the mask has
    held, so their labels are not questioned. Raises ActionRefused, about the one stroke, where a stroke is malformed or
    contradicts the log; and about `parts` where payloads that should have been sent ahead are not here.
    """
    mask = Mask.objects.select_for_update(of=("self",)).select_related("scan", "label_set").get(pk=mask.pk)
    lease = Lease.objects.filter(mask=mask).first()
    sent, ahead = _with_payloads(mask, sent, by)
    answers: list[Answer] = []
    for _, edit in itertools.groupby(sent, key=lambda stroke: stroke.edit or stroke.id):
        answers += _append_edit(mask, lease, list(edit), by, closed, from_the_past)
    if ahead:
        forget_parts(mask, by, ahead)
    leave_checkpoint(mask)
    mask.save(update_fields=["stroke_sequence", "head_hash", "replay_cost"])
    if lease and any(s.tab == lease.tab and s.epoch == lease.epoch for s in sent):
        Lease.objects.filter(mask=mask).update(renewed_at=timezone.now())
    return answers


def _refused(sent: SentStroke, code: str, sentence: str) -> ActionRefused:
    """Names the stroke, so that whoever sent many can set this one aside and send the others."""
    return ActionRefused(Refusal(code, sentence), stroke=str(sent.id))


def _with_payloads(mask: Mask, sent: list[SentStroke], by: Any) -> tuple[list[SentStroke], set[str]]:
    """The strokes with what was sent ahead, and the hashes of that; what the log has already needs no payload."""
    ahead = {stroke.payload_sha256 for stroke in sent if stroke.payload is None}
    if not ahead:
        return sent, ahead
    held = parts_of(mask, by, ahead)
    logged = set(Stroke.objects.filter(pk__in=[stroke.id for stroke in sent]).values_list("pk", flat=True))
    missing = {s.payload_sha256 for s in sent if s.payload is None and s.id not in logged} - held.keys()
    if missing:
        sentence = "Parts of this edit have not arrived: send them, then the strokes again."
        raise ActionRefused(Refusal("parts_missing", sentence), parts=sorted(missing))
    if sum(map(len, held.values())) > MAX_BYTES:
        raise _refused(sent[0], "too_large", f"An edit may hold {MAX_BYTES // 2**20} MiB; this one holds more.")
    filled = [replace(s, payload=held.get(s.payload_sha256, b"")) if s.payload is None else s for s in sent]
    return filled, ahead


def _append_edit(
    mask: Mask, lease: Lease | None, edit: list[SentStroke], by: Any, closed: bool, from_the_past: bool
) -> list[Answer]:
    """The strokes of one edit: where one of them does not fit, none is applied."""
    if len(edit) == 1:
        return [_append(mask, lease, edit[0], by, closed, from_the_past)]
    before = (mask.stroke_sequence, mask.head_hash, mask.replay_cost)
    place = transaction.savepoint()
    answers = [_append(mask, lease, stroke, by, closed, from_the_past) for stroke in edit]
    if {APPLIED, BRANCHED} <= {answer.status for answer in answers}:
        transaction.savepoint_rollback(place)
        mask.stroke_sequence, mask.head_hash, mask.replay_cost = before
        return [_append(mask, lease, stroke, by, closed, from_the_past, "conflict") for stroke in edit]
    transaction.savepoint_commit(place)
    return answers


def _append(
    mask: Mask, lease: Lease | None, sent: SentStroke, by: Any, closed: bool, from_the_past: bool, against: str = ""
) -> Answer:
    known = Stroke.objects.defer("payload").filter(pk=sent.id).first()
    if known:
        return _known(mask, known, sent, by)
    runs = _runs_of(mask, sent)
    undone = _undone(mask, sent, runs)
    if undone is None and not from_the_past:
        _check_labels(mask, sent, runs)
    reason = against or _branch_reason(lease, sent, by, closed, undone)
    if not reason:
        try:
            _apply(mask, sent.layer, runs)
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
        payload=zstandard.ZstdCompressor(level=3).compress(sent.payload or b""),
        payload_sha256=sent.payload_sha256,
        prev_hash=mask.head_hash,
    )
    stroke.hash = stroke_hash(stroke.prev_hash, stroke_content(stroke))
    stroke.save(force_insert=True)
    mask.stroke_sequence, mask.head_hash = stroke.stroke_sequence, stroke.hash
    mask.replay_cost += replay_cost(runs) if stroke.applied else 0
    status = BRANCHED if reason else APPLIED
    return Answer(stroke.pk, status, stroke.stroke_sequence, stroke.server_time, BRANCH_SENTENCES.get(reason, ""))


def _known(mask: Mask, known: Stroke, sent: SentStroke, by: Any) -> Answer:
    """The answer to a stroke that is in the log already: what became of it stands."""
    if known.mask_id != mask.pk or known.payload_sha256 != sent.payload_sha256 or known.reader_id != by.pk:
        raise _refused(sent, "stroke_reused", f"Stroke {sent.id} is another stroke already.")
    status = DUPLICATE if known.applied else BRANCHED
    sentence = BRANCH_SENTENCES.get(known.branch_reason, "")
    return Answer(known.pk, status, known.stroke_sequence, known.server_time, sentence)


def _runs_of(mask: Mask, sent: SentStroke) -> list[SliceRuns]:
    payload = sent.payload or b""
    if hashlib.sha256(payload).hexdigest() != sent.payload_sha256:
        raise _refused(sent, "payload_hash", f"Stroke {sent.id} was damaged on its way: send it again.")
    nz, ny, nx = mask.scan.shape_zyx
    try:
        return decode_delta(payload, (nz, ny, nx))
    except DeltaError as error:
        raise _refused(sent, "malformed", str(error)) from error


def _branch_reason(lease: Lease | None, sent: SentStroke, by: Any, closed: bool, undone: Stroke | None) -> str:
    """Why a stroke must not be applied, whatever its voxels; "" where nothing is against it."""
    if closed:
        return "closed"
    # A lease that was let go, or fell silent, still stands until the next one raises the epoch.
    if lease is None or (lease.tab, lease.epoch, lease.holder_id) != (sent.tab, sent.epoch, by.pk):
        return "lease"
    # Taking back what was never applied would take somebody else's voxels where they happen to look alike.
    return "conflict" if undone is not None and not undone.applied else ""


def _check_labels(mask: Mask, sent: SentStroke, runs: list[SliceRuns]) -> None:
    known = {0, 1, 2} if sent.layer == "anatomy" else {0, *(label["value"] for label in mask.label_set.labels)}
    used = {int(v) for v in np.flatnonzero(np.logical_or.reduce([np.bincount(r.new, minlength=256) for r in runs]))}
    # Old labels may be ones that were imported; new ones must have a name. Undoing gives back what was there.
    if unknown := used - known:
        raise _refused(sent, "unknown_label", f"Label {min(unknown)} is not in the {sent.layer} layer.")


def _undone(mask: Mask, sent: SentStroke, runs: list[SliceRuns]) -> Stroke | None:
    if sent.undoes is None:
        if sent.tool in ("undo", "redo"):
            raise _refused(sent, "undo_of_nothing", f"Stroke {sent.id} does not say which stroke it undoes.")
        return None
    undone = Stroke.objects.filter(pk=sent.undoes, mask=mask).first()
    if undone is None:
        raise _refused(sent, "undo_unknown", f"Stroke {sent.id} undoes a stroke that is not in this mask.")
    # Both were read as canonical, so equal runs are equal bytes.
    inverse = invert_runs(decode_delta(payload_of(undone), tuple(mask.scan.shape_zyx)))
    if undone.layer != sent.layer or inverse != runs:
        raise _refused(sent, "undo_differs", f"Stroke {sent.id} is not the inverse of the one it undoes.")
    return undone


def payload_of(stroke: Stroke) -> bytes:
    """Return the GGD1 bytes of a stored stroke."""
    return decompressed(stroke.payload)


def decompressed(payload: bytes | memoryview) -> bytes:
    """Return the GGD1 bytes of a stroke's stored payload."""
    return zstandard.ZstdDecompressor().decompress(bytes(payload))


def _apply(mask: Mask, layer: str, delta: list[SliceRuns]) -> None:
    """Apply a delta to the working state; raises DeltaConflict with nothing written when it does not fit."""
    _, ny, nx = mask.scan.shape_zyx
    rows = HeadSlice.objects.filter(mask=mask, layer=layer, z__in=[runs.z for runs in delta])
    frames = {z: bytes(data) for z, data in rows.values_list("z", "data")}
    edited = edit_slices(frames, delta, (ny, nx))
    emptied = [one.z for one in edited if not one.data and one.z in frames]
    if emptied:
        HeadSlice.objects.filter(mask=mask, layer=layer, z__in=emptied).delete()
    HeadSlice.objects.bulk_create(
        [HeadSlice(mask=mask, layer=layer, z=one.z, sha256=one.sha256, data=one.data) for one in edited if one.data],
        batch_size=ROWS_AT_ONCE,
        update_conflicts=True,
        unique_fields=["mask", "layer", "z"],
        update_fields=["sha256", "data"],
    )
