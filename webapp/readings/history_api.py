"""The history of a reading's mask, to look at: chapters, states, differences, provenance."""

import base64
import json
import re
import struct
import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from inference.imaging.masks import MAGIC, encode_slice
from webapp.accounts.authentication import open_to_programs
from webapp.accounts.models import User
from webapp.audit.refusal import ActionRefused, Refusal
from webapp.masks.history import (
    Chapter,
    State,
    chapters_of,
    extent_of,
    head_state,
    layer_difference,
    provenance_map,
    state_at,
    strokes_of,
    version_state,
    voxel_history,
)
from webapp.masks.models import LAYERS, Mask, Stroke, Version
from webapp.masks.queries import imported_version
from webapp.masks.strokes import payload_of
from webapp.readings.adjudicating import CANDIDATE, CONSENSUS, settled_state
from webapp.readings.models import Reading
from webapp.readings.queries import imports_shown, reading_for, readings_of_case_for

OBJECT = OpenApiTypes.OBJECT
ERRORS = {400: OBJECT, 401: OBJECT, 404: OBJECT, 409: OBJECT}
PAGE, PAGE_BYTES = 500, 4 * 1024 * 1024
# Okabe and Ito's colours in an order that keeps neighbours apart; nobody is red or green alone.
AUTHOR_COLOURS = ("#56B4E9", "#E69F00", "#CC79A7", "#F0E442", "#009E73", "#0072B2", "#D55E00", "#E8ECEF")


def _stage_of(mask: Mask) -> str:
    reading = Reading.objects.filter(mask=mask).first()
    return (
        reading.stage
        if reading
        else {"algorithm": "draft", "import": "imported"}.get(mask.author_kind, mask.author_kind)
    )


def _lineage_versions(mask: Mask) -> dict[uuid.UUID, Version]:
    """The versions of a lineage by id: all of the mask's own, of earlier masks those up to the fork."""
    found = {}
    for chapter in chapters_of(mask):
        versions = chapter.mask.versions.select_related("mask__scan").order_by("number")
        if chapter.end_version is not None:
            versions = versions.filter(number__lte=chapter.end_version.number)
        found.update({version.pk: version for version in versions})
    return found


def _versions_for(reading: Reading, user: User) -> dict[uuid.UUID, Version]:
    """The versions that may lie beside a mask: of its lineage, and the masks that came with the scan, where shown."""
    imported = [imported_version(one) for one in imports_shown(user, reading.case)]
    return {**{version.pk: version for version in imported}, **_lineage_versions(reading.mask)}


def version_data(version: Version, own: bool) -> dict[str, Any]:
    return {
        "id": str(version.pk),
        "number": version.number,
        "reason": version.reason,
        "who": version.author_name,
        "cut_at": version.cut_at.isoformat(),
        "sha256": version.sha256,
        "stroke_sequence": version.stroke_sequence,
        "mask": str(version.mask_id),
        "own": own,
    }


@extend_schema(responses={200: OBJECT, **ERRORS})
@api_view(["GET"])
def reading_history(request: Request, reading_id: uuid.UUID) -> Response:
    """The whole way of the mask: chapters through its lineage, versions, and its applied strokes without payloads."""
    reading = reading_for(request.user, reading_id)
    chapters = chapters_of(reading.mask)
    strokes = []
    for chapter in chapters:
        rows = strokes_of(chapter).values_list(
            "stroke_sequence", "layer", "tool", "plane", "reader__display_name", "server_time", "voxel_count",
            "undoes__stroke_sequence",
        )  # fmt: skip
        names = ("stroke_sequence", "layer", "tool", "plane", "who", "server_time", "voxel_count", "undoes_sequence")
        strokes += [{**dict(zip(names, row, strict=True)), "mask": str(chapter.mask.pk)} for row in rows]
    return Response(
        {
            "chapters": [_chapter_data(chapter, reading) for chapter in chapters],
            "versions": [
                version_data(version, version.mask_id == reading.mask_id)
                for version in _lineage_versions(reading.mask).values()
            ],
            "strokes": strokes,
        }
    )


