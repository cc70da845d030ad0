"""What the API of coordinating takes and gives, as serialisers that the OpenAPI schema reads."""

from typing import Any

from django.urls import reverse
from rest_framework import serializers

from webapp.campaigns.invitation_actions import LIFETIMES_DAYS
from webapp.campaigns.models import ROLES, Invitation
from webapp.readings.intra_reader import IntraReaderPair, extent_percent_of
from webapp.readings.models import REASON_LENGTH, Reading

MOST_CASES = 10_000
LARGEST = 2**31 - 1


class CasesData(serializers.Serializer[Any]):
    """Cases by number."""

    cases = serializers.ListField(child=serializers.IntegerField(min_value=1, max_value=LARGEST), max_length=MOST_CASES)


class CasesWithReasonData(CasesData):
    """Cases by number, and a reason that stays in the record."""

    reason = serializers.CharField(max_length=REASON_LENGTH, allow_blank=True)


class MoveData(CasesWithReasonData):
    """Whose open readings of cases are taken, and to whom what is free then goes; to nobody without `to_reader`."""

    reader = serializers.CharField(max_length=150)
    to_reader = serializers.CharField(max_length=150, required=False, allow_null=True)


class MovedData(serializers.Serializer[Any]):
    """How many open readings were taken, and how many were given."""

    taken = serializers.IntegerField()
    given = serializers.IntegerField()


class ScheduleData(CasesData):
    """How urgent cases are, and by when they should be read; what is left out stays as it is."""

    priority = serializers.IntegerField(min_value=-9, max_value=9, required=False)
    due_on = serializers.DateField(required=False)


class ChangedData(serializers.Serializer[Any]):
    """How many cases, or readings, were changed."""

    changed = serializers.IntegerField()


class RepeatsData(serializers.Serializer[Any]):
    """A random sample of signed readings to be repeated, from so many days after their signature."""

    count = serializers.IntegerField(min_value=1, max_value=LARGEST)
    after_days = serializers.IntegerField(min_value=0, max_value=LARGEST)
    seed = serializers.IntegerField(min_value=0, max_value=LARGEST)


class IntraReaderPairData(serializers.Serializer[Any]):
    """A first reading and a repeat of it by the same reader; `extent_difference` is the repeat's minus the first's.

    In percentage points; null until both are measured.
    """

    case = serializers.IntegerField()
    stage = serializers.CharField()
    reader = serializers.CharField()
    username = serializers.CharField()
    protocol_version = serializers.IntegerField()
    repeat = serializers.IntegerField()
    first = serializers.UUIDField()
    again = serializers.UUIDField()
    first_extent_percent = serializers.FloatField(allow_null=True)
    again_extent_percent = serializers.FloatField(allow_null=True)
    extent_difference = serializers.FloatField(allow_null=True)
    days_between = serializers.FloatField()


class StandingData(serializers.Serializer[Any]):
    """What becomes of a campaign, with a reason."""

    do = serializers.ChoiceField(choices=["close", "reopen", "archive", "unarchive"])
    reason = serializers.CharField(max_length=REASON_LENGTH, allow_blank=True, default="")


class InvitationData(serializers.Serializer[Any]):
    """An invitation; `link` is its path, told this once."""

    id = serializers.UUIDField(read_only=True)
    role = serializers.ChoiceField(choices=ROLES)
    days = serializers.ChoiceField(choices=LIFETIMES_DAYS, write_only=True)
    expires_at = serializers.DateTimeField(read_only=True)
    link = serializers.CharField(read_only=True, allow_null=True)


class SignedData(serializers.Serializer[Any]):
    """A signature: over which version, when, and whether other readings of the case were unknown to the signer."""

    version_sha256 = serializers.CharField()
    signed_at = serializers.DateTimeField()
    independent = serializers.BooleanField()


class ReadingLineData(serializers.Serializer[Any]):
    """A reading in a list; `reader` is the name that is shown, `username` the one that signs in."""

    id = serializers.UUIDField()
    case = serializers.IntegerField()
    stage = serializers.CharField()
    state = serializers.ChoiceField(choices=Reading.STATES)
    reader = serializers.CharField()
    username = serializers.CharField()
    repeat = serializers.IntegerField()
    protocol_version = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    active_s = serializers.IntegerField()
    signed = SignedData(allow_null=True)


class ReadingPageData(serializers.Serializer[Any]):
    """A page of readings; `next` is the address of the one after it."""

    count = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    results = ReadingLineData(many=True)


def reading_line(reading: Reading) -> dict[str, Any]:
    """A reading for programs."""
    signature = getattr(reading, "signature", None)
    return {
        "id": reading.pk,
        "case": reading.case.number,
        "stage": reading.stage,
        "state": reading.state,
        "reader": str(reading.reader),
        "username": reading.reader.username,
        "repeat": reading.repeat,
        "protocol_version": reading.protocol.version,
        "started_at": reading.started_at,
        "ended_at": reading.ended_at,
        "active_s": reading.active_ms // 1000,
        "signed": {
            "version_sha256": signature.version_sha256,
            "signed_at": signature.signed_at,
            "independent": signature.independent,
        }
        if signature
        else None,
    }


def pair_line(pair: IntraReaderPair) -> dict[str, Any]:
    """A pair of readings of one reader for programs."""
    first, again = pair.first.reading, pair.again.reading
    return {
        "case": again.case.number,
        "stage": again.stage,
        "reader": str(again.reader),
        "username": again.reader.username,
        "protocol_version": again.protocol.version,
        "repeat": again.repeat,
        "first": first.pk,
        "again": again.pk,
        "first_extent_percent": extent_percent_of(pair.first),
        "again_extent_percent": extent_percent_of(pair.again),
        "extent_difference": pair.extent_difference,
        "days_between": (pair.again.signed_at - pair.first.signed_at).total_seconds() / 86400,
    }


def invitation_line(invitation: Invitation, secret: str | None = None) -> dict[str, Any]:
    """An invitation for programs; its link only where its secret is at hand."""
    link = reverse("pages:invitation", args=[secret]) if secret else None
    return {"id": invitation.pk, "role": invitation.role, "expires_at": invitation.expires_at, "link": link}
