"""What the API of AI drafts takes and gives, as serialisers that the OpenAPI schema reads."""

from typing import Any

from rest_framework import serializers

from webapp.algorithms.models import DraftRun
from webapp.campaigns.draft_actions import Asked
from webapp.readings.coordination_data import LARGEST, MOST_CASES
from webapp.readings.drafts import DraftLine


class DraftData(serializers.Serializer[Any]):
    """One run.

    `before`: how many stand before it in the line of the whole site; `left_s`: seconds to its end, where something was
    measured to tell by; `uncertainty`: 0 is sure, null where none was computed or it is not yours to know;
    `in_training_data`: the algorithm knows the scan, or its patient, from its training, and is not validated on it.
    """

    id = serializers.UUIDField()
    case = serializers.IntegerField()
    algorithm = serializers.CharField()
    version = serializers.CharField()
    state = serializers.ChoiceField(choices=DraftRun.STATES)
    before = serializers.IntegerField(allow_null=True)
    left_s = serializers.FloatField(allow_null=True)
    fraction = serializers.FloatField()
    progress = serializers.CharField()
    failure = serializers.CharField()
    attempts = serializers.IntegerField()
    requested_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    device = serializers.CharField()
    weights_sha256 = serializers.CharField()
    options = serializers.JSONField()
    duration_s = serializers.FloatField(allow_null=True)
    uncertainty = serializers.FloatField(allow_null=True)
    in_training_data = serializers.BooleanField()


class DraftPageData(serializers.Serializer[Any]):
    """A page of runs; `states` counts all that were found by state, `next` is the address of the page after it."""

    count = serializers.IntegerField()
    states = serializers.DictField(child=serializers.IntegerField())
    next = serializers.CharField(allow_null=True)
    results = DraftData(many=True)


class AskForDraftsData(serializers.Serializer[Any]):
    """Cases by number, or all without a draft; by the campaign's own algorithm where none is named."""

    cases = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST), max_length=MOST_CASES, required=False
    )
    all = serializers.BooleanField(default=False)
    algorithm = serializers.CharField(max_length=80, required=False)
    version = serializers.CharField(max_length=64, required=False)


class ChosenDraftsData(serializers.Serializer[Any]):
    """Runs by id, or all: every failed one to be tried again, every open one to be cancelled."""

    runs = serializers.ListField(child=serializers.UUIDField(), max_length=MOST_CASES, required=False)
    all = serializers.BooleanField(default=False)


class LeftOutData(serializers.Serializer[Any]):
    """Cases that cannot be drafted, and why."""

    why = serializers.CharField()
    cases = serializers.ListField(child=serializers.IntegerField())


class AskedData(serializers.Serializer[Any]):
    """Numbers of the cases put in line, of those that had their draft already or have it under way, and of others."""

    queued = serializers.ListField(child=serializers.IntegerField())
    already = serializers.ListField(child=serializers.IntegerField())
    left_out = LeftOutData(many=True)


def draft_data(line: DraftLine) -> dict[str, Any]:
    """A run for programs."""
    run, wait = line.run, line.wait
    same = (
        "id",
        "state",
        "fraction",
        "attempts",
        "requested_at",
        "started_at",
        "finished_at",
        "device",
        "weights_sha256",
        "options",
        "duration_s",
    )
    return {
        **{name: getattr(run, name) for name in same},
        "case": line.case.number,
        "algorithm": run.algorithm.name,
        "version": run.algorithm.version,
        "before": wait.before if wait else None,
        "left_s": wait.left_s if wait else None,
        "progress": run.progress_text,
        "failure": run.failure_sentence,
        "uncertainty": line.uncertainty,
        "in_training_data": line.is_known,
    }


def asked_data(asked: Asked) -> dict[str, Any]:
    """What came of asking, for programs."""
    left_out = [{"why": why, "cases": numbers} for why, numbers in asked.left_out.items()]
    return {"queued": asked.queued, "already": asked.already, "left_out": left_out}