def _chapter_data(chapter: Chapter, reading: Reading) -> dict[str, Any]:
    mask = chapter.mask
    own_base = mask.versions.filter(stroke_sequence=0).order_by("number").first()
    base = own_base or mask.forked_from
    return {
        "mask": str(mask.pk),
        "who": mask.author_name,
        "kind": mask.author_kind,
        "stage": _stage_of(mask),
        "base_version": str(base.pk) if base else None,
        "end_version": str(chapter.end_version.pk) if chapter.end_version else None,
        "strokes": strokes_of(chapter).count(),
        "own": mask.pk == reading.mask_id,
    }


@extend_schema(responses={200: OBJECT, **ERRORS})
@api_view(["GET"])
def reading_chapter_strokes(request: Request, reading_id: uuid.UUID, mask_id: uuid.UUID) -> Response:
    """Applied strokes of one mask of the lineage after `after`, with payloads; at most `limit` and some megabytes."""
    reading = reading_for(request.user, reading_id)
    chapter = next((c for c in chapters_of(reading.mask) if c.mask.pk == mask_id), None)
    if chapter is None:
        raise Http404("No such mask in the history of this reading.")
    after = _number(request.query_params.get("after", "0"), "after")
    limit = min(PAGE, _number(request.query_params.get("limit", str(PAGE)), "limit"))
    strokes: list[dict[str, Any]] = []
    size = 0
    for stroke in strokes_of(chapter).filter(stroke_sequence__gt=after).select_related("reader")[:limit]:
        payload = payload_of(stroke)
        size += len(payload)
        if strokes and size > PAGE_BYTES:
            break
        strokes.append(stroke_data(stroke, payload))
    return Response({"strokes": strokes})


def stroke_data(stroke: Stroke, payload: bytes) -> dict[str, Any]:
    return {
        "stroke_sequence": stroke.stroke_sequence,
        "id": str(stroke.pk),
        "applied": stroke.applied,
        "layer": stroke.layer,
        "tool": stroke.tool,
        "plane": stroke.plane,
        "undoes": str(stroke.undoes_id) if stroke.undoes_id else None,
        "reader": str(stroke.reader),
        "client_time": stroke.client_time,
        "server_time": stroke.server_time.isoformat(),
        "payload": base64.b64encode(payload).decode(),
        "payload_sha256": stroke.payload_sha256,
    }


