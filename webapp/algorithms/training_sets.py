"""Which scans an algorithm version knows from its training: it is not validated on them, and its drafts say so.

A scan is known to a version when it, or any scan of its patient, was trained or tuned on (by the hash of its voxels, as
the version's card lists it), or when somebody marked its patient by hand.
"""

import uuid
from collections.abc import Iterable

from django.db.models import Q, QuerySet

from webapp.algorithms.models import Algorithm, MarkedPatient, TrainingScan
from webapp.archive.models import Scan
from webapp.audit.refusal import Refusal

ROLE_IN_WORDS = {TrainingScan.TRAIN: "trained on", TrainingScan.TUNE: "tuned on"}


def known_scans(algorithm_id: int) -> QuerySet[Scan]:
    """The scans here that a version knows from its training; of deleted scans the hash still counts."""
    hashes = TrainingScan.objects.filter(algorithm=algorithm_id).values("voxels_sha256")
    trained = Scan.ever.filter(voxels_sha256__in=hashes).values("study__patient")
    marked = MarkedPatient.objects.filter(algorithm=algorithm_id).values("patient")
    return Scan.objects.filter(Q(study__patient__in=trained) | Q(study__patient__in=marked))


def known_among(algorithm_id: int, scans: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """The ids of those of some scans that a version knows from its training; one query."""
    return set(known_scans(algorithm_id).filter(pk__in=list(scans)).values_list("pk", flat=True))


def versions_that_know(scan: Scan) -> list[Algorithm]:
    """The versions, of all that are registered, that know a scan from their training; one query."""
    hashes = Scan.ever.filter(study__patient=scan.study.patient_id).values("voxels_sha256")
    listed = TrainingScan.objects.filter(voxels_sha256__in=hashes).values("algorithm")
    marked = MarkedPatient.objects.filter(patient=scan.study.patient_id).values("algorithm")
    found = Algorithm.objects.filter(Q(pk__in=listed) | Q(pk__in=marked)).defer("card", "curves")
    return list(found.order_by("name", "pk"))


def why_known(algorithm: Algorithm, scan: Scan) -> str:
    """How a version knows a scan from its training, in a few words; empty where it does not."""
    listed = algorithm.training_scans.filter(voxels_sha256=scan.voxels_sha256).first()
    if listed is not None:
        return f"this scan was {ROLE_IN_WORDS[listed.role]}{_source(listed)}"
    others = Scan.ever.filter(study__patient_id=scan.study.patient_id).values("voxels_sha256")
    listed = algorithm.training_scans.filter(voxels_sha256__in=others).first()
    if listed is not None:
        return f"another scan of this patient was {ROLE_IN_WORDS[listed.role]}{_source(listed)}"
    mark = algorithm.marked_patients.filter(patient_id=scan.study.patient_id).first()
    if mark is not None:
        said = mark.reason.rstrip(".")
        return f"its patient was marked by {mark.marked_by_name} on {mark.marked_at:%Y-%m-%d}: {said}"
    return ""


def refusal_for_validation(algorithm: Algorithm, scan: Scan) -> Refusal | None:
    """Why a version may not be validated on a scan: it would be judged on what it has seen."""
    why = why_known(algorithm, scan)
    if not why:
        return None
    sentence = f"{algorithm} is not validated on this case: it is in its training data ({why})."
    return Refusal("in_training_data", sentence)


def _source(listed: TrainingScan) -> str:
    named = " ".join(part for part in (listed.data_set, listed.case_name) if part)
    return f" ({named})" if named else ""
