"""What the API of campaigns takes and gives, as serialisers that the OpenAPI schema reads."""

from typing import Any

from rest_framework import serializers

from webapp.campaigns.models import ROLES, Campaign, Case, Membership, Protocol
from webapp.campaigns.scan_lists import MOST_SCANS_ADDED


class CampaignData(serializers.Serializer[Any]):
    """A campaign as one of its members sees it."""

    slug = serializers.CharField()
    name = serializers.CharField()
    label_set = serializers.CharField()
    draft_algorithm = serializers.CharField(allow_null=True)
    protocol_version = serializers.IntegerField()
    roles = serializers.ListField(child=serializers.ChoiceField(choices=ROLES))
    closed_at = serializers.DateTimeField(allow_null=True)
    archived_at = serializers.DateTimeField(allow_null=True)


class NewCampaignData(serializers.Serializer[Any]):
    """A campaign to be made, by a configuration as the settings page exports it."""

    slug = serializers.CharField(max_length=60)
    name = serializers.CharField(max_length=120)
    configuration = serializers.JSONField()


class ProtocolData(serializers.Serializer[Any]):
    """One version of a protocol."""

    version = serializers.IntegerField()
    stages = serializers.JSONField()
    terms = serializers.JSONField()
    statement = serializers.CharField()
    note = serializers.CharField()
    made_at = serializers.DateTimeField(allow_null=True)


class NewProtocolData(serializers.Serializer[Any]):
    """A protocol's next version, over the version that whoever sends it saw."""

    stages = serializers.JSONField()
    terms = serializers.JSONField()
    statement = serializers.CharField(max_length=2000)
    note = serializers.CharField(max_length=500, allow_blank=True, default="")
    known_version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)


class MemberData(serializers.Serializer[Any]):
    """A person's role."""

    username = serializers.CharField(max_length=150)
    name = serializers.CharField(read_only=True)
    role = serializers.ChoiceField(choices=ROLES)
    experience_years = serializers.IntegerField(read_only=True, allow_null=True)


class RemovedData(serializers.Serializer[Any]):
    """How many open readings went back with a role."""

    released = serializers.IntegerField()


class ScansData(serializers.Serializer[Any]):
    """Scans by pseudonym (all of the patient's), series UID or id."""

    scans = serializers.ListField(child=serializers.CharField(max_length=80), min_length=1, max_length=MOST_SCANS_ADDED)


class AddedData(serializers.Serializer[Any]):
    """The numbers of the new cases, and how many of the scans were in the campaign already."""

    cases = serializers.ListField(child=serializers.IntegerField())
    already = serializers.IntegerField()


class HolderData(serializers.Serializer[Any]):
    """Somebody's reading of a case; `reader` is the name that is shown, `username` the one that signs in."""

    reader = serializers.CharField()
    username = serializers.CharField()
    stage = serializers.CharField()
    state = serializers.CharField()


class CaseData(serializers.Serializer[Any]):
    """A case as who assigns it sees it."""

    number = serializers.IntegerField()
    id = serializers.UUIDField()
    pseudonym = serializers.CharField()
    site = serializers.CharField()
    kind = serializers.ChoiceField(choices=Case.KINDS)
    stage = serializers.CharField()
    state = serializers.ChoiceField(choices=Case.STATES)
    places_left = serializers.IntegerField()
    priority = serializers.IntegerField()
    due_on = serializers.DateField(allow_null=True)
    excluded_reason = serializers.CharField()
    readings = HolderData(many=True)


class CasePageData(serializers.Serializer[Any]):
    """A page of cases; `next` is the address of the one after it."""

    count = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    results = CaseData(many=True)


class AssignData(serializers.Serializer[Any]):
    """Cases by number, and one reader, or several with a seed to deal them out at random."""

    cases = serializers.ListField(child=serializers.IntegerField(min_value=1, max_value=2**31 - 1), max_length=10_000)
    reader = serializers.CharField(max_length=150, required=False)
    readers = serializers.ListField(child=serializers.CharField(max_length=150), max_length=200, required=False)
    seed = serializers.IntegerField(min_value=0, max_value=2**31 - 1, required=False)
    due_on = serializers.DateField(required=False, allow_null=True)


class AssignedData(serializers.Serializer[Any]):
    """How many readings were given."""

    assigned = serializers.IntegerField()


def campaign_data(campaign: Campaign, version: int, roles: set[str]) -> dict[str, Any]:
    """A campaign for programs."""
    plain = {name: getattr(campaign, name) for name in ("slug", "name", "closed_at", "archived_at")}
    drafts = str(campaign.draft_algorithm) if campaign.draft_algorithm else None
    labels = str(campaign.label_set)
    return {
        **plain,
        "label_set": labels,
        "draft_algorithm": drafts,
        "protocol_version": version,
        "roles": sorted(roles),
    }


def protocol_data(protocol: Protocol) -> dict[str, Any]:
    """A version of a protocol for programs."""
    names = ("version", "stages", "statement", "note", "made_at")
    return {**{name: getattr(protocol, name) for name in names}, "terms": protocol.said.stored}


def member_data(one: Membership) -> dict[str, Any]:
    """A member for programs."""
    user = one.user
    return {
        "username": user.username,
        "name": str(user),
        "role": one.role,
        "experience_years": user.experience_years,
    }


def case_data(case: Case, readings: list[Any]) -> dict[str, Any]:
    """A case for programs, with who holds or has read it."""
    names = ("number", "id", "kind", "stage", "state", "places_left", "priority", "due_on", "excluded_reason")
    return {
        **{name: getattr(case, name) for name in names},
        "pseudonym": case.scan.study.patient.pseudonym,
        "site": case.scan.site,
        "readings": [
            {"reader": one.name, "username": one.username, "stage": one.stage, "state": one.state} for one in readings
        ],
    }
