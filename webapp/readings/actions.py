"""What readers do: start, sign."""

import uuid
from typing import Any

from django.utils import timezone

from webapp import jobs, push
from webapp.accounts.models import User
from webapp.algorithms.queries import finished_draft
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.audit.trail import audited, record
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Case
from webapp.campaigns.queries import current_protocol
from webapp.masks.actions import create_mask, cut_version, fork_mask, lease_is_live
from webapp.masks.models import Lease, Mask
from webapp.masks.queries import imported_version
from webapp.readings import events
from webapp.readings.models import Reading, Signature
from webapp.readings.queries import import_to_begin_from
from webapp.readings.rules import may_edit, may_sign, may_start_reading, stage_of


@audited(events.READING_STARTED)
def start_reading(*, case: Case, by: User) -> Reading:
    """Begin a person's reading of a case, with a mask of its own forked from where the stage starts."""
    # Also where its scan was deleted a moment ago: the rule says so.
    case = Case.ever.select_for_update(of=("self",)).select_related("campaign", "scan").get(pk=case.pk)
    require(may_start_reading(case, by))
    stage = stage_of(case)
    mask, origin = _first_mask(case, stage, by)
    reading = Reading.objects.create(
        case=case,
        protocol=current_protocol(case.campaign),
        stage=stage["name"],
        reader=by,
        state=Reading.IN_PROGRESS,
        mask=mask,
    )
    record(
        events.READING_STARTED,
        by=by,
        chain=chain_of(case.campaign),
        subject=f"reading:{reading.pk}",
        case=case.number,
        stage=reading.stage,
        mask=str(mask.pk),
        starts_from=stage["starts_from"],
        forked_from=origin,
        forked_from_author=mask.forked_from.author_name if mask.forked_from else None,
    )
    return reading


def _first_mask(case: Case, stage: dict[str, Any], by: User) -> tuple[Mask, str | None]:
    if stage["starts_from"] == "ai_draft":
        run = finished_draft(case.scan, case.campaign.draft_algorithm, case.campaign.label_set)
        if run and run.mask:
            version = run.mask.versions.get(number=1)
            return fork_mask(version=version, by=by), version.sha256
    imported = import_to_begin_from(case, stage)
    if imported is not None:
        version = imported_version(imported)
        return fork_mask(version=version, by=by), version.sha256
    label_set = case.campaign.label_set
    return create_mask(scan=case.scan, label_set=label_set, by=by, author_kind="person"), None


@audited(events.READING_SIGNED)
def sign_reading(*, reading: Reading, stroke_sequence: int, statement: str, by: User) -> Signature:
    """Sign a reading: cut its mask as a version for ever, under the protocol's statement.

    `stroke_sequence` is the last stroke that the signer's screen showed as saved; it must be the mask's last.
    The caller has checked the signer's password anew.
    """
    reading = (
        Reading.objects.select_for_update(of=("self",)).select_related("case__campaign", "protocol").get(pk=reading.pk)
    )
    require(may_sign(reading, by))
    mask = Mask.objects.select_for_update().get(pk=reading.mask_id)
    if mask.stroke_sequence != stroke_sequence:
        raise ActionRefused(
            Refusal(
                "unsaved",
                f"The mask here has {mask.stroke_sequence} strokes and your screen knows {stroke_sequence}: "
                "wait until all is saved, reload, look again, then sign.",
            )
        )
    if statement != reading.protocol.statement:
        raise ActionRefused(Refusal("statement", "The statement is not this protocol's: reload and read it again."))
    chain = chain_of(reading.case.campaign)
    version = cut_version(mask=mask, reason="sign", by=by, chain=chain)
    signature = Signature.objects.create(
        reading=reading,
        version=version,
        version_sha256=version.sha256,
        signer_name=str(by),
        meaning="reviewed and approved",
        statement=statement,
    )
    reading.state, reading.ended_at = Reading.SIGNED, timezone.now()
    reading.save(update_fields=["state", "ended_at"])
    jobs.enqueue("releases.measure_version", version_id=str(version.pk))
    jobs.enqueue("releases.file_version", version_id=str(version.pk))
    record(
        events.READING_SIGNED,
        by=by,
        chain=chain,
        subject=f"reading:{reading.pk}",
        case=reading.case.number,
        stage=reading.stage,
        version=str(version.pk),
        version_sha256=version.sha256,
        statement=statement,
    )
    push.publish(f"reading:{reading.pk}", "reading.signed")
    return signature


@audited(events.READING_VIEWED)
def view_reading(*, reading: Reading, by: User) -> None:
    """Note that a person opened a reading's scan and mask in the viewer."""
    record(
        events.READING_VIEWED,
        by=by,
        chain=chain_of(reading.case.campaign),
        subject=f"reading:{reading.pk}",
        case=reading.case.number,
        may_edit=may_edit(reading, by) is None,
    )


@audited(events.LEASE_ASKED)
def ask_for_lease(*, reading: Reading, tab: uuid.UUID, by: User) -> None:
    """Ask whoever writes a reading's mask to hand it over; the tab that holds it is told."""
    require(may_edit(reading, by))
    lease = Lease.objects.filter(mask=reading.mask).first()
    if lease is None or not lease_is_live(lease) or lease.tab == tab:
        raise ActionRefused(Refusal("nobody_writes", "Nobody else is editing this reading: take it."))
    record(
        events.LEASE_ASKED,
        by=by,
        chain=chain_of(reading.case.campaign),
        subject=f"reading:{reading.pk}",
        tab=str(tab),
        holder_tab=str(lease.tab),
    )
    push.publish(f"reading:{reading.pk}", "lease.asked", who=str(by), tab=str(tab))
