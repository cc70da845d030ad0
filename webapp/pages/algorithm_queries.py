"""What the pages of algorithms show to one person."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet

from webapp.accounts.models import User
from webapp.algorithms.models import Algorithm, AlgorithmFile, MarkedPatient
from webapp.algorithms.queries import runnable_algorithms
from webapp.algorithms.rules import may_manage_algorithms
from webapp.algorithms.training_sets import known_scans
from webapp.archive.models import Scan
from webapp.campaigns.models import Campaign, Case, EnabledAlgorithm
from webapp.campaigns.queries import algorithms_of, campaigns_for, scans_for, sees_algorithms
from webapp.campaigns.rules import may_choose_algorithms
from webapp.pages.algorithm_card import NON_COMMERCIAL, card_view, words

MOST_CASES = 200
# The picture of the learning curves, which the page draws itself where it has them as numbers.
CURVES = "curves"
KINDS = {Algorithm.BASELINE: "classical, nothing learned", Algorithm.NETWORK: "network"}


@dataclass(frozen=True)
class AlgorithmLine:
    """One version in a list."""

    algorithm: Algorithm
    kind: str
    labels: str
    licence: str
    is_non_commercial: bool


def algorithm_lines(algorithms: QuerySet[Algorithm]) -> list[AlgorithmLine]:
    """The lines of some versions."""
    return [_line(one) for one in algorithms.defer("curves")]


def _line(one: Algorithm) -> AlgorithmLine:
    licence = words(one.card.get("licence", ""), 120)
    labels = words(one.card.get("labels", ["lung", "lesion"]))
    return AlgorithmLine(one, KINDS.get(one.entry, one.entry), labels, licence, bool(NON_COMMERCIAL.search(licence)))


@dataclass(frozen=True)
class Mark:
    """A patient marked by hand; `scan` leads there where the person who looks may see one of the patient's scans."""

    mark: MarkedPatient
    scan: Scan | None


def version_page(user: User, algorithm: Algorithm) -> dict[str, Any]:
    """What the page of a version shows: its card, who uses it, and what it knows of the scans here."""
    mine = campaigns_for(user)
    uses = EnabledAlgorithm.objects.filter(algorithm=algorithm, campaign__in=mine).select_related("campaign")
    campaigns = [one.campaign for one in uses.order_by("campaign__name")]
    known = Case.objects.filter(campaign__in=mine, scan__in=known_scans(algorithm.pk).values("pk"))
    files = list(algorithm.files.all())
    counts = dict(algorithm.training_scans.values_list("role").annotate(Count("pk")))
    card = card_view(algorithm)
    return {
        "algorithm": algorithm,
        "card": card,
        "kind": KINDS.get(algorithm.entry, algorithm.entry),
        "weights": next((one for one in files if one.kind == AlgorithmFile.WEIGHTS), None),
        "pictures": [
            one for one in files if one.kind == AlgorithmFile.PICTURE and not (card.charts and one.name == CURVES)
        ],
        "uses": [(campaign, campaign.draft_algorithm_id == algorithm.pk) for campaign in campaigns],
        "known": list(known.select_related("campaign").order_by("campaign__name", "number")[:MOST_CASES]),
        "known_count": known.count(),
        "listed": {"train": counts.get("train", 0), "tune": counts.get("tune", 0)},
        "marks": _marks(user, algorithm),
        "may_manage": may_manage_algorithms(user) is None,
    }


def _marks(user: User, algorithm: Algorithm) -> list[Mark]:
    """The marks of a version; of a patient whom a person sees no scan of, nothing but that there is one."""
    marks = list(MarkedPatient.objects.filter(algorithm=algorithm).select_related("patient").order_by("-marked_at"))
    seen = scans_for(user).filter(study__patient__in=[one.patient_id for one in marks]).order_by("filed_at")
    by_patient = {scan.study.patient_id: scan for scan in seen.select_related("study")}
    return [Mark(one, by_patient.get(one.patient_id)) for one in marks]


@dataclass(frozen=True)
class Choice:
    """A version as a campaign may choose it."""

    algorithm: Algorithm
    is_enabled: bool
    drafts: bool


def choices_of(user: User, campaign: Campaign) -> dict[str, Any]:
    """The versions that a campaign uses, and for who may choose those that it could."""
    refusal = may_choose_algorithms(campaign, user)
    enabled = list(algorithms_of(campaign).defer("curves", "card"))
    others = [] if refusal else [one for one in runnable_algorithms().defer("curves", "card") if one not in enabled]
    return {
        "campaign": campaign,
        "choices": [Choice(one, True, one.pk == campaign.draft_algorithm_id) for one in enabled]
        + [Choice(one, False, False) for one in others],
        "may_choose": refusal is None,
        "sees_algorithms": sees_algorithms(user),
    }
