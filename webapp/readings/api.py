"""The viewer's side of a reading: its state, pixels, mask, strokes, lease, numbers and signature."""

import base64
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.decorators import api_view
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from webapp import push
from webapp.accounts.actions import check_password
from webapp.accounts.authentication import open_to_programs
from webapp.archive.queries import volume_of
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.audit.refused import record_refusal
from webapp.campaigns.actions import chain_of
from webapp.campaigns.queries import guideline_html
from webapp.masks.actions import LEASE_LASTS, release_lease, renew_lease, take_lease
from webapp.masks.history import head_state
from webapp.masks.models import Lease, Mask, Stroke
from webapp.masks.parts import keep_part
from webapp.masks.queries import head_layers
from webapp.masks.strokes import append_strokes, payload_of
from webapp.readings.actions import amend_reading, return_submission, sign_reading, submit_reading
from webapp.readings.around import patients_case
from webapp.readings.ledger import record_active, record_attests, record_seen, record_verdicts
from webapp.readings.models import Reading
from webapp.readings.queries import measurements_of, reading_for
from webapp.readings.rules import may_edit, may_send_strokes
from webapp.readings.serialisers import (
    PartInput,
    StrokesInput,
    answers_data,
    attesting_data,
    beside_data,
    holder_data,
    ledger_data,
    reading_data,
)

OBJECT = OpenApiTypes.OBJECT
# So much of the log goes in one answer, read from the database some strokes at a time.
LOG_BYTES, LOG_CHUNK = 4 * 1024 * 1024, 50
ERRORS = {400: OBJECT, 401: OBJECT, 404: OBJECT, 409: OBJECT}


@extend_schema(responses={200: OBJECT, **ERRORS})
@api_view(["GET"])
def reading_detail(request: Request, reading_id: uuid.UUID) -> Response:
    """Everything that the viewer needs to open a reading, its voxels aside."""
    return Response(reading_data(reading_for(request.user, reading_id), request.user))


@require_GET
@open_to_programs
def reading_mask(request: HttpRequest, reading_id: uuid.UUID) -> HttpResponse:
    """The working state of the reading's mask as GGM1 bytes."""
    reading = reading_for(request.user, reading_id)
    response = HttpResponse(head_state(reading.mask).container(), content_type="application/octet-stream")
    response["Cache-Control"] = "no-store"
    return response


@extend_schema(methods=["GET"], responses={200: OBJECT, **ERRORS})
@extend_schema(methods=["POST"], request=StrokesInput, responses={200: OBJECT, **ERRORS})
@api_view(["GET", "POST"])
def reading_strokes(request: Request, reading_id: uuid.UUID) -> Response:
    """GET: the log of strokes after `after`, up to `until` where given; `more` where the answer ends before.

    POST: append; answered only once committed.
    """
    reading = reading_for(request.user, reading_id)
    if request.method == "GET":
        query = request.query_params
        return Response(_stroke_log(reading, query.get("after", "0"), query.get("until")))
    form = StrokesInput(data=request.data)
    if not form.is_valid():
        body = {"error": "malformed", "sentence": "These strokes cannot be read.", "details": form.errors}
        return Response({**body, **form.first_wrong()}, status=400)
    with transaction.atomic():
        # The lock keeps a signature from slipping in between the rule and the strokes.
        held = Reading.objects.select_for_update(of=("self",)).get(pk=reading.pk)
        require(may_send_strokes(held, request.user))
        closed = may_edit(held, request.user) is not None
        answers = append_strokes(mask=reading.mask, sent=form.sent(), by=request.user, closed=closed)
        mask = Mask.objects.get(pk=reading.begun_mask.pk)
        push.publish(f"reading:{reading.pk}", "stroke.applied", stroke_sequence=mask.stroke_sequence)
    state = {"stroke_sequence": mask.stroke_sequence, "head_hash": mask.head_hash}
    return Response({"results": answers_data(answers), "mask": state})


@extend_schema(request=PartInput, responses={200: OBJECT, **ERRORS})
@api_view(["POST"])
def reading_stroke_part(request: Request, reading_id: uuid.UUID) -> Response:
    """Keep the payload of a stroke that will be sent by its hash alone: of an edit too large for one request."""
    reading = reading_for(request.user, reading_id)
    form = PartInput(data=request.data)
    if not form.is_valid():
        return Response(
            {"error": "malformed", "sentence": "This part cannot be read.", "details": form.errors}, status=400
        )
    require(may_send_strokes(reading, request.user))
    part = dict(form.validated_data)
    tab = part.pop("tab")
    keep_part(mask=reading.mask, by=request.user, **part)
    if tab is not None:
        # Many parts may take longer than a lease lasts, and the tab says nothing else meanwhile.
        renew_lease(mask=reading.mask, tab=tab, by=request.user)
    return Response({})


