"""What readers do: start, hand on, send back, sign, amend."""

import uuid
from collections.abc import Sequence

from django.utils import timezone

from webapp import jobs, push
from webapp.accounts.models import User
from webapp.algorithms.queries import finished_draft
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.audit.trail import audited, record
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Case, Protocol
from webapp.campaigns.protocols import AI_DRAFT, IMPORTED_MASK, PREVIOUS, STARTS, WITHOUT_DRAFT, Stage
from webapp.campaigns.queries import protocol_of
from webapp.masks.actions import create_mask, cut_version, fork_mask, lease_is_live
from webapp.masks.consensus import RULES, consensus_version
from webapp.masks.models import Lease, Mask, Version
from webapp.masks.queries import imported_version
from webapp.readings import events
from webapp.readings.attesting import attested_by, decisions_of, missing_in
from webapp.readings.models import Reading, Return, Signature, Submission
from webapp.readings.queries import ended_versions, import_to_begin_from, is_independent
from webapp.readings.rules import (
    assigned_reading,
    may_amend,
    may_edit,
    may_return,
    may_sign,
    may_start_reading,
    may_submit,
    refusal_of_missing,
    refusal_of_reason,
    stage_of,
    submission_returnable_by,
)
from webapp.readings.standing import settle
from webapp.readings.telling import tell_returned


@audited(events.READING_STARTED)
def start_reading(*, case: Case, by: User) -> Reading:
    """Begin a person's reading of a case, with a mask of its own forked from where the stage starts.

    A reading that they were assigned is begun before a place is taken at the stage where the case stands.
    """
    case = held_case(case)
    require(may_start_reading(case, by))
    given = assigned_reading(case, by)
    protocol = given.protocol if given else protocol_of(case)
    stage = protocol.stage(given.stage) if given else stage_of(case)
    mask, origin = _first_mask(case, stage, by)
    begun = {"state": Reading.IN_PROGRESS, "mask": mask, "started_at": timezone.now()}
    if given is None:
        reading = Reading.objects.create(case=case, protocol=protocol, stage=stage.name, reader=by, **begun)
    else:
        reading = given
        for name, value in begun.items():
            setattr(reading, name, value)
        reading.save(update_fields=list(begun))
    _keep_to_protocol(case, protocol)
    settle(case)
    record(
        events.READING_STARTED,
        by=by,
        chain=chain_of(case.campaign),
        subject=f"reading:{reading.pk}",
        case=case.number,
        stage=reading.stage,
        protocol_version=protocol.version,
        assigned=given is not None,
        repeat=reading.repeat,
        mask=str(mask.pk),
        starts_from=stage.starts_from,
        forked_from=origin,
        forked_from_author=mask.forked_from.author_name if mask.forked_from else None,
    )
    return reading


def held_case(case: Case) -> Case:
    """The case with its row locked, also where its scan was deleted a moment ago: the rules say so."""
    return Case.ever.select_for_update(of=("self",)).select_related("campaign", "scan", "protocol").get(pk=case.pk)


def _held(reading: Reading) -> Reading:
    """A reading with its own row and its case's locked, the case's first: so do all who lock both."""
    case = held_case(reading.case)
    held = Reading.objects.select_for_update(of=("self",)).select_related("protocol", "reader").get(pk=reading.pk)
    held.case = case
    return held


def _keep_to_protocol(case: Case, protocol: Protocol) -> None:
    if case.protocol_id is None:
        case.protocol = protocol
        Case.ever.filter(pk=case.pk).update(protocol=protocol)


def _first_mask(case: Case, stage: Stage, by: User) -> tuple[Mask, str | None]:
    version = _version_to_begin_from(case, stage, by)
    if version is not None:
        return fork_mask(version=version, by=by), version.sha256
    label_set = case.campaign.label_set
    return create_mask(scan=case.scan, label_set=label_set, by=by, author_kind="person"), None


