"""Which readings a person may see. A reader sees their own; coordinators and auditors see all of their campaign."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404

from inference.imaging.volume import Volume
from inference.measures.quantification import Measurements, measure
from webapp.accounts.models import User
from webapp.campaigns.models import Campaign, Case
from webapp.campaigns.queries import current_protocol, roles_of
from webapp.masks.models import ImportedMask, LabelSet
from webapp.masks.queries import Layers, imports_of
from webapp.readings.models import Reading

OVERSEERS = {"coordinator", "auditor"}


def sees_all_readings(roles: set[str]) -> bool:
    """Whether these roles see every reading of their campaign; others see their own."""
    return bool(roles & OVERSEERS)


def draft_is_shown(stages: list[dict[str, Any]], roles: set[str]) -> bool:
    """Whether these roles may see the AI draft: overseers, and readers of a protocol that starts from it."""
    return sees_all_readings(roles) or any(stage["starts_from"] == "ai_draft" for stage in stages)


def imports_shown(user: User, case: Case) -> list[ImportedMask]:
    """The masks that came with a case's scan and that a person may see, of each data set the newest.

    Overseers see all of them; readers that of the data set which their protocol begins from. A reference that a reader
    is to be compared with must not reach them.
    """
    roles = roles_of(user, case.campaign)
    found = imports_of(case.scan, case.campaign.label_set) if roles else []
    if sees_all_readings(roles):
        return found
    begun_from = {
        stage.get("data_set")
        for stage in current_protocol(case.campaign).stages
        if stage["starts_from"] == "imported_mask"
    }
    return [imported for imported in found if str(imported.data_set_id) in begun_from]


def import_to_begin_from(case: Case, stage: dict[str, Any]) -> ImportedMask | None:
    """The imported mask that a stage begins from, in a case that has it."""
    if stage["starts_from"] != "imported_mask":
        return None
    found = imports_of(case.scan, case.campaign.label_set)
    return next((one for one in found if str(one.data_set_id) == stage.get("data_set")), None)


def readings_in_campaign_for(user: User, campaign: Campaign) -> QuerySet[Reading]:
    """The readings of a campaign that a person may see."""
    readings = Reading.objects.filter(case__campaign=campaign, case__scan__deleted_at=None).select_related(
        "case__campaign",
        "case__scan__study__patient",
        "reader",
        "mask__forked_from__mask",
        "protocol",
        "signature",
    )
    roles = roles_of(user, campaign)
    if not roles:
        return readings.none()
    return readings if roles & OVERSEERS else readings.filter(reader_id=user.pk)


def readings_of_case_for(user: User, case: Case) -> QuerySet[Reading]:
    """The readings of a case that a person may see, oldest first."""
    return readings_in_campaign_for(user, case.campaign).filter(case=case).order_by("started_at")


def reading_for(user: User, identifier: Any) -> Reading:
    """One reading; Http404 for whoever may not see it."""
    reading = Reading.objects.select_related("case__campaign").filter(pk=identifier).first()
    if reading is None:
        raise Http404("No such reading.")
    seen = readings_in_campaign_for(user, reading.case.campaign).filter(pk=identifier)
    found = seen.select_related("mask__scan", "mask__label_set").first()
    if found is None:
        raise Http404("No such reading.")
    return found


def exportable_readings_for(user: User, campaign: Campaign, case: Case | None = None) -> QuerySet[Reading]:
    """The signed readings whose masks a person may take away, by case number."""
    readings = readings_in_campaign_for(user, campaign).filter(state=Reading.SIGNED)
    if case is not None:
        readings = readings.filter(case=case)
    return readings.select_related("signature__version__mask__scan", "mask__label_set").order_by(
        "case__number", "started_at"
    )


def measurements_of(volume: Volume, layers: Layers, label_set: LabelSet) -> Measurements:
    """Measure a mask over its volume under its label set (science.md 2)."""
    return measure(
        volume.hu,
        layers["anatomy"],
        layers["findings"],
        volume.voxel_volume_ml if volume.has_spacing else None,
        lesion_values=label_set.lesion_values,
        not_lung_values=label_set.not_lung_values,
        has_hu=volume.has_hu,
    )


def may_hear_reading(user: User, reading_id: str) -> bool:
    """Whether a person may hear what happens in a reading."""
    try:
        reading_for(user, reading_id)
    except (Http404, ValueError, TypeError):
        return False
    except Exception as error:  # a hostile id is a no, whatever Django's validators raise for it
        if type(error).__name__ == "ValidationError":
            return False
        raise
    return True
