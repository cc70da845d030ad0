"""People, campaigns, scans and readings for tests, made the way the site makes them."""

import hashlib
import uuid
from dataclasses import dataclass

import numpy as np

from inference.imaging.delta import delta_between, encode_delta
from inference.phantoms.chest import Phantom, make_phantom
from webapp.accounts.actions import create_person
from webapp.accounts.models import User
from webapp.algorithms.actions import finish_draft, request_draft, start_draft
from webapp.algorithms.baseline import register_baseline
from webapp.archive.models import Patient, Scan, Study
from webapp.audit.actor import SYSTEM
from webapp.campaigns.actions import add_case, add_member, create_campaign
from webapp.campaigns.models import Campaign, Case
from webapp.masks.actions import take_lease
from webapp.masks.presets import study_label_set
from webapp.masks.strokes import Answer, SentStroke, append_strokes
from webapp.readings.actions import start_reading
from webapp.readings.models import Reading

PASSWORD = "correct horse battery"


def a_person(username: str, campaign: Campaign | None = None, *roles: str) -> User:
    """A person with the factory's password and roles in a campaign."""
    user = create_person(username=username, display_name=username.title(), password=PASSWORD, by=SYSTEM)
    for role in roles:
        assert campaign is not None
        add_member(campaign=campaign, user=user, role=role, by=SYSTEM)
    return user


def a_scan(phantom: Phantom) -> Scan:
    """A scan's record without its files: enough for whatever does not read pixels."""
    unique = uuid.uuid4().hex
    patient = Patient.objects.create(pseudonym=unique[:12])
    study = Study.objects.create(patient=patient, uid=f"2.25.{int(unique, 16)}")
    return Scan.objects.create(
        study=study,
        series_uid=f"2.25.{int(unique, 16)}1",
        source="dicom",
        shape_zyx=list(phantom.volume.shape_zyx),
        affine_lps=phantom.volume.affine_lps.tolist(),
        geometry_sha256=phantom.volume.geometry_sha256(),
        voxels_sha256=phantom.volume.voxels_sha256(),
        slabs=[],
    )


def a_campaign(slug: str = "covid") -> Campaign:
    """A campaign with the study's labels, drafted by the classical baseline."""
    return create_campaign(
        slug=slug,
        name=slug.title(),
        label_set=study_label_set(),
        draft_algorithm=register_baseline(by=SYSTEM),
        by=SYSTEM,
    )


@dataclass
class Workplace:
    """A campaign with one drafted case, a reader of it and people who should not see it."""

    campaign: Campaign
    case: Case
    phantom: Phantom
    reader: User
    other_reader: User
    coordinator: User
    outsider: User


def a_workplace(slug: str = "covid", shape_zyx: tuple[int, int, int] = (12, 48, 64)) -> Workplace:
    """A campaign whose one case has its AI draft (the phantom's own truth as the draft)."""
    phantom = make_phantom(3, shape_zyx=shape_zyx, spacing_zyx_mm=(20.0, 7.0, 6.0))
    campaign = a_campaign(slug)
    scan = a_scan(phantom)
    case = add_case(campaign=campaign, scan=scan, by=SYSTEM)
    assert campaign.draft_algorithm is not None
    run = request_draft(scan=scan, algorithm=campaign.draft_algorithm, label_set=campaign.label_set, by=SYSTEM)
    started = start_draft(run=run)
    assert started is not None
    layers = {"anatomy": phantom.anatomy, "findings": (phantom.findings > 0).astype(np.uint8)}
    finish_draft(run=started, layers=layers, duration_s=1.0, device="cpu", options={})
    return Workplace(
        campaign=campaign,
        case=case,
        phantom=phantom,
        reader=a_person(f"{slug}-reader", campaign, "radiologist"),
        other_reader=a_person(f"{slug}-other", campaign, "radiologist"),
        coordinator=a_person(f"{slug}-coordinator", campaign, "coordinator"),
        outsider=a_person(f"{slug}-outsider"),
    )


class Tab:
    """One browser tab of a reader: holds the lease and sends strokes, as the viewer does."""

    def __init__(self, reading: Reading, user: User, take_over: bool = False) -> None:
        self.reading, self.user, self.id = reading, user, uuid.uuid4()
        self.epoch = take_lease(mask=reading.mask, tab=self.id, by=user, take_over=take_over).epoch
        self.sequence = 0

    def stroke(self, old: np.ndarray, new: np.ndarray, layer: str = "findings", **fields: object) -> SentStroke:
        """A stroke that turns `old` into `new` (uint8, zyx)."""
        self.sequence += 1
        payload = encode_delta(delta_between(old, new))
        known: dict[str, object] = {
            "id": uuid.uuid4(),
            "layer": layer,
            "tool": "brush",
            "plane": "axial",
            "tab": self.id,
            "epoch": self.epoch,
            "sequence": self.sequence,
            "client_time": "2026-01-01T00:00:00Z",
            "undoes": None,
            "payload": payload,
            "payload_sha256": hashlib.sha256(payload).hexdigest(),
        }
        return SentStroke(**{**known, **fields})  # type: ignore[arg-type]

    def send(self, *strokes: SentStroke) -> list[Answer]:
        """Append strokes to the log."""
        return append_strokes(mask=self.reading.mask, sent=list(strokes), by=self.user)


def a_reading(place: Workplace) -> Reading:
    """The reader's reading of the workplace's case."""
    return start_reading(case=place.case, by=place.reader)
