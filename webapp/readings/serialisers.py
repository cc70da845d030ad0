"""How a reading looks to the viewer, and how sent strokes are read. The viewer's input is not trusted."""

import base64
import binascii
import re
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from math import prod
from typing import Any

from django.urls import reverse
from rest_framework import serializers

from webapp.accounts.models import User
from webapp.accounts.queries import viewer_preferences_of
from webapp.archive.queries import has_spacing, preview_for
from webapp.archive.remarks import remarks_data, weight_remarks_of
from webapp.campaigns.metadata import shown_to
from webapp.campaigns.models import Case
from webapp.campaigns.protocols import ATTESTED
from webapp.masks.actions import lease_is_live
from webapp.masks.branches import strokes_waiting_beside
from webapp.masks.history import edited_slices
from webapp.masks.models import LAYERS, Lease, Version
from webapp.masks.queries import imported_version
from webapp.masks.strokes import SentStroke
from webapp.readings.adjudicating import CANDIDATE, candidates_shown, settling_data
from webapp.readings.around import next_case_after, reading_beside, timeline_of
from webapp.readings.attesting import decisions_of, missing_in
from webapp.readings.flags import flags_data
from webapp.readings.ledger import lung_slices, seen_slices, verdicts_of
from webapp.readings.models import Reading, Return
from webapp.readings.queries import imports_shown, readings_of_case_for
from webapp.readings.rules import may_amend, may_edit, may_return, may_sign, may_submit, submission_returnable_by
from webapp.readings.scoring import forms_data

ANATOMY_LABELS = [
    {"value": 1, "name": "Left lung", "colour": "#7FB8CC"},
    {"value": 2, "name": "Right lung", "colour": "#7FB8CC"},
]
PLANES = ("axial", "coronal", "sagittal", "none")


LARGEST_TEXT = 12 * 1024 * 1024
SHA256 = re.compile(r"^[0-9a-f]{64}$")


def bytes_of(text: str) -> bytes:
    """Decode base64, strictly."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise serializers.ValidationError("The payload is not base64.") from error


class StrokeInput(serializers.Serializer[dict[str, Any]]):
    """One stroke as a tab sends it."""

    id = serializers.UUIDField()
    layer = serializers.ChoiceField(choices=LAYERS)
    tool = serializers.RegexField(re.compile(r"^[a-z][a-z_-]{0,31}$"))
    plane = serializers.ChoiceField(choices=PLANES)
    tab = serializers.UUIDField()
    epoch = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    sequence = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    client_time = serializers.CharField(max_length=40)
    undoes = serializers.UUIDField(allow_null=True, default=None)
    edit = serializers.UUIDField(allow_null=True, default=None)
    payload = serializers.CharField(max_length=LARGEST_TEXT, trim_whitespace=False, allow_null=True, default=None)
    payload_sha256 = serializers.RegexField(SHA256)

    def validate_payload(self, value: str | None) -> bytes | None:
        """Decode the base64 of the GGD1 bytes; None where they were sent ahead."""
        return None if value is None else bytes_of(value)


class PartInput(serializers.Serializer[dict[str, Any]]):
    """The payload of a stroke, sent ahead of it; `tab` keeps its lease by it, where it has one."""

    tab = serializers.UUIDField(allow_null=True, default=None)
    payload = serializers.CharField(max_length=LARGEST_TEXT, trim_whitespace=False)
    payload_sha256 = serializers.RegexField(SHA256)

    def validate_payload(self, value: str) -> bytes:
        """Decode the base64 of the GGD1 bytes."""
        return bytes_of(value)


class StrokesInput(serializers.Serializer[dict[str, Any]]):
    """Strokes in the order in which they were painted."""

    strokes = StrokeInput(many=True, allow_empty=False, max_length=200)  # type: ignore[call-arg] # of many=True

    def first_wrong(self) -> dict[str, str]:
        """{"stroke": id} of the first stroke that cannot be read, where it has one; the others may be sent again."""
        wrong = self.errors.get("strokes")
        places = [place for place in wrong if isinstance(place, int)] if isinstance(wrong, Mapping) else []
        row = self.initial_data["strokes"][min(places)] if places else None
        name = row.get("id") if isinstance(row, Mapping) else None
        return {"stroke": name} if isinstance(name, str) else {}

    def sent(self) -> list[SentStroke]:
        """The strokes, once valid."""
        return [SentStroke(**fields) for fields in self.validated_data["strokes"]]


def lease_data(lease: Lease | None, user: User, tab: uuid.UUID | None = None) -> dict[str, Any] | None:
    """Who holds a mask, for whoever looks at it; None when nobody does."""
    return holder_data(lease, user, tab) if lease is not None and lease_is_live(lease) else None


def holder_data(lease: Lease, user: User, tab: uuid.UUID | None = None) -> dict[str, Any]:
    """Who has a lease, or had it last."""
    return {
        "epoch": lease.epoch,
        "mine": lease.holder_id == user.pk and (tab is None or lease.tab == tab),
        "holder_name": str(lease.holder),
        "tab": str(lease.tab) if lease.holder_id == user.pk else None,
        "since": lease.acquired_at.isoformat(),
    }


def slabs_data(case: Case) -> list[dict[str, Any]]:
    """Where the slabs of a case's scan are, under the rights of the case: the next case is fetched ahead by them."""
    return [
        {
            "url": reverse("api-case-slab", args=[case.pk, index, slab["sha256"]]),
            "z_start": slab["z_start"],
            "z_count": slab["z_count"],
            "bytes": slab["bytes"],
        }
        for index, slab in enumerate(case.scan.slabs)
    ]


