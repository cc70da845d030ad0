"""Replay every mask's log, recompute its hashes, and say where what is stored is not what the log amounts to."""

import contextlib
import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import zstandard
from django.db import connection, transaction
from numpy.typing import NDArray

from inference.imaging.delta import (
    DeltaConflict,
    DeltaError,
    SliceRuns,
    apply_runs,
    decode_delta,
    encode_delta,
    invert_runs,
)
from inference.imaging.masks import MaskError, decode_slice, decompress_exactly, slice_sha256
from webapp.audit.models import Event
from webapp.masks import events
from webapp.masks.models import LAYERS, Checkpoint, HeadSlice, Mask, SliceBlob, Stroke, Version
from webapp.masks.strokes import GENESIS, payload_of, stroke_content, stroke_hash
from webapp.masks.versions import manifest_digests, version_sha256

LARGEST_SLICE_BYTES = 1 << 26
Place = tuple[str, int]
"""(layer, z)"""


def faults(mask_id: Any = None) -> Iterator[str]:
    """Yield one sentence for each thing that does not hold: of one mask, or of all and of all slices of versions."""
    masks = Mask.objects.order_by("created_at", "pk")
    if mask_id is not None:
        masks = masks.filter(pk=mask_id)
    for pk in list(masks.values_list("pk", flat=True)):
        with one_snapshot():
            mask = Mask.objects.select_related("scan", "label_set", "forked_from").get(pk=pk)
            yield from MaskCheck(mask).faults()
    if mask_id is None:
        yield from blob_faults()


