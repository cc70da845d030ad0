"""Versions of algorithms come and go: registered with their weights and card, retired for good."""

from typing import Any

from django.utils import timezone

from webapp.algorithms import events
from webapp.algorithms.models import Algorithm, AlgorithmFile
from webapp.algorithms.rules import may_manage_algorithms, refusal_of_reason
from webapp.algorithms.submitted import WEIGHTS_ENDING, Submitted
from webapp.archive import storage
from webapp.archive.sent_pictures import CleanPicture
from webapp.audit.actor import actor_of
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.audit.trail import audited, record


@audited(events.ALGORITHM_REGISTERED)
def register_version(*, submitted: Submitted, by: Any) -> Algorithm:
    """Make a network's version known to the site, with weights and pictures in storage.

    The same version again changes nothing; another one under its name and version is refused: versions never change.
    """
    require(may_manage_algorithms(by))
    card = submitted.card
    algorithm, made = Algorithm.objects.get_or_create(
        name=card.name,
        version=card.version,
        defaults={
            "title": submitted.title,
            "entry": Algorithm.NETWORK,
            "weights_sha256": card.weights_sha256,
            "card": submitted.recorded,
            "card_text": submitted.text,
            "curves": submitted.curves,
            "registered_by_name": actor_of(by).name[:120],
        },
    )
    if made:
        _store(algorithm, submitted)
    else:
        require(_refusal_of_another(algorithm, submitted))
    record(
        events.ALGORITHM_REGISTERED,
        by=by,
        subject=algorithm.subject,
        title=algorithm.title,
        already_there=not made,
        weights_sha256=card.weights_sha256,
        licence=card.licence[:300],
        training_scans=len(submitted.scans),
    )
    return algorithm


def _refusal_of_another(there: Algorithm, submitted: Submitted) -> Refusal | None:
    name = f"{there.name} {there.version}"
    if there.weights_sha256 != submitted.card.weights_sha256:
        sentence = f"{name} is registered with other weights. A version never changes: give these another version."
        return Refusal("exists", sentence)
    if there.card != submitted.recorded:
        sentence = f"{name} is registered with another card. A version never changes: give this one another version."
        return Refusal("exists", sentence)
    return None


def _store(algorithm: Algorithm, submitted: Submitted) -> None:
    for one in submitted.scans:
        one.algorithm = algorithm
    algorithm.training_scans.bulk_create(submitted.scans, batch_size=1000)
    path, digest, size = storage.write_shared(storage.ALGORITHMS, submitted.weights, WEIGHTS_ENDING)
    if digest != algorithm.weights_sha256:
        raise ActionRefused(Refusal("card_refused", "The weights changed while they were being read: send them again."))
    kind = AlgorithmFile.WEIGHTS
    AlgorithmFile.objects.create(algorithm=algorithm, kind=kind, path=path, sha256=digest, bytes=size)
    for name, picture in submitted.pictures:
        _store_picture(algorithm, name, picture)


def _store_picture(algorithm: Algorithm, name: str, picture: CleanPicture) -> None:
    path, digest, size = storage.write_shared(storage.ALGORITHMS, picture.opened(), picture.suffix)
    AlgorithmFile.objects.create(
        algorithm=algorithm,
        kind=AlgorithmFile.PICTURE,
        name=name,
        path=path,
        sha256=digest,
        bytes=size,
        width_px=picture.width_px,
        height_px=picture.height_px,
    )


@audited(events.ALGORITHM_RETIRED)
def retire_version(*, algorithm: Algorithm, reason: str, by: Any) -> Algorithm:
    """End a version for good: it begins no new runs and cannot be chosen any more. What it made stays."""
    require(may_manage_algorithms(by) or refusal_of_reason(reason))
    algorithm = Algorithm.objects.select_for_update(of=("self",)).get(pk=algorithm.pk)
    require(Refusal("retired", f"{algorithm} is retired already.") if algorithm.retired_at else None)
    algorithm.retired_at, algorithm.retired_reason = timezone.now(), reason.strip()
    algorithm.save(update_fields=["retired_at", "retired_reason"])
    record(events.ALGORITHM_RETIRED, by=by, subject=algorithm.subject, title=str(algorithm), reason=reason.strip())
    return algorithm
