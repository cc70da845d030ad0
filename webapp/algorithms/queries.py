"""Look versions of algorithms and their drafts up."""

from collections.abc import Iterator

from django.db.models import QuerySet

from webapp.algorithms.models import Algorithm, AlgorithmFile, DraftRun
from webapp.archive.models import Scan
from webapp.masks.models import LabelSet


def latest_draft(scan: Scan, algorithm: Algorithm | None, label_set: LabelSet) -> DraftRun | None:
    """The latest run of an algorithm over a scan under a label set, finished or not."""
    runs = DraftRun.objects.filter(scan=scan, algorithm=algorithm, label_set=label_set)
    return runs.select_related("algorithm", "mask").order_by("-requested_at").first()


def finished_draft(scan: Scan, algorithm: Algorithm | None, label_set: LabelSet) -> DraftRun | None:
    """The latest finished run: the one whose mask readings start from."""
    runs = DraftRun.objects.filter(scan=scan, algorithm=algorithm, label_set=label_set, state=DraftRun.FINISHED)
    return runs.select_related("algorithm", "mask").order_by("-finished_at").first()


def runnable_algorithms() -> QuerySet[Algorithm]:
    """The versions that were not retired, in the order in which people choose."""
    return Algorithm.objects.filter(retired_at=None).order_by("name", "-pk")


def algorithm_called(name: str, version: str) -> Algorithm | None:
    """The version of a name."""
    return Algorithm.objects.filter(name=name, version=version).first()


def stored_files() -> Iterator[tuple[str, str, str]]:
    """(what it is, path, SHA-256) of each file that is stored for a version."""
    for one in AlgorithmFile.objects.select_related("algorithm").order_by("algorithm", "pk").iterator():
        what = f"the picture {one.name}" if one.kind == AlgorithmFile.PICTURE else "weights"
        yield f"Algorithm {one.algorithm}, {what}", one.path, one.sha256
