"""People, campaigns, scans and readings for tests, made the way the site makes them."""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from django.test import Client

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
from webapp.campaigns.protocols import PRESETS, stored_stages
from webapp.masks.actions import take_lease
from webapp.masks.models import Mask
from webapp.masks.presets import study_label_set
from webapp.masks.queries import head_layers
from webapp.masks.strokes import Answer, SentStroke, append_strokes
from webapp.readings.actions import sign_reading, start_reading, submit_reading
from webapp.readings.models import Reading, Signature, Submission
from webapp.readings.standing import settle

PASSWORD = "correct horse battery"


def a_person(username: str, campaign: Campaign | None = None, *roles: str) -> User:
    """A person with the factory's password and roles in a campaign."""
    user = create_person(username=username, display_name=username.title(), password=PASSWORD, by=SYSTEM)
    for role in roles:
        assert campaign is not None
        add_member(campaign=campaign, user=user, role=role, by=SYSTEM)
    return user


def client_of(user: User) -> Client:
    """A browser in which a person is signed in."""
    client = Client()
    client.force_login(user)
    return client


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


def a_drafted_case(campaign: Campaign, scan: Scan, phantom: Phantom) -> Case:
    """The scan as the campaign's next case, with the phantom's own truth as its AI draft."""
    case = add_case(campaign=campaign, scan=scan, by=SYSTEM)
    assert campaign.draft_algorithm is not None
    run = request_draft(scan=scan, algorithm=campaign.draft_algorithm, label_set=campaign.label_set, by=SYSTEM)
    started = start_draft(run=run)
    assert started is not None
    layers = {"anatomy": phantom.anatomy, "findings": (phantom.findings > 0).astype(np.uint8)}
    finish_draft(run=started, layers=layers, duration_s=1.0, device="cpu", options={})
    return case


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
    case = a_drafted_case(campaign, scan, phantom)
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


def restage(campaign: Campaign, **changes: object) -> None:
    """Write other stages into a campaign's protocol as if it had begun with them, and settle its cases."""
    protocol = campaign.protocols.get()
    protocol.stages = [{**stage, **changes} for stage in protocol.stages]
    protocol.save()
    for case in campaign.cases.all():
        settle(case)


def a_reading(place: Workplace) -> Reading:
    """The reader's reading of the workplace's case."""
    return start_reading(case=place.case, by=place.reader)


@dataclass
class Team:
    """A campaign of a workflow preset with drafted cases and everybody that it takes."""

    campaign: Campaign
    cases: list[Case]
    phantoms: list[Phantom]
    people: dict[str, User]

    def __getitem__(self, name: str) -> User:
        return self.people[name]

    def case(self, place: int = 0) -> Case:
        """A case as it stands now, the first being 0."""
        return Case.ever.get(pk=self.cases[place].pk)


TEAM = {
    "clara": ["coordinator"],
    "kim": ["technician"],
    "tom": ["technician"],
    "robin": ["radiologist"],
    "amara": ["radiologist"],
    "ada": ["adjudicator"],
    "otto": ["auditor"],
    "mallory": [],
}


def a_team(preset: str, cases: int = 1, **terms: object) -> Team:
    """A campaign of a preset; `terms` are said otherwise than the preset does. Nothing is attested unless said so."""
    chosen = PRESETS[preset]
    campaign = create_campaign(
        slug="team",
        name="Team",
        label_set=study_label_set(),
        draft_algorithm=register_baseline(by=SYSTEM),
        stages=stored_stages(chosen.stages),
        terms=replace(chosen.terms, **{"attests": {}, **terms}),  # type: ignore[arg-type]
        by=SYSTEM,
    )
    phantoms = [make_phantom(seed, shape_zyx=(12, 48, 64), spacing_zyx_mm=(20.0, 7.0, 6.0)) for seed in range(cases)]
    made = []
    for phantom in phantoms:
        scan = a_scan(phantom)
        made.append(a_drafted_case(campaign, scan, phantom))
    people = {name: a_person(name, campaign, *roles) for name, roles in TEAM.items()}
    return Team(campaign, made, phantoms, people)


def paint(reading: Reading, by: User, findings: np.ndarray) -> None:
    """Make a reading's findings layer `findings`, in one stroke of a tab of its own."""
    tab = Tab(reading, by, take_over=True)
    before = head_layers(reading.begun_mask)["findings"]
    if (before != findings).any():
        tab.send(tab.stroke(before, findings))


def strokes_of(reading: Reading) -> int:
    """The number of the last stroke of a reading's mask."""
    return Mask.objects.get(pk=reading.begun_mask.pk).stroke_sequence


def submit(reading: Reading) -> Submission:
    """Hand a reading on, as its reader."""
    return submit_reading(reading=reading, stroke_sequence=strokes_of(reading), by=reading.reader)


def sign(reading: Reading, acknowledged: Sequence[str] = ()) -> Signature:
    """Sign a reading, as its reader."""
    return sign_reading(
        reading=reading,
        stroke_sequence=strokes_of(reading),
        statement=reading.protocol.statement,
        acknowledged=acknowledged,
        by=reading.reader,
    )