def _version_to_begin_from(case: Case, stage: Stage, by: User) -> Version | None:
    if case.start_version_id or (case.kind != Case.STUDY and stage.starts_from not in STARTS):
        return case.start_version  # the same for everybody whom the case measures; none is an empty mask
    if stage.starts_from == AI_DRAFT and case.arm != WITHOUT_DRAFT:
        run = finished_draft(case.scan, case.campaign.draft_algorithm, case.campaign.label_set)
        return run.mask.versions.get(number=1) if run and run.mask else None
    if stage.starts_from == IMPORTED_MASK:
        imported = import_to_begin_from(case, stage)
        return imported_version(imported) if imported else None
    ended = ended_versions(case, stage)
    if stage.starts_from == PREVIOUS:
        return ended[-1] if ended else None
    if stage.starts_from in RULES and len(ended) > 1:
        return consensus_version(versions=ended, rule=stage.starts_from, by=by, chain=chain_of(case.campaign))
    return None


@audited(events.READING_SUBMITTED)
def submit_reading(*, reading: Reading, stroke_sequence: int, by: User) -> Submission:
    """Hand a reading on to the next stage: cut its mask as a version, which the next reader begins from."""
    reading = _held(reading)
    require(may_submit(reading, by))
    mask = _mask_as_shown(reading, stroke_sequence)
    chain = chain_of(reading.case.campaign)
    version = cut_version(mask=mask, reason="submit", by=by, chain=chain)
    submission = Submission.objects.create(reading=reading, version=version)
    _end(reading, Reading.SUBMITTED)
    settle(reading.case)
    jobs.enqueue("releases.measure_version", version_id=str(version.pk))
    record(
        events.READING_SUBMITTED,
        by=by,
        chain=chain,
        subject=f"reading:{reading.pk}",
        case=reading.case.number,
        stage=reading.stage,
        version=str(version.pk),
        version_sha256=version.sha256,
        active_s=reading.active_ms // 1000,
    )
    push.publish(f"reading:{reading.pk}", "reading.submitted")
    return submission


def _mask_as_shown(reading: Reading, stroke_sequence: int) -> Mask:
    """The reading's mask with its row locked; refused where the screen does not know its last stroke."""
    mask = Mask.objects.select_for_update().get(pk=reading.begun_mask.pk)
    if mask.stroke_sequence != stroke_sequence:
        raise ActionRefused(
            Refusal(
                "unsaved",
                f"The mask here has {mask.stroke_sequence} strokes and your screen knows {stroke_sequence}: "
                "wait until all is saved, reload, look again, then go on.",
            )
        )
    return mask


def _end(reading: Reading, state: str) -> None:
    reading.state, reading.ended_at = state, timezone.now()
    reading.save(update_fields=["state", "ended_at"])


@audited(events.READING_RETURNED)
def return_submission(*, reading: Reading, reason: str, stroke_sequence: int, by: User) -> Return:
    """Send the submission that a reviewer's open reading began from back to its reader, with a reason.

    The review is set aside, its mask cut as it stands; once the submission comes again, the same reviewer has it.
    """
    reading = _held(reading)
    require(may_return(reading, by) or refusal_of_reason(reason))
    submission = submission_returnable_by(reading, by)
    assert submission is not None
    mask = _mask_as_shown(reading, stroke_sequence)
    chain = chain_of(reading.case.campaign)
    cut_version(mask=mask, reason="return", by=by, chain=chain)
    sent_back = Reading.objects.select_for_update(of=("self",)).get(pk=submission.reading_id)
    sent_back.state, sent_back.ended_at = Reading.RETURNED, None
    sent_back.save(update_fields=["state", "ended_at"])
    _end(reading, Reading.SUPERSEDED)
    Reading.objects.create(
        case=reading.case, protocol=reading.protocol, stage=reading.stage, reader=by, state=Reading.ASSIGNED
    )
    returned = Return.objects.create(
        submission=submission, review=reading, reason=reason.strip(), returned_by_name=str(by)
    )
    settle(reading.case)
    record(
        events.READING_RETURNED,
        by=by,
        chain=chain,
        subject=f"reading:{sent_back.pk}",
        case=reading.case.number,
        stage=sent_back.stage,
        review=str(reading.pk),
        reason=reason.strip(),
    )
    push.publish(f"reading:{reading.pk}", "reading.set_aside")
    push.publish(f"reading:{sent_back.pk}", "reading.returned")
    tell_returned(sent_back, reason.strip())
    return returned


