"""Who may read, edit and sign: None, or the sentence that the button, the API and the action all give."""

from typing import Any

from webapp.accounts.models import User
from webapp.algorithms.queries import finished_draft, latest_draft
from webapp.audit.refusal import Refusal
from webapp.campaigns.models import Case
from webapp.campaigns.queries import current_protocol, roles_of
from webapp.readings.models import Reading


def stage_of(case: Case) -> dict[str, Any]:
    """The first stage of the case's protocol that is not complete; the last one when all are."""
    stages = current_protocol(case.campaign).stages
    for stage in stages:
        done = case.readings.filter(stage=stage["name"], state__in=(Reading.SIGNED, Reading.SUBMITTED)).count()
        if done < stage["readers"]:
            return stage
    return stages[-1]


def may_start_reading(case: Case, user: User) -> Refusal | None:
    """Whether a person may begin to read a case at the stage where it stands."""
    if not Case.objects.filter(pk=case.pk).exists():
        return Refusal("scan_deleted", "The scan of this case was deleted: it cannot be read any more.")
    stage = stage_of(case)
    if stage["role"] not in roles_of(user, case.campaign):
        return Refusal("not_reader", f"Only a {stage['role']} of this campaign may read at the stage {stage['name']}.")
    taken = case.readings.filter(stage=stage["name"]).exclude(state=Reading.SUPERSEDED)
    if taken.filter(reader_id=user.pk).exists():
        return Refusal("reading_exists", "You have a reading of this case already.")
    if taken.count() >= stage["readers"]:
        return Refusal("taken", "This case has been given to its readers.")
    if stage["starts_from"] == "ai_draft":
        algorithm, labels = case.campaign.draft_algorithm, case.campaign.label_set
        run = latest_draft(case.scan, algorithm, labels)
        if run and run.state != run.FAILED and not finished_draft(case.scan, algorithm, labels):
            return Refusal("draft_pending", "The AI draft of this case is not ready yet.")
    return None


def may_edit(reading: Reading, user: User) -> Refusal | None:
    """Whether a person may change the mask of a reading: its reader, until it is signed."""
    if reading.reader_id != user.pk:
        return Refusal("not_yours", f"This is the reading of {reading.reader}: you may look, not edit.")
    if not Case.objects.filter(pk=reading.case_id).exists():
        return Refusal("scan_deleted", "The scan of this reading was deleted: nothing more can be painted or signed.")
    if reading.state not in Reading.OPEN_STATES:
        return Refusal(reading.state, f"This reading is {reading.state}: it no longer changes.")
    return None


def may_send_strokes(reading: Reading, user: User) -> Refusal | None:
    """Whether a person's strokes are taken: their own reading's always. What comes after its end is kept beside."""
    return may_edit(reading, user) if reading.reader_id != user.pk else None


def may_sign(reading: Reading, user: User) -> Refusal | None:
    """Whether a person may sign a reading."""
    return may_edit(reading, user)
