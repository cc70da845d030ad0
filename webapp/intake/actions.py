"""What people, and machines that send, do at the door."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from webapp import jobs, push
from webapp.accounts.models import User
from webapp.archive.filing import clean_site
from webapp.audit.actor import SYSTEM
from webapp.audit.refusal import Refusal, require
from webapp.audit.trail import audited, record
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Campaign
from webapp.campaigns.rules import may_add_scans
from webapp.intake import events, linkage
from webapp.intake.models import MACHINES, Batch
from webapp.intake.rules import may_discard, may_finish, may_try_again
from webapp.masks.models import DataSet
from webapp.notices.notify import notify

PROCESS_JOB = "intake.process_batch"


@audited(events.BATCH_OPENED)
def open_batch(
    *,
    campaign: Campaign,
    by: Any,
    source: str,
    sender: str = "",
    series_key: str = "",
    site: str = "",
    data_set: DataSet | None = None,
    single_pictures: bool = False,
) -> Batch:
    """Begin a sending. The command line and machines send as the system, in a batch without a person.

    `site` is where its scans come from, `data_set` the author of its masks, as the sender names them.
    """
    require(may_add_scans(campaign, by))
    batch = Batch.objects.create(
        campaign=campaign,
        by=by if isinstance(by, User) else None,
        source=source,
        sender=sender[:64],
        series_key=series_key,
        site=clean_site(site),
        data_set=data_set,
        single_pictures=single_pictures,
        last_arrival_at=timezone.now(),
    )
    _tell(batch, "opened")
    record(
        events.BATCH_OPENED,
        by=by,
        chain=chain_of(campaign),
        subject=f"batch:{batch.pk}",
        source=source,
        sender=batch.sender,
        site=batch.site,
        data_set=str(data_set) if data_set else None,
        single_pictures=single_pictures,
    )
    return batch


@audited(events.BATCH_REOPENED)
def reopen_batch(*, batch: Batch, by: Any) -> Batch:
    """More images came of a series that was complete, as it seemed: its batch waits for the rest, with those held.

    It was refused for want of them, or no worker has begun it.
    """
    batch = _locked(batch)
    batch.state, batch.ended_at, batch.held_until, batch.last_arrival_at = "receiving", None, None, timezone.now()
    batch.save(update_fields=["state", "ended_at", "held_until", "last_arrival_at"])
    _tell(batch, "opened")
    record(events.BATCH_REOPENED, by=by, chain=chain_of(batch.campaign), subject=f"batch:{batch.pk}")
    return batch


@audited(events.BATCH_FINISHED)
def finish_batch(*, batch: Batch, by: Any, drop_parts: bool = False) -> Batch:
    """Say that everything was sent; a worker takes it from here. Twice does no more than once.

    Files of which only a part is here are a refusal, unless `drop_parts` lets them go.
    """
    batch = _locked(batch)
    require(may_finish(batch, by))
    if batch.state == "receiving":
        parts = batch.originals.filter(whole=False)
        if not drop_parts and (count := parts.count()):
            noun = "file has" if count == 1 else "files have"
            require(Refusal("parts", f"{count} {noun} not arrived whole yet: go on sending, or let them go."))
        parts.delete()
        # The rows are the truth; the counts on the batch are kept beside them while files arrive.
        whole = batch.originals.aggregate(bytes=Sum("size"))
        batch.file_count, batch.byte_count = batch.originals.count(), whole["bytes"] or 0
        # Who takes what a machine left does not know either whether it was all.
        batch.state, batch.sent_whole = "waiting", batch.sent_whole or batch.source not in MACHINES
        batch.save(update_fields=["state", "sent_whole", "file_count", "byte_count"])
        jobs.enqueue(PROCESS_JOB, batch_id=str(batch.pk))
        _tell(batch, "closed")
    record(
        events.BATCH_FINISHED,
        by=by,
        chain=chain_of(batch.campaign),
        subject=f"batch:{batch.pk}",
        files=batch.file_count,
        bytes=batch.byte_count,
    )
    return batch


@audited(events.BATCH_PROCESSED)
def end_batch(*, batch: Batch, by: Any, sentence: str = "") -> Batch:
    """Close a batch: done, or failed with a sentence. Every refusal is in the audit event, by its code.

    From now its originals are held for the time that the settings say.
    """
    refused = list(batch.lines.filter(state="refused").values_list("code", flat=True))
    accepted = batch.lines.filter(state="accepted").count()
    now = timezone.now()
    Batch.objects.filter(pk=batch.pk).update(
        state="failed" if sentence else "done",
        sentence=sentence,
        ended_at=now,
        held_until=now + timedelta(days=settings.QUARANTINE_HOLD_DAYS) if batch.holds_originals else None,
    )
    batch.refresh_from_db()
    push.publish(f"batch:{batch.pk}", "batch.finished", state=batch.state, accepted=accepted, refused=len(refused))
    _tell(batch, "closed")
    if batch.by is not None:
        words = "failed" if sentence else f"ended: {accepted} taken in, {len(refused)} refused"
        where = {"url": f"/intake/batches/{batch.pk}/", "campaign_slug": batch.campaign.slug}
        notify([batch.by], "import_finished", sentence=f"An import {words}.", **where)
    record(
        events.BATCH_PROCESSED,
        by=by,
        chain=chain_of(batch.campaign),
        subject=f"batch:{batch.pk}",
        state=batch.state,
        accepted=accepted,
        refused=len(refused),
        reasons=sorted(set(refused)),
    )
    return batch


@audited(events.BATCH_TRIED_AGAIN)
def try_again(*, batch: Batch, by: Any) -> Batch:
    """Check the held originals once more: the rules may be others by now, or the campaign's options."""
    batch = _locked(batch)
    require(may_try_again(batch, by))
    batch.state, batch.ended_at, batch.held_until, batch.sentence = "waiting", None, None, ""
    batch.save(update_fields=["state", "ended_at", "held_until", "sentence"])
    jobs.enqueue(PROCESS_JOB, batch_id=str(batch.pk))
    _tell(batch, "closed")
    record(events.BATCH_TRIED_AGAIN, by=by, chain=chain_of(batch.campaign), subject=f"batch:{batch.pk}")
    return batch


