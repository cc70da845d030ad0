"""Which readings a person may see. A reader sees their own; coordinators and auditors see all of their campaign."""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from inference.imaging.volume import Volume
from inference.measures.quantification import Measurements, measure
from webapp.accounts.models import User
from webapp.campaigns.models import OVERSEERS, Campaign, Case
from webapp.campaigns.protocols import AI_DRAFT, CAMPAIGN_CLOSED, IMPORTED_MASK, WITHOUT_DRAFT, Stage
from webapp.campaigns.queries import current_protocol, protocol_of, roles_of
from webapp.masks.models import ImportedMask, LabelSet, Version
from webapp.masks.queries import Layers, imports_of
from webapp.readings.models import Reading


def sees_all_readings(roles: set[str], campaign: Campaign) -> bool:
    """Whether these roles see every reading of their campaign: overseers, but for those who read blinded in it."""
    if not roles & OVERSEERS:
        return False
    return not any(stage.blinded and stage.role in roles for stage in current_protocol(campaign).stage_list)


def sees_where_cases_stand(roles: set[str], campaign: Campaign) -> bool:
    """Whether these roles may know where each case of their campaign stands, and that others read.

    Overseers may, and readers of stages of which none is blinded. To blinded readers the state of a case is their own:
    what another has begun or ended must not show in it.
    """
    if sees_all_readings(roles, campaign):
        return True
    theirs = [stage for stage in current_protocol(campaign).stage_list if stage.role in roles]
    return bool(theirs) and not any(stage.blinded for stage in theirs)


def cases_with_draft_shown(user: User, campaign: Campaign) -> QuerySet[Case]:
    """The cases of a campaign whose AI draft a person may see.

    Overseers see each; readers where their protocol begins from it, unless it hides the AI or drew the case to begin
    without.
    """
    roles, protocol = roles_of(user, campaign), current_protocol(campaign)
    cases = Case.objects.filter(campaign=campaign)
    if sees_all_readings(roles, campaign):
        return cases
    if not roles or protocol.said.hides_ai or all(s.starts_from != AI_DRAFT for s in protocol.stage_list):
        return cases.none()
    return cases.exclude(arm=WITHOUT_DRAFT)


def draft_is_shown(user: User, case: Case) -> bool:
    """Whether a person may see the AI draft of a case."""
    return cases_with_draft_shown(user, case.campaign).filter(pk=case.pk).exists()


def imports_shown(user: User, case: Case) -> list[ImportedMask]:
    """The masks that came with a case's scan and that a person may see, of each data set the newest.

    Overseers see all of them; readers that of the data set which their protocol begins from. A reference that a reader
    is to be compared with must not reach them.
    """
    roles = roles_of(user, case.campaign)
    found = imports_of(case.scan, case.campaign.label_set) if roles else []
    if sees_all_readings(roles, case.campaign):
        return found
    stages = protocol_of(case).stage_list
    begun_from = {stage.data_set for stage in stages if stage.starts_from == IMPORTED_MASK}
    return [imported for imported in found if str(imported.data_set_id) in begun_from]


def import_to_begin_from(case: Case, stage: Stage) -> ImportedMask | None:
    """The imported mask that a stage begins from, in a case that has it."""
    if stage.starts_from != IMPORTED_MASK:
        return None
    found = imports_of(case.scan, case.campaign.label_set)
    return next((one for one in found if str(one.data_set_id) == stage.data_set), None)


def ended_versions(case: Case, stage: Stage) -> list[Version]:
    """The versions that the stage before a stage ended in: submitted or signed, in the order of the readings' ids.

    That order says nothing of who read when, so that letters given by it keep names hidden.
    """
    stages = protocol_of(case).stage_list
    place = [one.name for one in stages].index(stage.name)
    if place == 0:
        return []
    ended = case.readings.filter(stage=stages[place - 1].name, state__in=Reading.ENDED_STATES, repeat=0)
    return [version for reading in ended.order_by("pk") if (version := ended_version(reading)) is not None]


def ended_version(reading: Reading) -> Version | None:
    """The version that a reading ended in: what was signed, or what was submitted last."""
    if reading.state in (Reading.SIGNED, Reading.SUPERSEDED) and hasattr(reading, "signature"):
        return reading.signature.version
    last = reading.submissions.select_related("version__mask").order_by("-submitted_at").first()
    return last.version if last and reading.state == Reading.SUBMITTED else None


def is_independent(reading: Reading) -> bool:
    """Whether a reading that is about to be signed is one of its own: no amendment, no other known to its reader."""
    if reading.supersedes_id is not None:
        return False
    others = readings_of_case_for(reading.reader, reading.case).exclude(reader_id=reading.reader_id)
    return not others.filter(stage=reading.stage).exists()