def scan_data(case: Case, user: User) -> dict[str, Any]:
    """The geometry of a case's scan, what to beware of as a person may know it, and where its slabs are."""
    scan = shown_to(user, case.scan)
    rows = scan.affine_lps
    spacing_xyz = [sum(rows[r][c] ** 2 for r in range(3)) ** 0.5 for c in range(3)]
    return {
        "id": str(scan.pk),
        "shape_zyx": scan.shape_zyx,
        "affine_lps": rows,
        "spacing_zyx_mm": spacing_xyz[::-1],
        "voxel_volume_ml": prod(spacing_xyz) / 1000 if has_spacing(scan) else None,
        "has_hu": scan.has_hu,
        "warnings": remarks_data(scan),
        "slabs": slabs_data(case),
    }


def preview_data(case: Case) -> dict[str, Any] | None:
    """The case's scan at low resolution, for the moment before its slabs are here; None until a worker made it."""
    preview = preview_for(case.scan)
    if preview is None:
        return None
    return {
        "url": reverse("api-case-preview", args=[case.pk, preview.sha256]),
        "shape_zyx": preview.shape_zyx,
        "affine_lps": preview.affine_lps,
        "bytes": preview.bytes,
    }


def lineage_of(reading: Reading) -> list[dict[str, Any]]:
    """Whose hands the mask went through, oldest first."""
    steps: list[dict[str, Any]] = []
    version = reading.begun_mask.forked_from
    while version is not None:
        steps.append({"who": version.author_name, "what": version.reason, "when": version.cut_at.isoformat()})
        version = version.parent
    steps.reverse()
    return [
        *steps,
        {"who": str(reading.reader), "what": reading.stage, "when": reading.started_at.isoformat()},
    ]


