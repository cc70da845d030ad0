"""What is done to masks as a whole: made, forked, versioned, leased. Strokes have their own log (strokes.py)."""

import uuid
from datetime import timedelta
from typing import Any

import numpy as np
from django.db import transaction
from django.utils import timezone
from numpy.typing import NDArray

from inference.imaging.masks import encode_slice, slice_sha256
from webapp.archive.models import Scan
from webapp.audit.actor import Actor, actor_of
from webapp.audit.refusal import ActionRefused, Refusal
from webapp.audit.trail import SITE_CHAIN, audited, record
from webapp.masks import events
from webapp.masks.checkpoints import store_slices
from webapp.masks.models import LAYERS, HeadSlice, LabelSet, Lease, Mask, SliceBlob, StrokePart, Version
from webapp.masks.strokes import GENESIS
from webapp.masks.versions import manifest_digests, version_sha256

LEASE_LASTS = timedelta(seconds=60)


def create_mask(
    *,
    scan: Scan,
    label_set: LabelSet,
    by: Any,
    author_kind: str,
    layers: dict[str, NDArray[np.uint8]] | None = None,
) -> Mask:
    """Make a mask over a scan, empty or of `layers` (uint8 zyx, the scan's shape), in the caller's transaction."""
    actor = actor_of(by)
    mask = Mask.objects.create(
        scan=scan,
        label_set=label_set,
        author_kind=author_kind,
        author_id=actor.identifier,
        author_name=actor.name,
        head_hash=GENESIS,
    )
    rows = []
    for layer, voxels in (layers or {}).items():
        if list(voxels.shape) != list(scan.shape_zyx) or voxels.dtype != np.uint8:
            raise ValueError(f"The {layer} layer is not uint8 on the scan's grid.")
        for z in np.flatnonzero(voxels.any(axis=(1, 2))):
            rows.append(
                HeadSlice(
                    mask=mask,
                    layer=layer,
                    z=int(z),
                    sha256=slice_sha256(voxels[z]),
                    data=encode_slice(voxels[z]),
                )
            )
    HeadSlice.objects.bulk_create(rows, batch_size=500)
    return mask


def fork_mask(*, version: Version, by: Any, author_kind: str = "person") -> Mask:
    """Make a mask that begins as `version` and belongs to somebody else, in the caller's transaction."""
    actor = actor_of(by)
    mask = Mask.objects.create(
        scan=version.mask.scan,
        label_set=version.mask.label_set,
        author_kind=author_kind,
        author_id=actor.identifier,
        author_name=actor.name,
        forked_from=version,
        head_hash=GENESIS,
    )
    digests = [(layer, z, d) for layer in LAYERS for z, d in enumerate(manifest_digests(version, layer)) if d]
    blobs = dict(SliceBlob.objects.filter(pk__in={d for _, _, d in digests}).values_list("sha256", "data"))
    HeadSlice.objects.bulk_create(
        (HeadSlice(mask=mask, layer=layer, z=z, sha256=d, data=blobs[d]) for layer, z, d in digests),
        batch_size=500,
    )
    return mask


@audited(events.VERSION_CUT)
def cut_version(*, mask: Mask, reason: str, by: Any, chain: str = SITE_CHAIN, author: Actor | None = None) -> Version:
    """Freeze the present state of a mask as its next version; `author` where that is not who cuts it."""
    mask = (
        Mask.objects.select_for_update(of=("self",)).select_related("scan", "label_set", "forked_from").get(pk=mask.pk)
    )
    manifests = store_slices(mask)
    last = mask.versions.order_by("-number").first()
    parent = last or mask.forked_from
    anatomy, findings = manifests["anatomy"], manifests["findings"]
    Mask.objects.filter(pk=mask.pk).update(replay_cost=0)
    version = Version.objects.create(
        mask=mask,
        number=last.number + 1 if last else 1,
        parent=parent,
        reason=reason,
        author_name=(author or actor_of(by)).name,
        stroke_sequence=mask.stroke_sequence,
        stroke_head_hash=mask.head_hash,
        anatomy_manifest=anatomy,
        findings_manifest=findings,
        sha256=version_sha256(
            geometry=mask.scan.geometry_sha256,
            label_set=mask.label_set.sha256,
            parent=parent.sha256 if parent else None,
            anatomy=anatomy,
            findings=findings,
        ),
    )
    record(
        events.VERSION_CUT,
        by=by,
        chain=chain,
        subject=f"mask:{mask.pk}",
        version=str(version.pk),
        number=version.number,
        reason=reason,
        sha256=version.sha256,
        stroke_sequence=mask.stroke_sequence,
        stroke_head_hash=mask.head_hash,
    )
    return version


def discard_working_states(*, scan: Scan) -> int:
    """Remove what the masks of a deleted scan show, in the caller's transaction; return how many masks there are.

    Strokes and versions are records and stay, as everything append-only does; without their scan no address opens them.
    """
    HeadSlice.objects.filter(mask__scan=scan).delete()
    Lease.objects.filter(mask__scan=scan).delete()
    StrokePart.objects.filter(mask__scan=scan).delete()
    return Mask.objects.filter(scan=scan).count()


def lease_is_live(lease: Lease) -> bool:
    """Tell whether a lease still keeps others off: neither released nor silent for LEASE_LASTS."""
    return not lease.released and lease.renewed_at > timezone.now() - LEASE_LASTS


@transaction.atomic
def renew_lease(*, mask: Mask, tab: uuid.UUID, by: Any) -> Lease | None:
    """Keep a lease that this tab holds; None when it does not. A heartbeat, so no event."""
    lease = Lease.objects.select_for_update().filter(mask=mask, tab=tab, holder_id=by.pk, released=False).first()
    if lease:
        lease.renewed_at = timezone.now()
        lease.save(update_fields=["renewed_at"])
    return lease


def release_lease(*, mask: Mask, tab: uuid.UUID, by: Any) -> bool:
    """Let go of a lease that this tab holds. The next writer raises the epoch, so nothing late slips in."""
    return bool(Lease.objects.filter(mask=mask, tab=tab, holder_id=by.pk, released=False).update(released=True))


@audited(events.LEASE_TAKEN)
def take_lease(*, mask: Mask, tab: uuid.UUID, by: Any, take_over: bool, chain: str = SITE_CHAIN) -> Lease:
    """Give the right to write a mask to one tab, with a new epoch.

    The tab that had it last, with nobody after it, goes on under its epoch: its strokes under way are no late ones.
    Raises ActionRefused when another tab's lease is live and `take_over` is not asked for.
    """
    Mask.objects.select_for_update().get(pk=mask.pk)
    lease = Lease.objects.select_related("holder").filter(mask=mask).first()
    if lease and lease_is_live(lease) and not take_over and lease.tab != tab:
        since = timezone.localtime(lease.acquired_at).strftime("%H:%M")
        raise ActionRefused(Refusal("held", f"Being edited by {lease.holder} since {since}, in another tab."))
    now = timezone.now()
    goes_on = lease is not None and (lease.tab, lease.holder_id) == (tab, by.pk)
    epoch = (lease.epoch if goes_on else lease.epoch + 1) if lease else 1
    lease, _ = Lease.objects.update_or_create(
        mask=mask,
        defaults={
            "epoch": epoch,
            "holder_id": by.pk,
            "tab": tab,
            "acquired_at": now,
            "renewed_at": now,
            "released": False,
        },
    )
    record(
        events.LEASE_TAKEN,
        by=by,
        chain=chain,
        subject=f"mask:{mask.pk}",
        epoch=epoch,
        tab=str(tab),
        taken_over=take_over,
    )
    return lease