def _stroke_log(reading: Reading, after: str, until: str | None) -> dict[str, Any]:
    strokes = reading.mask.strokes.filter(stroke_sequence__gt=_place(after, "`after`", "know"))
    if until is not None:
        strokes = strokes.filter(stroke_sequence__lte=_place(until, "`until`", "want"))
    found: list[dict[str, Any]] = []
    size = 0
    for stroke in strokes.select_related("reader").order_by("stroke_sequence").iterator(LOG_CHUNK):
        payload = payload_of(stroke)
        size += len(payload)
        if found and size > LOG_BYTES:
            return {"strokes": found, "more": True}
        found.append(_logged(stroke, payload))
    return {"strokes": found, "more": False}


def _logged(s: Stroke, payload: bytes) -> dict[str, Any]:
    return {
        "stroke_sequence": s.stroke_sequence,
        "id": str(s.pk),
        "applied": s.applied,
        "layer": s.layer,
        "tool": s.tool,
        "plane": s.plane,
        "undoes": str(s.undoes_id) if s.undoes_id else None,
        "reader": str(s.reader),
        "tab": str(s.tab),
        "client_time": s.client_time,
        "server_time": s.server_time.isoformat(),
        "payload": base64.b64encode(payload).decode(),
        "payload_sha256": s.payload_sha256,
    }


