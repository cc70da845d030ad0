"""What the series of a study that one person may see amount to."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time
from typing import Any

from django.db.models import F, QuerySet

from webapp.archive.models import Series, Study

COLUMNS = (
    *("scan__study_id", "modality", "instance_count", "study_time", "study_id", "study_description"),
    *("made_from", "number", "uid", "scan__sex"),
)


@dataclass
class StudyFacts:
    """Counts, modalities and words of one study."""

    series: int = 0
    instances: int = 0
    modalities: tuple[str, ...] = ()
    study_time: time | None = None
    study_id: str = ""
    study_description: str = ""
    sex: str = ""


def study_facts(series: QuerySet[Series], studies: Iterable[Study]) -> dict[Any, StudyFacts]:
    """The facts of studies by their primary key, from the series given, in one query."""
    facts: dict[Any, StudyFacts] = defaultdict(StudyFacts)
    rows = series.filter(scan__study__in={study.pk for study in studies}).values(*COLUMNS)
    # A study's words come from its scans, in a stable order: what was made from masks only copies them.
    for row in rows.order_by(F("made_from").asc(nulls_first=True), F("number").asc(nulls_last=True), "uid"):
        one = facts[row["scan__study_id"]]
        one.series += 1
        one.instances += row["instance_count"]
        one.modalities = tuple(sorted({*one.modalities, row["modality"]}))
        one.study_time = one.study_time or row["study_time"]
        one.study_id = one.study_id or row["study_id"]
        one.study_description = one.study_description or row["study_description"]
        one.sex = one.sex or row["scan__sex"]
    return facts