def readings_in_campaign_for(user: User, campaign: Campaign) -> QuerySet[Reading]:
    """The readings of a campaign that a person may see (records.md, blinding).

    Overseers see all of them. Readers see their own, and what others ended in cases that they took part in once the
    stage of it is over: the review sees the draft it began from, and blinded readers see each other when the case, or
    the campaign, is. Whoever reads a case again sees nothing of it until that ends. A settled dispute shows names; one
    that is being settled does not.
    """
    readings = Reading.objects.filter(case__campaign=campaign, case__scan__deleted_at=None).select_related(
        "case__campaign",
        "case__scan__study__patient",
        "case__protocol",
        "reader",
        "mask__forked_from__mask",
        "protocol",
        "signature",
    )
    roles = roles_of(user, campaign)
    if not roles:
        return readings.none()
    if sees_all_readings(roles, campaign):
        return readings
    protocol = current_protocol(campaign)
    mine = Reading.objects.filter(case=OuterRef("case"), reader_id=user.pk)
    reads_again = mine.filter(repeat__gt=OuterRef("repeat"), state__in=Reading.OPEN_STATES)
    own = Q(reader_id=user.pk) & ~Exists(reads_again)
    over = Q(case__state__in=(Case.DONE, Case.DISPUTED)) | _comes_before_where_the_case_stands(campaign)
    settling = [stage.name for stage in protocol.stage_list if stage.only_if_disputed]
    settles_now = mine.filter(stage__in=settling, state__in=Reading.OPEN_STATES)
    others: Any = Q(state__in=(*Reading.ENDED_STATES, Reading.SUPERSEDED)) & over & Exists(mine.exclude(mask=None))
    others &= ~Exists(settles_now) & ~Exists(mine.filter(repeat__gt=0, state__in=Reading.OPEN_STATES))
    if protocol.said.unblinded_when == CAMPAIGN_CLOSED and campaign.closed_at is None:
        others &= ~Q(stage__in=[stage.name for stage in protocol.stage_list if stage.blinded])
    return readings.filter(own | others)


def _comes_before_where_the_case_stands(campaign: Campaign) -> Q:
    """Readings of a stage that comes before the one where their case stands, by the protocol that the case goes by.

    A case that was sent back, or is read anew, stands early again: what was read of it after that stage is not over.
    """
    versions: dict[tuple[str, ...], list[int]] = {}
    for protocol in campaign.protocols.order_by("version"):
        versions.setdefault(tuple(stage.name for stage in protocol.stage_list), []).append(protocol.pk)
    before = Q(pk__in=[])
    for names, protocols in versions.items():
        for place, name in enumerate(names):
            before |= Q(case__protocol__in=protocols, case__stage=name, stage__in=names[:place])
    return before


def readings_of_case_for(user: User, case: Case) -> QuerySet[Reading]:
    """The readings of a case that a person may see, oldest first."""
    return readings_in_campaign_for(user, case.campaign).filter(case=case).order_by("started_at")


def reading_for(user: User, identifier: Any) -> Reading:
    """One reading; Http404 for whoever may not see it."""
    reading = Reading.objects.select_related("case__campaign").filter(pk=identifier).first()
    if reading is None:
        raise Http404("No such reading.")
    # One that was assigned and not begun has nothing to open yet.
    seen = readings_in_campaign_for(user, reading.case.campaign).filter(pk=identifier, mask__isnull=False)
    found = seen.select_related("mask__scan", "mask__label_set").first()
    if found is None:
        raise Http404("No such reading.")
    return found


def exportable_readings_for(user: User, campaign: Campaign, case: Case | None = None) -> QuerySet[Reading]:
    """The signed readings whose masks a person may take away, by case number; repeats before those that they repeat,
    so that the last of a case is what stands for it.
    """
    readings = readings_in_campaign_for(user, campaign).filter(state=Reading.SIGNED)
    if case is not None:
        readings = readings.filter(case=case)
    elif sees_all_readings(roles_of(user, campaign), campaign):
        # What readers are measured by is no part of what a study takes away; a reader is not told which it was.
        readings = readings.filter(case__kind=Case.STUDY)
    return readings.select_related("signature__version__mask__scan", "mask__label_set").order_by(
        "case__number", "-repeat", "started_at"
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


def may_hear_progress(user: User, slug: str) -> bool:
    """Whether a person may hear that something happens in a campaign's readings: whoever sees all of them."""
    campaign = Campaign.objects.filter(slug=slug).first()
    return campaign is not None and sees_all_readings(roles_of(user, campaign), campaign)
