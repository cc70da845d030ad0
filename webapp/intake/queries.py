"""What a person may see of intake. Outsiders get Http404, as if it were not there."""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.http import Http404

from webapp.accounts.models import User
from webapp.campaigns.models import Campaign
from webapp.intake.models import MACHINES, Batch, SeriesLine
from webapp.intake.rules import may_see_batch
from webapp.masks.models import DataSet

# What the page's chips choose.
KINDS = {
    "waiting": Q(state__in=("receiving", "waiting", "processing")),
    "refused": Q(state__in=("done", "failed")) & (Q(lines__state="refused") | Q(state="failed")),
    "held": Q(file_count__gt=0, originals_gone_at=None, state__in=("done", "failed")),
}


def batches_for(user: User) -> QuerySet[Batch]:
    """The batches that a person sent, and those of campaigns they coordinate; newest first."""
    return (
        _visible_to(user)
        .select_related("campaign", "by")
        .annotate(
            accepted_count=Count("lines", filter=Q(lines__state="accepted")),
            refused_count=Count("lines", filter=Q(lines__state="refused")),
        )
        .order_by("-opened_at", "-pk")
    )


def batches_of_kind(user: User, kind: str) -> QuerySet[Batch]:
    """Those of `batches_for` that wait, hold a refused series, or have their originals held; else all."""
    batches = batches_for(user)
    chosen = KINDS.get(kind)
    return batches.filter(pk__in=_visible_to(user).filter(chosen).values("pk")) if chosen else batches


def counts_by_kind(user: User) -> dict[str, int]:
    """How many batches the person sees of each kind."""
    return {kind: _visible_to(user).filter(chosen).distinct().count() for kind, chosen in KINDS.items()}


def _visible_to(user: User) -> QuerySet[Batch]:
    coordinated = Q(campaign__memberships__user_id=user.pk, campaign__memberships__role="coordinator")
    return Batch.objects.filter(pk__in=Batch.objects.filter(Q(by_id=user.pk) | coordinated).values("pk"))


def batch_for(user: User, batch_id: uuid.UUID) -> Batch:
    """One batch, for its sender and the campaign's coordinators."""
    batch = Batch.objects.filter(pk=batch_id).select_related("campaign", "by", "data_set").first()
    if batch is None or not may_see_batch(batch, user):
        raise Http404("No such upload.")
    return batch


def open_uploads_of(user: User) -> QuerySet[Batch]:
    """The uploads that a person has begun and not finished; newest first."""
    return Batch.objects.filter(by_id=user.pk, source="upload", state="receiving").select_related(
        "campaign", "data_set"
    )


def data_sets_of(campaigns: Iterable[Campaign]) -> list[str]:
    """The names of the data sets that were sent for some campaigns."""
    sent = DataSet.objects.filter(batches__campaign__in=list(campaigns))
    return list(sent.distinct().order_by("name").values_list("name", flat=True))


def received_of(batch: Batch, keys: list[str]) -> list[int]:
    """For each key of an upload's file how many bytes of it are here; -1 where nothing is known of it."""
    known = dict(batch.originals.values_list("key", "received"))
    return [known.get(key, -1) for key in keys]


def may_hear_batch(user: User, batch_id: str) -> bool:
    """Whether a person may hear how a batch goes on."""
    try:
        batch = Batch.objects.filter(pk=uuid.UUID(batch_id)).select_related("campaign").first()
    except ValueError:
        return False
    return batch is not None and may_see_batch(batch, user)


def may_hear_intake(user: User, campaign_id: str) -> bool:
    """Whether a person may hear that batches of a campaign open and close: its coordinators."""
    return campaigns_to_send_to(user).filter(pk=uuid.UUID(campaign_id)).exists()


def campaigns_to_send_to(user: User) -> QuerySet[Campaign]:
    """The campaigns that a person may bring scans into."""
    mine = Q(memberships__user_id=user.pk, memberships__role="coordinator")
    return Campaign.objects.filter(mine).distinct().order_by("name")


def reopenable(alike: QuerySet[Batch]) -> Batch | None:
    """Of the batches of one series, the last one, if a late image still belongs to it: it waits for a worker, or was
    refused and its originals are held. One of which something was filed is over.

    Its row is locked: nobody begins it or lets its originals go before the transaction has ended.
    """
    late = alike.filter(state__in=("waiting", "done", "failed"))
    last = late.select_for_update().order_by("-opened_at").first()
    if last is None or not last.holds_originals or last.lines.filter(state="accepted").exists():
        return None
    return last


def completes_at(batch: Batch) -> datetime | None:
    """When a batch that a machine sends is checked if nothing more comes; None where that is not so."""
    if batch.state != "receiving" or batch.source not in MACHINES or batch.last_arrival_at is None:
        return None
    quiet_s = settings.INTAKE_QUIET_S if batch.sent_whole else settings.INTAKE_BROKEN_OFF_S
    return batch.last_arrival_at + timedelta(seconds=quiet_s)


def quiet_batches(now: datetime) -> QuerySet[Batch]:
    """The batches from which nothing came for a while: short where the sender said that it was all, else long."""
    whole = Q(sent_whole=True, last_arrival_at__lte=now - timedelta(seconds=settings.INTAKE_QUIET_S))
    left = Q(source__in=MACHINES, last_arrival_at__lte=now - timedelta(seconds=settings.INTAKE_BROKEN_OFF_S))
    return Batch.objects.filter(whole | left, state="receiving")


def outlived_batches(now: datetime) -> QuerySet[Batch]:
    """The batches whose originals' time is over; those never finished count from their last file."""
    begun_before = now - timedelta(days=settings.QUARANTINE_HOLD_DAYS)
    held = Q(state__in=("done", "failed"), held_until__lte=now)
    left = Q(state="receiving", arrived__lte=begun_before)
    batches = Batch.objects.annotate(arrived=Coalesce(F("last_arrival_at"), F("opened_at")))
    return batches.filter(held | left, originals_gone_at=None).select_related("campaign")


def batches_holding(scan_id: uuid.UUID) -> list[Batch]:
    """The batches of which a scan or a mask of it was filed, and whose originals are held."""
    batches = Batch.objects.filter(lines__scan=scan_id, originals_gone_at=None).exclude(state="discarded")
    return list(batches.exclude(file_count=0).select_related("campaign").distinct())


def batches_waiting_for(batch: Batch) -> list[Batch]:
    """The batches whose masks name a series that came with this one, and came before it; their originals are held."""
    keys = batch.lines.filter(state="accepted", imported_mask=None).exclude(series_key="").values("series_key")
    lines = SeriesLine.objects.filter(state="refused", code="mask_without_scan", series_key__in=keys)
    waiting = Batch.objects.filter(campaign=batch.campaign, lines__in=lines, state="done", originals_gone_at=None)
    return list(waiting.exclude(file_count=0).exclude(pk=batch.pk).distinct())


def earlier_line(campaign: Campaign, series_key: str) -> SeriesLine | None:
    """The line by which a series is a case of a campaign already, whatever it was de-identified under."""
    lines = SeriesLine.objects.filter(
        batch__campaign=campaign, series_key=series_key, state="accepted", scan__cases__campaign=campaign
    )
    return lines.select_related("scan__study__patient").order_by("pk").first()