@audited(events.READING_SIGNED)
def sign_reading(
    *,
    reading: Reading,
    stroke_sequence: int,
    statement: str,
    by: User,
    acknowledged: Sequence[str] = (),
) -> Signature:
    """Sign a reading: cut its mask as a version for ever, under the protocol's statement.

    `stroke_sequence` is the last stroke that the signer's screen showed as saved; it must be the mask's last.
    `acknowledged` are the codes of the missing points that the signer was warned of and goes on in spite of.
    The caller has checked the signer's password anew.
    """
    reading = _held(reading)
    require(may_sign(reading, by))
    mask = _mask_as_shown(reading, stroke_sequence)
    if statement != reading.protocol.statement:
        raise ActionRefused(Refusal("statement", "The statement is not this protocol's: reload and read it again."))
    decisions = decisions_of(reading)
    missing = missing_in(reading, decisions)
    require(refusal_of_missing(missing, acknowledged))
    chain = chain_of(reading.case.campaign)
    version = cut_version(mask=mask, reason="sign", by=by, chain=chain)
    warned = [one.code for one in missing]
    signature = Signature.objects.create(
        reading=reading,
        version=version,
        version_sha256=version.sha256,
        signer_name=str(by),
        meaning=_meaning(reading),
        statement=statement,
        attested=attested_by(reading, decisions),
        acknowledged=warned,
        independent=is_independent(reading),
    )
    _end(reading, Reading.SIGNED)
    if reading.supersedes is not None:
        # The state of the one before is all that changes: its signature and its version stay as they are.
        _end_superseded(reading.supersedes)
    settle(reading.case)
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
        meaning=signature.meaning,
        attested=signature.attested,
        acknowledged=warned,
        independent=signature.independent,
        supersedes=str(reading.supersedes_id) if reading.supersedes_id else None,
    )
    push.publish(f"reading:{reading.pk}", "reading.signed")
    return signature


def _meaning(reading: Reading) -> str:
    if reading.supersedes_id:
        return "amended and approved"
    return "adjudicated" if reading.protocol.stage(reading.stage).only_if_disputed else "reviewed and approved"


def _end_superseded(reading: Reading) -> None:
    Reading.objects.filter(pk=reading.pk).update(state=Reading.SUPERSEDED)
    push.publish(f"reading:{reading.pk}", "reading.superseded")


@audited(events.AMENDMENT_BEGUN)
def amend_reading(*, reading: Reading, reason: str, by: User) -> Reading:
    """Begin the amendment of a signed reading: a new reading from its version, which supersedes it once signed."""
    reading = _held(reading)
    require(may_amend(reading, by) or refusal_of_reason(reason))
    # One that was released is out of the way of the next.
    Reading.objects.filter(supersedes=reading, state=Reading.RELEASED).update(supersedes=None)
    amendment = Reading.objects.create(
        case=reading.case,
        protocol=reading.protocol,
        stage=reading.stage,
        reader=by,
        state=Reading.IN_PROGRESS,
        mask=fork_mask(version=reading.signature.version, by=by),
        supersedes=reading,
        reason=reason.strip(),
        repeat=reading.repeat,
    )
    record(
        events.AMENDMENT_BEGUN,
        by=by,
        chain=chain_of(reading.case.campaign),
        subject=f"reading:{amendment.pk}",
        case=reading.case.number,
        stage=reading.stage,
        supersedes=str(reading.pk),
        reason=reason.strip(),
    )
    return amendment


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