def _place(said: str, name: str, verb: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", said, re.ASCII):
        raise ActionRefused(Refusal("malformed", f"{name} is the number of the last stroke you {verb}."))
    return int(said)


@extend_schema(request=OBJECT, responses={200: OBJECT, **ERRORS})
@api_view(["POST"])
def reading_lease(request: Request, reading_id: uuid.UUID) -> Response:
    """Take the right to write, or keep it: {tab, take_over}."""
    reading = reading_for(request.user, reading_id)
    require(may_edit(reading, request.user))
    tab = _tab(request)
    lease = renew_lease(mask=reading.mask, tab=tab, by=request.user)
    if lease is None:
        try:
            lease = take_lease(
                mask=reading.mask,
                tab=tab,
                by=request.user,
                take_over=_fields(request).get("take_over") is True,
                chain=chain_of(reading.case.campaign),
            )
        except ActionRefused as refused:
            held = Lease.objects.select_related("holder").get(mask=reading.mask)
            body = {"error": refused.code, "sentence": refused.sentence, **holder_data(held, request.user, tab)}
            return Response(body, status=409)
        push.publish(f"reading:{reading.pk}", "lease.changed", epoch=lease.epoch)
    return Response({"epoch": lease.epoch, "mine": True, "expires_in_s": LEASE_LASTS.total_seconds()})


@extend_schema(request=OBJECT, responses={200: OBJECT, **ERRORS})
@api_view(["POST"])
def reading_lease_release(request: Request, reading_id: uuid.UUID) -> Response:
    """Let go of the right to write: {tab}. Whoever waits for it is told."""
    reading = reading_for(request.user, reading_id)
    with transaction.atomic():
        if release_lease(mask=reading.mask, tab=_tab(request), by=request.user):
            push.publish(f"reading:{reading.pk}", "lease.released")
    return Response({})


def _fields(request: Request) -> Mapping[str, Any]:
    if not isinstance(request.data, Mapping):
        raise ActionRefused(Refusal("malformed", "The request's body must be a JSON object."))
    return request.data


def _tab(request: Request) -> uuid.UUID:
    try:
        return uuid.UUID(str(_fields(request).get("tab")))
    except (ValueError, AttributeError) as error:
        raise ActionRefused(Refusal("malformed", "`tab` must be the tab's UUID.")) from error


@extend_schema(responses={200: OBJECT, **ERRORS})
@api_view(["GET"])
def reading_scan_beside(request: Request, reading_id: uuid.UUID, case_id: uuid.UUID) -> Response:
    """Another scan of the same patient, to lay beside: its geometry and slabs, and where its mask is, if anywhere."""
    reading = reading_for(request.user, reading_id)
    return Response(beside_data(reading, patients_case(reading, case_id), request.user))


@extend_schema(responses={200: OBJECT, **ERRORS})
@api_view(["GET"])
def reading_guideline(request: Request, reading_id: uuid.UUID) -> Response:
    """The guideline of the protocol that the reading began under, as HTML that may be shown as it is."""
    protocol = reading_for(request.user, reading_id).protocol
    if not protocol.guideline:
        raise NotFound("The protocol of this reading has no guideline.")
    return Response({"version": protocol.version, "html": guideline_html(protocol)})


@extend_schema(request=OBJECT, responses={200: OBJECT, **ERRORS})
@api_view(["POST"])
def reading_ledger(request: Request, reading_id: uuid.UUID) -> Response:
    """Write down what the reader has seen and decided: {seen, verdicts, attests, active_ms}, each where it is there.

    Answers with all that is kept: {seen, verdicts, attests, active_ms}.
    """
    reading = reading_for(request.user, reading_id)
    fields = _fields(request)
    parts: dict[str, Callable[..., None]] = {
        "seen": record_seen,
        "verdicts": record_verdicts,
        "attests": record_attests,
        "active_ms": record_active,
    }
    with transaction.atomic():
        for name, write in parts.items():
            if name in fields:
                write(reading=reading, by=request.user, **{name: fields[name]})
        if not set(fields) & set(parts):
            raise ActionRefused(Refusal("malformed", f"Say at least one of {', '.join(parts)}."))
    reading.refresh_from_db(fields=["attests", "active_ms"])
    return Response(ledger_data(reading))


@extend_schema(responses={200: OBJECT, **ERRORS})
@api_view(["GET"])
def reading_attesting(request: Request, reading_id: uuid.UUID) -> Response:
    """What a signature would attest as the reading stands, and what is missing of what its protocol asks."""
    return Response(attesting_data(reading_for(request.user, reading_id)))


@extend_schema(responses={200: OBJECT, **ERRORS})
@api_view(["GET"])
def reading_measurements(request: Request, reading_id: uuid.UUID) -> Response:
    """The numbers of the mask as it stands, computed here from the stored voxels."""
    reading = reading_for(request.user, reading_id)
    volume = volume_of(reading.case.scan)
    return Response(asdict(measurements_of(volume, head_layers(reading.mask), reading.mask.label_set)))


def _sequence(fields: Mapping[str, Any]) -> int:
    sequence = fields.get("stroke_sequence")
    if type(sequence) is not int:
        raise ActionRefused(Refusal("malformed", "`stroke_sequence` is the number of the last saved stroke."))
    return sequence


@extend_schema(request=OBJECT, responses={200: OBJECT, **ERRORS})
@api_view(["POST"])
def reading_submit(request: Request, reading_id: uuid.UUID) -> Response:
    """Hand the reading on to the next stage: {stroke_sequence}."""
    reading = reading_for(request.user, reading_id)
    submission = submit_reading(reading=reading, stroke_sequence=_sequence(_fields(request)), by=request.user)
    version = {"id": str(submission.version_id), "hash": submission.version.sha256}
    return Response({"state": Reading.SUBMITTED, "version": version})


@extend_schema(request=OBJECT, responses={200: OBJECT, **ERRORS})
@api_view(["POST"])
def reading_return(request: Request, reading_id: uuid.UUID) -> Response:
    """Send the submission that the reading began from back to its reader: {reason, stroke_sequence}."""
    reading = reading_for(request.user, reading_id)
    fields = _fields(request)
    return_submission(
        reading=reading,
        reason=str(fields.get("reason", "")),
        stroke_sequence=_sequence(fields),
        by=request.user,
    )
    return Response({"state": Reading.SUPERSEDED})


@extend_schema(request=OBJECT, responses={201: OBJECT, **ERRORS})
@api_view(["POST"])
def reading_amend(request: Request, reading_id: uuid.UUID) -> Response:
    """Begin the amendment of a signed reading: {reason}; answers with the new reading."""
    reading = reading_for(request.user, reading_id)
    amendment = amend_reading(reading=reading, reason=str(_fields(request).get("reason", "")), by=request.user)
    return Response({"id": str(amendment.pk), "url": reverse("pages:viewer", args=[amendment.pk])}, status=201)


@extend_schema(request=OBJECT, responses={200: OBJECT, 403: OBJECT, **ERRORS})
@api_view(["POST"])
def reading_sign(request: Request, reading_id: uuid.UUID) -> Response:
    """Sign: {password, stroke_sequence, statement, acknowledged}."""
    reading = reading_for(request.user, reading_id)
    fields = _fields(request)
    try:
        check_password(
            request=request._request,
            username=request.user.username,
            password=str(fields.get("password", "")),
        )
    except ActionRefused as refused:
        record_refusal(action="readings.sign_reading", refused=refused, about={"reading": reading, "by": request.user})
        sentence = "That is not your password." if refused.code == "wrong_password" else refused.sentence
        return Response({"error": refused.code, "sentence": sentence}, status=403)
    acknowledged = fields.get("acknowledged", [])
    if not isinstance(acknowledged, list):
        raise ActionRefused(Refusal("malformed", "`acknowledged` lists codes of what is missing."))
    signature = sign_reading(
        reading=reading,
        stroke_sequence=_sequence(fields),
        statement=str(fields.get("statement", "")),
        acknowledged=[str(code) for code in acknowledged],
        by=request.user,
    )
    version = {"id": str(signature.version_id), "hash": signature.version_sha256}
    return Response({"state": Reading.SIGNED, "version": version})
