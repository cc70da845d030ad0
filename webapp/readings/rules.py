"""Who may read, edit and sign: None, or the sentence that the button, the API and the action all give."""

from collections.abc import Sequence

from django.db.models import Q
from django.utils import timezone

from webapp.accounts.models import User
from webapp.algorithms.fitting import may_be_drafted
from webapp.algorithms.models import Algorithm
from webapp.algorithms.queries import finished_draft, latest_draft
from webapp.algorithms.rules import may_run
from webapp.audit.actor import Actor
from webapp.audit.refusal import Refusal
from webapp.campaigns.models import Case
from webapp.campaigns.protocols import AI_DRAFT, BLOCK, SIGN, WITHOUT_DRAFT, Stage
from webapp.campaigns.queries import protocol_of, roles_of
from webapp.campaigns.rules import may_assign
from webapp.readings.attesting import Missing
from webapp.readings.models import REASON_LENGTH, Reading, Submission
from webapp.readings.qualifying import stages_to_qualify

SHORTEST_REASON = 5


def stage_of(case: Case) -> Stage:
    """The stage where a case stands."""
    return protocol_of(case).stage(case.stage)


def may_read_at_all(case: Case, user: User) -> Refusal | None:
    """Whether a case is still read: its scan is there, its campaign is open, and it has not left the campaign."""
    if not Case.objects.filter(pk=case.pk).exists():
        return Refusal("scan_deleted", "The scan of this case was deleted: it cannot be read any more.")
    if case.campaign.closed_at is not None:
        return Refusal("campaign_closed", "This campaign is closed: nothing more is read in it.")
    if case.excluded_reason:
        return Refusal("excluded", f"This case left the campaign: {case.excluded_reason}")
    return None


def assigned_reading(case: Case, user: User) -> Reading | None:
    """The reading of a case that a person was given and may begin now."""
    waiting = case.readings.filter(reader_id=user.pk, state=Reading.ASSIGNED).order_by("repeat", "started_at")
    due = waiting.exclude(not_before__gt=timezone.now())
    return due.filter(Q(stage=case.stage) | Q(repeat__gt=0)).first()


def may_start_reading(case: Case, user: User) -> Refusal | None:
    """Whether a person may begin to read a case: as they were assigned to, or at the stage where it stands."""
    if refusal := may_read_at_all(case, user):
        return refusal
    given = assigned_reading(case, user)
    if given is not None:
        return _refusal_of_start(case, given.protocol.stage(given.stage))
    stage = stage_of(case)
    if stage.role not in roles_of(user, case.campaign):
        return Refusal("not_reader", f"Only a {stage.role} of this campaign may read at the stage {stage.name}.")
    if case.readings.filter(stage=stage.name, reader_id=user.pk).exclude(state__in=Reading.PAST_STATES).exists():
        return Refusal("reading_exists", "You have a reading of this case already.")
    if case.state != Case.TO_READ or case.places_left == 0:
        return Refusal("taken", "This case has been given to its readers.")
    return (
        refusal_of_two_hats(case, stage, user)
        or refusal_of_unqualified(case, stage, user)
        or _refusal_of_start(case, stage)
    )


def refusal_of_unqualified(case: Case, stage: Stage, user: User) -> Refusal | None:
    """Why a person is not given a study case yet: they have not passed each qualification case of the stage."""
    if case.kind != Case.STUDY or stage.name not in stages_to_qualify(user, case.campaign):
        return None
    sentence = "Before study cases are given to you, you read cases whose reference is known: take the next case."
    return Refusal("not_qualified", sentence)


def refusal_of_two_hats(case: Case, stage: Stage, user: User) -> Refusal | None:
    """Why a person who had a hand in a case may not read it at a stage (records.md, separation of duties)."""
    if not protocol_of(case).said.separate_duties:
        return None
    elsewhere = case.readings.filter(reader_id=user.pk).exclude(stage=stage.name).exclude(mask=None).first()
    if elsewhere is None:
        return None
    sentence = f"You have worked on this case at the stage {elsewhere.stage}: somebody else does its {stage.name}."
    return Refusal("two_hats", sentence)