def comparable_states(reading: Reading, user: User) -> list[dict[str, str]]:
    """The states that may lie beside the mask: those it came from, oldest first, and other readings they may see."""
    states: list[dict[str, str]] = []
    version = reading.begun_mask.forked_from
    while version is not None:
        name = origin_name(version)
        states.insert(0, {"state": f"version:{version.pk}", "label": f"{name}, {version.author_name}"})
        version = version.mask.forked_from
    candidates = candidates_shown(reading, user)
    states += [{"state": f"{CANDIDATE}:{letter}", "label": f"Reading {letter}"} for letter in candidates]
    known = {state["state"] for state in states}
    for imported in imports_shown(user, reading.case):
        version = imported_version(imported)
        if f"version:{version.pk}" not in known:
            states.append({"state": f"version:{version.pk}", "label": f"{origin_name(version)}, {version.author_name}"})
    states += [
        {"state": f"reading:{other.pk}", "label": f"{other.stage.capitalize()}, {other.reader}"}
        for other in readings_of_case_for(user, reading.case)
        if other.pk != reading.pk
    ]
    return states


def origin_name(version: Version) -> str:
    """What people call a version that a mask came from, by its author."""
    return {"algorithm": "AI draft", "import": "Imported mask"}.get(
        version.mask.author_kind, version.reason.capitalize()
    )


def next_data(reading: Reading, user: User) -> dict[str, Any] | None:
    """Where this person goes on after a reading: to an open reading of theirs, or to a case to be begun by a POST."""
    following = next_case_after(reading, user)
    if following is None:
        return None
    case, begun = following.case, following.reading
    place = [case.campaign.slug, case.number]
    return {
        "case_number": case.number,
        "reading": str(begun.pk) if begun else None,
        "url": reverse("pages:viewer", args=[begun.pk]) if begun else reverse("pages:case", args=place),
        "start_url": None if begun else reverse("pages:start", args=place),
        "slabs": slabs_data(case),
    }


def timeline_data(reading: Reading, user: User) -> list[dict[str, Any]]:
    """The patient's scans in this campaign, in order of time."""
    return [
        {
            "case": str(entry.case.pk),
            "case_number": entry.case.number,
            "scan": str(entry.case.scan_id),
            "when": entry.when.isoformat() if entry.when else None,
            "label": entry.label,
            "extent_percent": entry.extent_percent,
            "weight_g": entry.weight_g,
            "biased_by": [remark.short for remark in weight_remarks_of(entry.case.scan)],
            "reading": str(entry.reading.pk) if entry.reading else None,
        }
        for entry in timeline_of(reading, user)
    ]


def beside_data(reading: Reading, case: Case, user: User) -> dict[str, Any]:
    """Another scan of the patient, to lay beside; with the mask of the reading of it that this person may see."""
    other = reading_beside(reading, case, user)
    return {"scan": scan_data(case, user), "mask_url": reverse("api-reading-mask", args=[other.pk]) if other else None}


def guideline_data(reading: Reading) -> dict[str, Any] | None:
    """Where the guideline is that the reading began under, if its protocol has one."""
    if not reading.protocol.guideline:
        return None
    return {"version": reading.protocol.version, "url": reverse("api-reading-guideline", args=[reading.pk])}


def ledger_data(reading: Reading) -> dict[str, Any]:
    """What the reader has seen and decided, and how long they worked."""
    return {
        "seen": seen_slices(reading),
        "verdicts": {str(z): verdict for z, verdict in verdicts_of(reading).items()},
        "attests": reading.attests,
        "active_ms": reading.active_ms,
    }


def attesting_data(reading: Reading) -> dict[str, Any]:
    """What a signature would attest as a reading stands, and what is missing."""
    decisions = decisions_of(reading)
    return {
        "lung": decisions.lung,
        "unseen": decisions.unseen,
        "undecided": decisions.undecided,
        "contradictions": decisions.contradictions,
        "lesion": decisions.lesion,
        "missing": [asdict(one) for one in missing_in(reading, decisions)],
    }


def protocol_data(reading: Reading) -> dict[str, Any]:
    """What the viewer goes by of the protocol that the reading began under."""
    terms = reading.protocol.said
    return {
        "version": reading.protocol.version,
        "dwell_ms": terms.dwell_ms,
        "attests": {code: terms.level(code) for code in ATTESTED},
        "pilot": terms.pilot,
    }