@contextlib.contextmanager
def one_snapshot() -> Iterator[None]:
    """Everything read inside is of one moment, and nobody who paints has to wait."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def blob_faults() -> Iterator[str]:
    """Slices of versions whose voxels are not those that their name says."""
    for blob in SliceBlob.objects.order_by("pk").iterator(chunk_size=200):
        data = bytes(blob.data)
        try:
            size = zstandard.frame_content_size(data)
            raw = decompress_exactly(data, size) if 0 < size <= LARGEST_SLICE_BYTES else b""
        except (zstandard.ZstdError, MaskError):
            yield f"slice {blob.pk}: it cannot be decompressed."
            continue
        if hashlib.sha256(raw).hexdigest() != blob.pk:
            yield f"slice {blob.pk}: its voxels are others."


class MaskCheck:
    """One mask's log, replayed: compared with the mask's versions on the way and with its working state at last."""

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        nz, ny, nx = mask.scan.shape_zyx
        self.shape_zyx = (nz, ny, nx)
        self.held: dict[Place, NDArray[np.uint8]] = {}
        self.digests: dict[Place, str] = {}
        self.stale: set[Place] = set()
        self.hash_at = {0: GENESIS}
        self.versions: dict[int, list[Version]] = {}
        self.checkpoints: dict[int, Checkpoint] = {}

    def faults(self) -> Iterator[str]:
        """Yield one sentence for each thing that does not hold."""
        named = f"mask {self.mask.pk}"
        for sentence in self._all():
            yield f"{named}: {sentence}"

    def _all(self) -> Iterator[str]:
        for version in self.mask.versions.select_related("parent", "signature").order_by("number"):
            self.versions.setdefault(version.stroke_sequence, []).append(version)
        self.checkpoints = {one.stroke_sequence: one for one in self.mask.checkpoints.all()}
        self.digests = self._beginning()
        yield from self._versions_after(0)
        sequence, head = 0, GENESIS
        for stroke in self.mask.strokes.order_by("stroke_sequence").iterator(chunk_size=500):
            sequence += 1
            if stroke.stroke_sequence != sequence:
                yield f"stroke {stroke.stroke_sequence} stands where stroke {sequence} should be: strokes are missing."
                sequence = stroke.stroke_sequence
            if stroke.prev_hash != head:
                yield f"stroke {sequence} does not follow the stroke before it."
            if stroke_hash(stroke.prev_hash, stroke_content(stroke)) != stroke.hash:
                yield f"stroke {sequence} is not what was hashed."
            head = self.hash_at[sequence] = stroke.hash
            yield from self._stroke(stroke)
            yield from self._versions_after(sequence)
        if (self.mask.stroke_sequence, self.mask.head_hash) != (sequence, head):
            yield f"its head is stroke {self.mask.stroke_sequence}, and its log ends with stroke {sequence}."
        for late in sorted(self.versions):
            for version in self.versions[late]:
                yield f"version {version.number} was cut after stroke {late}, which is not in the log."
        for late in sorted(self.checkpoints):
            yield f"a checkpoint was left after stroke {late}, which is not in the log."
        yield from self._working_state()
        yield from self._numbers()

    def _beginning(self) -> dict[Place, str]:
        """The digests of the slices as the mask began: what it was forked from, or its own first version."""
        origin = self.mask.forked_from or next(iter(self.versions.get(0, [])), None)
        if origin is None:
            return {}
        return {
            (layer, z): digest for layer in LAYERS for z, digest in enumerate(manifest_digests(origin, layer)) if digest
        }

    def _stroke(self, stroke: Stroke) -> Iterator[str]:
        where = f"stroke {stroke.stroke_sequence}"
        try:
            payload = payload_of(stroke)
            delta = decode_delta(payload, self.shape_zyx)
        except (zstandard.ZstdError, DeltaError) as error:
            yield f"{where} cannot be read ({error})."
            return
        if hashlib.sha256(payload).hexdigest() != stroke.payload_sha256:
            yield f"{where}: its voxels are not those that were hashed."
        if stroke.voxel_count != sum(runs.voxel_count for runs in delta):
            yield f"{where}: it changes another number of voxels than it says."
        if stroke.z_first is not None and (stroke.z_first, stroke.z_last) != (delta[0].z, delta[-1].z):
            yield f"{where}: it lies on other slices than it says."
        if stroke.undoes_id and not self._is_inverse(stroke, payload):
            yield f"{where}: it is not the inverse of the stroke that it undoes."
        if stroke.applied:
            yield from self._apply(stroke, delta)

    def _is_inverse(self, stroke: Stroke, payload: bytes) -> bool:
        undone = stroke.undoes
        if undone is None or (undone.mask_id, undone.layer) != (stroke.mask_id, stroke.layer):
            return False
        try:
            return encode_delta(invert_runs(decode_delta(payload_of(undone), self.shape_zyx))) == payload
        except (zstandard.ZstdError, DeltaError):
            return False

    def _apply(self, stroke: Stroke, delta: list[SliceRuns]) -> Iterator[str]:
        for runs in delta:
            place = (stroke.layer, runs.z)
            try:
                apply_runs(self._voxels(place), runs)
            except (DeltaConflict, MaskError, SliceBlob.DoesNotExist) as error:
                yield f"stroke {stroke.stroke_sequence} does not fit the mask before it ({error})."
            self.stale.add(place)

    def _voxels(self, place: Place) -> NDArray[np.uint8]:
        if place not in self.held:
            digest = self.digests.get(place)
            shape_yx = self.shape_zyx[1:]
            stored = SliceBlob.objects.get(pk=digest).data if digest else None
            self.held[place] = decode_slice(bytes(stored), shape_yx) if stored else np.zeros(shape_yx, np.uint8)
        return self.held[place]

    def _now(self) -> dict[Place, str]:
        """The digests of the slices that are not empty, after the strokes so far."""
        for place in self.stale & self.held.keys():
            if self.held[place].any():
                self.digests[place] = slice_sha256(self.held[place])
            else:
                self.digests.pop(place, None)
        self.stale.clear()
        return self.digests

    def _versions_after(self, sequence: int) -> Iterator[str]:
        if checkpoint := self.checkpoints.pop(sequence, None):
            yield from self._manifest(f"the checkpoint after stroke {sequence}", checkpoint)
        for version in self.versions.pop(sequence, []):
            where = f"version {version.number}"
            yield from self._manifest(where, version)
            if version.stroke_head_hash != self.hash_at[sequence]:
                yield f"{where}: it does not stand on stroke {sequence} of the log."
            yield from _version(version, self.mask)

    def _manifest(self, where: str, stored: Version | Checkpoint) -> Iterator[str]:
        now = self._now()
        manifest = {(layer, z): d for layer in LAYERS for z, d in enumerate(manifest_digests(stored, layer)) if d}
        for layer, z in sorted(place for place in {*manifest, *now} if manifest.get(place, "") != now.get(place, "")):
            yield f"{where}: slice {z + 1} of {layer} is not what the strokes before it amount to."
        wanted = set(manifest.values())
        if missing := len(wanted) - SliceBlob.objects.filter(pk__in=wanted).count():
            yield f"{where}: {missing} of its slices are not stored."

    def _working_state(self) -> Iterator[str]:
        now, stored = dict(self._now()), {}
        for row in HeadSlice.objects.filter(mask=self.mask).iterator(chunk_size=200):
            stored[row.layer, row.z] = row.sha256
            try:
                voxels = decode_slice(bytes(row.data), self.shape_zyx[1:])
            except MaskError as error:
                yield f"slice {row.z + 1} of {row.layer} as it is now cannot be read ({error})"
                continue
            if slice_sha256(voxels) != row.sha256:
                yield f"slice {row.z + 1} of {row.layer} as it is now holds other voxels than it says."
        for layer, z in sorted(place for place in {*now, *stored} if now.get(place, "") != stored.get(place, "")):
            yield f"slice {z + 1} of {layer} as it is now is not what the log amounts to."

    def _numbers(self) -> Iterator[str]:
        numbers = list(self.mask.versions.order_by("number").values_list("number", flat=True))
        if numbers != list(range(1, len(numbers) + 1)):
            yield "versions are missing between the first and the last."


def _version(version: Version, mask: Mask) -> Iterator[str]:
    """What a version says of itself: its hash, its slices, its signature and the event of its cut."""
    where = f"version {version.number}"
    anatomy, findings = bytes(version.anatomy_manifest), bytes(version.findings_manifest)
    content = version_sha256(
        geometry=mask.scan.geometry_sha256,
        label_set=mask.label_set.sha256,
        parent=version.parent.sha256 if version.parent else None,
        anatomy=anatomy,
        findings=findings,
    )
    if content != version.sha256:
        yield f"{where}: its hash is not that of its content."
    if {len(anatomy), len(findings)} != {32 * mask.scan.shape_zyx[0]}:
        yield f"{where}: its manifests do not name a slice each."
    signature = getattr(version, "signature", None)  # readings, above, keeps it
    if signature is not None and signature.version_sha256 != version.sha256:
        yield f"{where}: what was signed has another hash."
    told = [e.content["details"] for e in Event.objects.filter(name=events.VERSION_CUT, subject=f"mask:{mask.pk}")]
    said = (str(version.pk), version.sha256, version.stroke_head_hash)
    if said not in [(d.get("version"), d.get("sha256"), d.get("stroke_head_hash")) for d in told]:
        yield f"{where}: the audit trail does not tell of its cut, or tells it otherwise."