def _refusal_of_start(case: Case, stage: Stage) -> Refusal | None:
    if stage.starts_from == AI_DRAFT and case.arm != WITHOUT_DRAFT and case.start_version_id is None:
        algorithm, labels = case.campaign.draft_algorithm, case.campaign.label_set
        run = latest_draft(case.scan, algorithm, labels)
        if run and run.state in run.OPEN_STATES and not finished_draft(case.scan, algorithm, labels):
            return Refusal("draft_pending", "The AI draft of this case is not ready yet.")
        if run is None and algorithm is not None and may_be_drafted(case.scan, algorithm) is None:
            return _refusal_without_draft(algorithm)
    return None


def _refusal_without_draft(algorithm: Algorithm) -> Refusal:
    """Why a case is not begun that its campaign's algorithm was never asked for: it was chosen since, or retired."""
    if may_run(algorithm) is None:
        return Refusal("draft_pending", f"The AI draft of this case by {algorithm} is not ready yet.")
    sentence = f"This case has no AI draft, and {algorithm} was retired: its coordinator chooses another algorithm."
    return Refusal("no_draft", sentence)


def may_edit(reading: Reading, user: User) -> Refusal | None:
    """Whether a person may change the mask of a reading: its reader, from when it is begun until it ends."""
    if reading.reader_id != user.pk:
        return Refusal("not_yours", f"This is the reading of {reading.reader}: you may look, not edit.")
    if not Case.objects.filter(pk=reading.case_id).exists():
        return Refusal("scan_deleted", "The scan of this reading was deleted: nothing more can be painted or signed.")
    if reading.state not in Reading.OPEN_STATES:
        return Refusal(reading.state, f"This reading is {reading.state}: it no longer changes.")
    if reading.mask_id is None:
        return Refusal("not_begun", "This reading was assigned and has not been begun.")
    return may_read_at_all(reading.case, user)


def may_send_strokes(reading: Reading, user: User) -> Refusal | None:
    """Whether a person's strokes are taken: their own reading's always. What comes after its end is kept beside."""
    return may_edit(reading, user) if reading.reader_id != user.pk else None


def may_sign(reading: Reading, user: User) -> Refusal | None:
    """Whether a person may sign a reading: its reader, at a stage that ends so. What it attests is asked apart."""
    if refusal := may_edit(reading, user):
        return refusal
    if reading.protocol.stage(reading.stage).ends_with != SIGN:
        return Refusal("not_signed_here", f"The stage {reading.stage} ends by handing the case on, not by a signature.")
    return None


def may_submit(reading: Reading, user: User) -> Refusal | None:
    """Whether a person may hand a reading on to the next stage."""
    if refusal := may_edit(reading, user):
        return refusal
    if reading.protocol.stage(reading.stage).ends_with == SIGN:
        return Refusal("signed_here", f"The stage {reading.stage} ends with a signature.")
    return None


def submission_returnable_by(reading: Reading, user: User) -> Submission | None:
    """The submission that a reviewer's open reading began from and may send back; None where there is none."""
    if may_edit(reading, user) is not None or reading.mask is None or reading.supersedes_id or reading.repeat:
        return None
    if reading.case.kind != Case.STUDY:
        return None  # its author handed it on long ago: only the reviewer is measured
    submission = Submission.objects.filter(version=reading.mask.forked_from_id).select_related("reading").first()
    return submission if submission and submission.reading.state == Reading.SUBMITTED else None


def may_return(reading: Reading, user: User) -> Refusal | None:
    """Whether a person may send back the submission that their open reading began from."""
    if refusal := may_edit(reading, user):
        return refusal
    if submission_returnable_by(reading, user) is None:
        return Refusal("nothing_to_return", "This reading did not begin from somebody's submission.")
    return None