@audited(events.BATCH_DISCARDED)
def discard_batch(*, batch: Batch, by: Any, reason: str = "") -> Batch:
    """Destroy the originals of a batch, for good. Scans that were filed from it stay.

    The files themselves go right after the commit: `tasks.sweep` sees to those that a killed process left.
    """
    batch = _locked(batch)
    require(may_discard(batch, by))
    files, size = batch.originals.count(), batch.byte_count
    if not batch.has_ended:
        batch.ended_at = timezone.now()
    batch.state, batch.originals_gone_at, batch.held_until = "discarded", timezone.now(), None
    batch.save(update_fields=["state", "originals_gone_at", "held_until", "ended_at"])
    batch.originals.all().delete()
    push.publish(f"batch:{batch.pk}", "batch.discarded.done")
    _tell(batch, "closed")
    record(
        events.BATCH_DISCARDED,
        by=by,
        chain=chain_of(batch.campaign),
        subject=f"batch:{batch.pk}",
        files=files,
        bytes=size,
        scans_kept=batch.lines.filter(state="accepted", scan__deleted_at=None).count(),
        **({"reason": reason} if reason else {}),
    )
    return batch


@audited(events.ORIGINALS_REMOVED)
def note_originals_removed(*, batch: Batch, reason: str) -> Batch:
    """Note that the originals of a batch are gone, after their time."""
    batch = _locked(batch)
    files = batch.originals.count()
    if not batch.has_ended:  # nothing came of it: it was begun and left
        batch.state, batch.ended_at = "failed", timezone.now()
        batch.sentence = "It was never finished, and its time is over."
    batch.originals_gone_at, batch.held_until = timezone.now(), None
    batch.save(update_fields=["state", "sentence", "ended_at", "originals_gone_at", "held_until"])
    batch.originals.all().delete()
    record(
        events.ORIGINALS_REMOVED,
        by=SYSTEM,
        chain=chain_of(batch.campaign),
        subject=f"batch:{batch.pk}",
        files=files,
        bytes=batch.byte_count,
        reason=reason,
    )
    return batch


@audited(events.LINKAGE_READ)
def read_linkage(
    *, private: X25519PrivateKey, pseudonyms: Sequence[str], operator: str, by: Any
) -> list[dict[str, str]]:
    """Who these pseudonyms (or all) are, by the linkage table and its private key. Raises linkage.LinkageBroken."""
    rows = [row for row in linkage.read(private) if not pseudonyms or row["pseudonym"] in pseudonyms]
    record(
        events.LINKAGE_READ,
        by=by,
        subject="linkage",
        operator=operator,
        asked=sorted(pseudonyms) or "all",
        patients=len(rows),
    )
    return rows


def _locked(batch: Batch) -> Batch:
    return Batch.objects.select_for_update(of=("self",)).select_related("campaign", "by").get(pk=batch.pk)


def _tell(batch: Batch, what: str) -> None:
    """Tell the intake page of a campaign's coordinators that its list is another."""
    push.publish(f"intake:{batch.campaign_id}", f"intake.{what}", batch=str(batch.pk))
