"""What a reader does with the history of a mask: restore a state, settle what was kept beside, ask for the lease."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from webapp import push
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.campaigns.actions import chain_of
from webapp.masks.branches import branches_of, restore_state, settle_branch
from webapp.masks.models import Mask
from webapp.masks.strokes import payload_of
from webapp.readings.actions import ask_for_lease
from webapp.readings.history_api import ERRORS, OBJECT, state_named, stroke_data, version_data
from webapp.readings.models import Reading
from webapp.readings.queries import reading_for
from webapp.readings.rules import may_edit


def _body(request: Request) -> Mapping[str, Any]:
    if not isinstance(request.data, Mapping):
        raise ActionRefused(Refusal("malformed", "The request's body must be a JSON object."))
    return request.data


def _tab_and_epoch(body: Mapping[str, Any]) -> tuple[uuid.UUID, int]:
    epoch = body.get("epoch")
    try:
        tab = uuid.UUID(str(body.get("tab")))
    except ValueError as error:
        raise ActionRefused(Refusal("malformed", "`tab` must be the tab's UUID.")) from error
    if not isinstance(epoch, int) or isinstance(epoch, bool) or not 0 <= epoch < 2**31:
        raise ActionRefused(Refusal("malformed", "`epoch` must be the number of the lease."))
    return tab, epoch


@extend_schema(request=OBJECT, responses={200: OBJECT, **ERRORS})
@api_view(["POST"])
def reading_restore(request: Request, reading_id: uuid.UUID) -> Response:
    """Make a past state the present one, as a new version: {state, tab, epoch}."""
    reading = reading_for(request.user, reading_id)
    body = _body(request)
    tab, epoch = _tab_and_epoch(body)
    named = str(body.get("state", ""))
    if named.startswith("reading:"):
        raise ActionRefused(
            Refusal("not_past", "Only a state of this mask, of one it came from or settles can be restored.")
        )
    with transaction.atomic():
        # The lock keeps a signature from slipping in between the rule and the strokes.
        held = Reading.objects.select_for_update(of=("self",)).get(pk=reading.pk)
        require(may_edit(held, request.user))
        state, _, _ = state_named(reading, request.user, named)
        version = restore_state(
            mask=reading.mask,
            state=state,
            named=named,
            tab=tab,
            epoch=epoch,
            by=request.user,
            chain=chain_of(reading.case.campaign),
        )
        mask = Mask.objects.get(pk=reading.begun_mask.pk)
        push.publish(f"reading:{reading.pk}", "stroke.applied", stroke_sequence=mask.stroke_sequence)
    return Response(
        {
            "version": version_data(version, True),
            "mask": {"stroke_sequence": mask.stroke_sequence, "head_hash": mask.head_hash},
        }
    )


@extend_schema(responses={200: OBJECT, **ERRORS})
@api_view(["GET"])
def reading_branches(request: Request, reading_id: uuid.UUID) -> Response:
    """The strokes that were kept beside the mask, by the tab and epoch that they came from."""
    reading = reading_for(request.user, reading_id)
    return Response(
        {
            "branches": [
                {
                    "tab": str(branch.tab),
                    "epoch": branch.epoch,
                    "who": str(branch.strokes[0].reader),
                    "from": branch.strokes[0].server_time.isoformat(),
                    "to": branch.strokes[-1].server_time.isoformat(),
                    "voxel_count": sum(s.voxel_count for s in branch.strokes),
                    "strokes": [{**stroke_data(s, payload_of(s)), "reason": s.branch_reason} for s in branch.strokes],
                    "settled": {
                        "decision": branch.settled.decision,
                        "who": str(branch.settled.decided_by),
                        "at": branch.settled.decided_at.isoformat(),
                    }
                    if branch.settled
                    else None,
                }
                for branch in branches_of(reading.mask)
            ]
        }
    )


@extend_schema(request=OBJECT, responses={200: OBJECT, **ERRORS})
@api_view(["POST"])
def reading_branch_settle(request: Request, reading_id: uuid.UUID) -> Response:
    """Write down what became of a branch: {tab, epoch, up_to, decision, strokes}; `up_to`: the last stroke seen."""
    reading = reading_for(request.user, reading_id)
    body = _body(request)
    tab, epoch = _tab_and_epoch(body)
    up_to = body.get("up_to")
    if type(up_to) is not int:
        raise ActionRefused(Refusal("malformed", "`up_to` is the number of the last stroke that you looked at."))
    named = body.get("strokes", [])
    try:
        strokes = [uuid.UUID(str(name)) for name in named]
    except (ValueError, TypeError) as error:
        raise ActionRefused(Refusal("malformed", "`strokes` lists the ids of strokes.")) from error
    with transaction.atomic():
        held = Reading.objects.select_for_update(of=("self",)).get(pk=reading.pk)
        require(may_edit(held, request.user))
        settled = settle_branch(
            mask=reading.mask,
            tab=tab,
            epoch=epoch,
            up_to_sequence=up_to,
            decision=str(body.get("decision", "")),
            strokes=strokes,
            by=request.user,
            chain=chain_of(reading.case.campaign),
        )
        push.publish(f"reading:{reading.pk}", "branch.settled", epoch=epoch)
    return Response({"decision": settled.decision, "at": settled.decided_at.isoformat()})


@extend_schema(request=OBJECT, responses={200: OBJECT, **ERRORS})
@api_view(["POST"])
def reading_lease_ask(request: Request, reading_id: uuid.UUID) -> Response:
    """Ask the tab that holds the mask to hand it over: {tab}."""
    reading = reading_for(request.user, reading_id)
    require(may_edit(reading, request.user))
    try:
        tab = uuid.UUID(str(_body(request).get("tab")))
    except ValueError as error:
        raise ActionRefused(Refusal("malformed", "`tab` must be the tab's UUID.")) from error
    ask_for_lease(reading=reading, tab=tab, by=request.user)
    return Response({"asked": True})