def may_amend(reading: Reading, user: User) -> Refusal | None:
    """Whether a person may begin an amendment of a signed reading: its reader, and one at a time."""
    if reading.reader_id != user.pk:
        return Refusal("not_yours", f"This is the reading of {reading.reader}: only they may amend it.")
    if reading.state != Reading.SIGNED:
        return Refusal("not_signed", "Only a signed reading is amended; this one is still open to be changed.")
    if Reading.objects.filter(supersedes=reading).exclude(state=Reading.RELEASED).exists():
        return Refusal("amended", "An amendment of this reading has been begun already.")
    return may_read_at_all(reading.case, user)


def may_be_assigned(case: Case, stage: Stage, reader: User) -> Refusal | None:
    """Whether a case may be given to a person at a stage: it has a place there, and they may read it."""
    if refusal := may_read_at_all(case, reader):
        return refusal
    if not reader.is_active:
        return Refusal("closed_account", f"The account of {reader} is closed: give the case to somebody else.")
    if stage.role not in roles_of(reader, case.campaign):
        return Refusal("not_reader", f"{reader} is no {stage.role} of this campaign.")
    if case.kind != Case.STUDY and stage.name != case.stage:
        return Refusal("measured", f"Case {case.number} measures readers of the stage {case.stage}, and no others.")
    counted = case.readings.filter(stage=stage.name, repeat=0).exclude(state__in=Reading.PAST_STATES)
    if counted.filter(reader_id=reader.pk).exists():
        return Refusal("reading_exists", f"{reader} has a reading of case {case.number} already.")
    # What readers are measured by, everybody reads.
    if case.kind == Case.STUDY and counted.filter(supersedes=None).count() >= stage.readers:
        return Refusal("taken", f"Case {case.number} has been given to its readers.")
    if refusal_of_two_hats(case, stage, reader):
        sentence = f"{reader} has worked on case {case.number} at another stage: somebody else does its {stage.name}."
        return Refusal("two_hats", sentence)
    if refusal_of_unqualified(case, stage, reader):
        sentence = f"{reader} has not passed the qualification cases: study cases are given to them after that."
        return Refusal("not_qualified", sentence)
    return None


def may_release(reading: Reading, by: User | Actor) -> Refusal | None:
    """Whether an open reading may be taken from its reader: by a coordinator, by the system, or given back by them."""
    if reading.state not in Reading.OPEN_STATES:
        return Refusal(reading.state, f"This reading is {reading.state}: it can no longer be given back.")
    if isinstance(by, User) and by.pk == reading.reader_id:
        return None
    return may_assign(reading.case.campaign, by)


def may_read_again(reading: Reading) -> Refusal | None:
    """Whether a signed reading may be repeated by its reader: one repeat is open at a time."""
    if reading.state != Reading.SIGNED:
        return Refusal("not_signed", "Only a signed reading is repeated.")
    again = Reading.objects.filter(case_id=reading.case_id, stage=reading.stage, reader_id=reading.reader_id)
    if again.filter(repeat__gt=0, state__in=Reading.OPEN_STATES).exists():
        return Refusal("repeat_open", f"{reading.reader} has this case to read again already.")
    return may_read_at_all(reading.case, reading.reader)


def refusal_of_missing(missing: Sequence[Missing], acknowledged: Sequence[str]) -> Refusal | None:
    """Why a reading is not signed yet: something that blocks is missing, or a warning was not acknowledged."""
    blocking = [one.sentence for one in missing if one.level == BLOCK]
    if blocking:
        return Refusal("incomplete", " ".join(blocking))
    unsaid = [one.sentence for one in missing if one.code not in acknowledged]
    if unsaid:
        return Refusal("not_acknowledged", f"{' '.join(unsaid)} Say that you sign in spite of it.")
    return None


def refusal_of_reason(reason: str) -> Refusal | None:
    """Why a reason is none: a few words that stay in the record."""
    if len(reason.strip()) < SHORTEST_REASON:
        return Refusal("no_reason", f"Say why, in {SHORTEST_REASON} letters or more: the reason stays in the record.")
    if len(reason) > REASON_LENGTH:
        return Refusal("too_long", f"A reason has at most {REASON_LENGTH} letters.")
    return None
