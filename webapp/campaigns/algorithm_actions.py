"""Which algorithms a campaign uses, which one makes its drafts, and which patients one of them is known to know."""

from typing import Any

from webapp.algorithms.events import PATIENT_MARKED, PATIENT_UNMARKED
from webapp.algorithms.fitting import may_be_drafted
from webapp.algorithms.models import Algorithm, MarkedPatient
from webapp.algorithms.queueing import queue_runs
from webapp.algorithms.rules import may_manage_algorithms, may_run, refusal_of_reason
from webapp.archive.models import Scan
from webapp.audit.actor import actor_of
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.audit.trail import audited, record
from webapp.campaigns import events
from webapp.campaigns.actions import chain_of
from webapp.campaigns.draft_queries import cases_without_draft
from webapp.campaigns.models import Campaign, EnabledAlgorithm
from webapp.campaigns.rules import may_choose_algorithms, may_mark_patient


def _held(campaign: Campaign, by: Any) -> Campaign:
    """A campaign with its row locked, whose algorithms may be chosen."""
    campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
    require(may_choose_algorithms(campaign, by))
    return campaign


def _as_it_is(algorithm: Algorithm) -> Algorithm:
    """A version as it is now; refused where it was retired."""
    algorithm = Algorithm.objects.get(pk=algorithm.pk)
    require(may_run(algorithm))
    return algorithm


def _record(event: str, campaign: Campaign, algorithm: Algorithm, by: Any, **details: Any) -> None:
    subject, named = f"campaign:{campaign.pk}", f"{algorithm.name}@{algorithm.version}"
    record(event, by=by, chain=chain_of(campaign), subject=subject, algorithm=named, title=str(algorithm), **details)


@audited(events.ALGORITHM_ENABLED)
def enable_algorithm(*, campaign: Campaign, algorithm: Algorithm, by: Any) -> None:
    """Let a campaign use an algorithm version."""
    campaign, algorithm = _held(campaign, by), _as_it_is(algorithm)
    names = {"enabled_by_name": actor_of(by).name[:120]}
    _, made = EnabledAlgorithm.objects.get_or_create(campaign=campaign, algorithm=algorithm, defaults=names)
    require(None if made else Refusal("unchanged", f"{algorithm} is enabled in this campaign already."))
    _record(events.ALGORITHM_ENABLED, campaign, algorithm, by)


@audited(events.ALGORITHM_DISABLED)
def disable_algorithm(*, campaign: Campaign, algorithm: Algorithm, by: Any) -> None:
    """Let a campaign use an algorithm version no more. What it made stays; the one that drafts cannot go."""
    campaign = _held(campaign, by)
    if campaign.draft_algorithm_id == algorithm.pk:
        raise ActionRefused(Refusal("drafts_here", f"{algorithm} makes the drafts here: choose another one first."))
    gone, _ = EnabledAlgorithm.objects.filter(campaign=campaign, algorithm=algorithm).delete()
    require(None if gone else Refusal("unchanged", f"{algorithm} is not enabled in this campaign."))
    _record(events.ALGORITHM_DISABLED, campaign, algorithm, by)


@audited(events.DRAFT_ALGORITHM_SET)
def use_for_drafts(*, campaign: Campaign, algorithm: Algorithm, by: Any) -> Campaign:
    """Let an enabled version make the drafts that readings begin from, from now on.

    Readings that were begun keep their masks. Drafts by this version are put in line for all cases that have none of
    it, and until the draft of a case is there, no reading of it begins.
    """
    campaign, algorithm = _held(campaign, by), _as_it_is(algorithm)
    if not EnabledAlgorithm.objects.filter(campaign=campaign, algorithm=algorithm).exists():
        raise ActionRefused(Refusal("not_enabled", f"{algorithm} is not enabled in this campaign: enable it first."))
    before = campaign.draft_algorithm
    if before == algorithm:
        raise ActionRefused(Refusal("unchanged", f"{algorithm} makes the drafts here already."))
    campaign.draft_algorithm = algorithm
    campaign.save(update_fields=["draft_algorithm"])
    made = queue_runs(_scans_to_draft(campaign, algorithm), algorithm, campaign.label_set)
    said = {"before": str(before) if before else None, "drafts": len(made)}
    _record(events.DRAFT_ALGORITHM_SET, campaign, algorithm, by, **said)
    return campaign


def _scans_to_draft(campaign: Campaign, algorithm: Algorithm) -> list[Any]:
    """The scans of the cases without a draft of a version, as far as it can draft them, by case number."""
    cases = cases_without_draft(campaign, algorithm).select_related("scan").only("number", "scan__has_hu")
    return [case.scan_id for case in cases.order_by("number") if may_be_drafted(case.scan, algorithm) is None]


@audited(PATIENT_MARKED)
def mark_patient(*, algorithm: Algorithm, scan: Scan, reason: str, by: Any) -> MarkedPatient:
    """Say that a scan's patient is in a version's training data, though its card does not say so.

    The version is then not validated on any scan of the patient.
    """
    require(may_mark_patient(scan, by) or refusal_of_reason(reason))
    mark, made = MarkedPatient.objects.get_or_create(
        algorithm=algorithm,
        patient=scan.study.patient,
        defaults={"reason": reason.strip(), "marked_by_name": actor_of(by).name[:120]},
    )
    require(None if made else Refusal("unchanged", f"This patient is marked as known to {algorithm} already."))
    _record_mark(PATIENT_MARKED, algorithm, scan, reason, by)
    return mark


@audited(PATIENT_UNMARKED)
def unmark_patient(*, algorithm: Algorithm, scan: Scan, reason: str, by: Any) -> None:
    """Take a mark back that was a mistake. For administrators: validation depends on it."""
    require(may_manage_algorithms(by) or refusal_of_reason(reason))
    gone, _ = MarkedPatient.objects.filter(algorithm=algorithm, patient=scan.study.patient).delete()
    require(None if gone else Refusal("unchanged", f"This patient is not marked as known to {algorithm}."))
    _record_mark(PATIENT_UNMARKED, algorithm, scan, reason, by)


def _record_mark(event: str, algorithm: Algorithm, scan: Scan, reason: str, by: Any) -> None:
    patient = scan.study.patient.pseudonym
    record(event, by=by, subject=algorithm.subject, patient=patient, scan=str(scan.pk), reason=reason.strip())