def _number(text: str, name: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        raise ActionRefused(Refusal("malformed", f"`{name}` must be a number."))
    return int(text)


def state_named(reading: Reading, user: User, name: str) -> tuple[State, str, bool]:
    """The state that `name` names for this person, its label, and whether it can never change; Http404 otherwise."""
    kind, _, rest = name.partition(":")
    try:
        if name == "head":
            return head_state(reading.mask), "now", False
        if kind == "stroke" and re.fullmatch(r"[0-9]{1,9}", rest, re.ASCII):
            sequence = int(rest)
            return state_at(reading.mask, sequence), f"after stroke {sequence}", True
        if kind == "version":
            version = _versions_for(reading, user)[uuid.UUID(rest)]
            return version_state(version), f"{version.reason} by {version.author_name}", True
        if kind == "reading":
            other = readings_of_case_for(user, reading.case).get(pk=uuid.UUID(rest))
            return head_state(other.mask), f"{other.stage} by {other.reader}", False
        if kind in (CANDIDATE, CONSENSUS):
            return *settled_state(reading, user, kind, rest), False
    except (KeyError, ValueError, Stroke.DoesNotExist, Reading.DoesNotExist):
        pass
    raise Http404("No such state of this mask.")


@require_GET
@open_to_programs
def reading_state_mask(request: HttpRequest, reading_id: uuid.UUID, state: str) -> HttpResponse:
    """A state of the mask as GGM1 bytes. Versions and past strokes never change, so browsers may keep them."""
    reading = reading_for(request.user, reading_id)
    found, _, fixed = state_named(reading, request.user, state)
    response = HttpResponse(found.container(), content_type="application/octet-stream")
    response["Cache-Control"] = "private, max-age=31536000, immutable" if fixed else "no-store"
    return response


@extend_schema(responses={200: OBJECT, **ERRORS})
@api_view(["GET"])
def reading_difference(request: Request, reading_id: uuid.UUID) -> Response:
    """Two states compared: Dice and millilitres of what both or only one holds, by layer, label and slice."""
    reading = reading_for(request.user, reading_id)
    (a, a_label, _), (b, b_label, _) = (
        state_named(reading, request.user, request.query_params.get(name, "")) for name in ("a", "b")
    )
    labels = reading.mask.label_set
    values = {"findings": labels.lesion_values, "anatomy": list(range(1, 256))}
    rows = reading.case.scan.affine_lps
    spacing_xyz = [sum(rows[r][c] ** 2 for r in range(3)) ** 0.5 for c in range(3)]
    ml = spacing_xyz[0] * spacing_xyz[1] * spacing_xyz[2] / 1000
    layers = {}
    for layer in LAYERS:
        found = layer_difference(a, b, layer, values[layer])
        layers[layer] = {
            "dice": found.dice,
            "both_ml": found.both * ml,
            "only_a_ml": found.only_a * ml,
            "only_b_ml": found.only_b * ml,
            "slices": found.slices,
            "by_label": [
                {
                    "value": value,
                    "a_ml": (a_count := found.a_by_label.get(value, 0)) * ml,
                    "b_ml": (b_count := found.b_by_label.get(value, 0)) * ml,
                    "dice": 2 * found.both_by_label.get(value, 0) / (a_count + b_count),
                }
                for value in sorted({*found.a_by_label, *found.b_by_label})
            ],
        }
    extent = {
        name: extent_of(state, labels.lesion_values, labels.not_lung_values) for name, state in (("a", a), ("b", b))
    }
    return Response({"a": a_label, "b": b_label, "layers": layers, "extent_percent": extent})


@extend_schema(responses={200: OBJECT, **ERRORS})
@api_view(["GET"])
def reading_provenance(request: Request, reading_id: uuid.UUID) -> Response:
    """Who set one voxel, when and with what, through the whole lineage: ?layer=&i=&j=&k=."""
    reading = reading_for(request.user, reading_id)
    layer = _layer(request.query_params.get("layer", ""))
    i, j, k = (_number(request.query_params.get(name, ""), name) for name in "ijk")
    nz, ny, nx = reading.case.scan.shape_zyx
    if i >= nx or j >= ny or k >= nz:
        raise ActionRefused(Refusal("outside", "That voxel lies outside the scan."))
    events = voxel_history(reading.mask, layer, (i, j, k))
    return Response(
        {
            "voxel": [i, j, k],
            "label": events[-1].new if events else 0,
            "events": [
                {
                    "who": str(event.stroke.reader) if event.stroke else event.mask.author_name,
                    "kind": "person" if event.stroke else event.mask.author_kind,
                    "stage": _stage_of(event.mask),
                    "what": event.stroke.tool if event.stroke else _stage_of(event.mask),
                    "when": (event.stroke.server_time if event.stroke else event.mask.created_at).isoformat(),
                    "from": event.old,
                    "to": event.new,
                    "stroke_sequence": event.stroke.stroke_sequence if event.stroke else None,
                    "mask": str(event.mask.pk),
                }
                for event in events
            ],
        }
    )


def _layer(name: str) -> str:
    if name not in LAYERS:
        raise ActionRefused(Refusal("malformed", "`layer` is anatomy or findings."))
    return name


@require_GET
@open_to_programs
def reading_provenance_map(request: HttpRequest, reading_id: uuid.UUID) -> HttpResponse:
    """Who last set each voxel of a layer, as GGM1 bytes whose header lists the authors: ?layer=."""
    reading = reading_for(request.user, reading_id)
    layer = request.GET.get("layer", "")
    if layer not in LAYERS:
        return JsonResponse({"error": "malformed", "sentence": "`layer` is anatomy or findings."}, status=409)
    chapters, owners = provenance_map(reading.mask, layer)
    listed, area = [], bytearray()
    for z in sorted(owners):
        data = encode_slice(owners[z])
        listed.append({"layer": layer, "z": z, "offset": len(area), "length": len(data)})
        area += data
    header = {
        "shape_zyx": reading.case.scan.shape_zyx,
        "stroke_sequence": reading.mask.stroke_sequence,
        "head_hash": reading.mask.head_hash,
        "authors": [
            {
                "who": chapter.mask.author_name,
                "kind": chapter.mask.author_kind,
                "stage": _stage_of(chapter.mask),
                "colour": AUTHOR_COLOURS[number % len(AUTHOR_COLOURS)],
            }
            for number, chapter in enumerate(chapters)
        ],
        "frames": listed,
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    response = HttpResponse(
        MAGIC + struct.pack("<I", len(text)) + text + bytes(area), content_type="application/octet-stream"
    )
    response["Cache-Control"] = "no-store"
    return response
