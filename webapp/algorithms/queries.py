"""Look drafts up."""

from webapp.algorithms.models import Algorithm, DraftRun
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