def ending_data(reading: Reading, user: User) -> dict[str, Any]:
    """How the reading ends, and what its reader may do to that end; `refusal` is why not, in a sentence."""
    stage = reading.protocol.stage(reading.stage)
    refusals = {
        "submit": may_submit(reading, user),
        "return": may_return(reading, user),
        "amend": may_amend(reading, user),
    }
    came_back = Return.objects.filter(submission__reading=reading).order_by("-returned_at").first()
    submitter = submission_returnable_by(reading, user)
    return {
        "ends_with": stage.ends_with,
        **{f"may_{verb}": refusal is None for verb, refusal in refusals.items()},
        **{f"{verb}_refusal": refusal.sentence if refusal else None for verb, refusal in refusals.items()},
        "returns_to": str(submitter.reading.reader) if submitter else None,
        "returned": {
            "by": came_back.returned_by_name,
            "reason": came_back.reason,
            "at": came_back.returned_at.isoformat(),
        }
        if came_back and reading.state == Reading.RETURNED
        else None,
        "amends": {"reason": reading.reason} if reading.supersedes_id else None,
        "repeat": reading.repeat,
    }


def reading_data(reading: Reading, user: User) -> dict[str, Any]:
    """Everything that the viewer needs to open a reading, its voxels aside."""
    case: Case = reading.case
    scan, mask = case.scan, reading.begun_mask
    edit_refusal, sign_refusal = may_edit(reading, user), may_sign(reading, user)
    signature = getattr(reading, "signature", None)
    lease = Lease.objects.select_related("holder").filter(mask=mask).first()
    return {
        "id": str(reading.pk),
        "state": reading.state,
        "stage": reading.stage,
        "may_edit": edit_refusal is None,
        "edit_refusal": edit_refusal.sentence if edit_refusal else None,
        "may_sign": sign_refusal is None,
        "sign_refusal": sign_refusal.sentence if sign_refusal else None,
        "statement": reading.protocol.statement,
        "reader": {"id": str(reading.reader_id), "name": str(reading.reader)},
        "you": {"id": str(user.pk), "name": str(user), "username": user.username},
        "case": {
            "id": str(case.pk),
            "number": case.number,
            "case_count": case.campaign.cases.count(),
            "url": f"/campaigns/{case.campaign.slug}/cases/{case.number}/",
            "pseudonym": scan.study.patient.pseudonym,
            "campaign": {"slug": case.campaign.slug, "name": case.campaign.name},
        },
        "scan": scan_data(case, user),
        "preview": preview_data(case),
        "label_set": {
            "name": mask.label_set.name,
            "version": mask.label_set.version,
            "labels": mask.label_set.labels,
        },
        "anatomy_labels": ANATOMY_LABELS,
        "mask": {
            "id": str(mask.pk),
            "stroke_sequence": mask.stroke_sequence,
            "head_hash": mask.head_hash,
            "edited_slices": edited_slices(mask),
        },
        "kept_beside": strokes_waiting_beside(mask),
        "lineage": lineage_of(reading),
        "next": next_data(reading, user),
        "timeline": timeline_data(reading, user),
        "comparable": comparable_states(reading, user),
        "ledger": {**ledger_data(reading), "lung": lung_slices(reading)},
        "protocol": protocol_data(reading),
        "ending": ending_data(reading, user),
        "settles": settling_data(reading, user),
        "flags": flags_data(reading),
        "forms": forms_data(reading),
        "guideline": guideline_data(reading),
        "preferences": viewer_preferences_of(user),
        "lease": lease_data(lease, user),
        "signature": {
            "name": signature.signer_name,
            "at": signature.signed_at.isoformat(),
            "version_hash": signature.version_sha256,
        }
        if signature
        else None,
    }


def answers_data(answers: list[Any]) -> list[dict[str, Any]]:
    """What became of sent strokes."""
    return [{**asdict(a), "id": str(a.id), "server_time": a.server_time.isoformat()} for a in answers]
