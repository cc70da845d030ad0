"""Flags of a reading, for the viewer and for programs."""

import uuid

from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.audit.refusal import ActionRefused, Refusal
from webapp.readings.comments_api import ERRORS, fields_of
from webapp.readings.flagging_actions import set_flag, take_flag_back
from webapp.readings.flags import flags_data
from webapp.readings.queries import reading_for

OBJECT = OpenApiTypes.OBJECT


@extend_schema(methods=["GET"], responses={200: OBJECT, **ERRORS})
@extend_schema(methods=["POST"], request=OBJECT, responses={200: OBJECT, **ERRORS})
@api_view(["GET", "POST"])
def reading_flags(request: Request, reading_id: uuid.UUID) -> Response:
    """GET: the flags offered and set. POST: set one, {flag, set: true, remark}, or take it back, {flag, set: false}."""
    reading = reading_for(request.user, reading_id)
    if request.method == "POST":
        fields = fields_of(request)
        name, remark = fields.get("flag"), fields.get("remark", "")
        if type(fields.get("set")) is not bool or not isinstance(name, str) or not isinstance(remark, str):
            raise ActionRefused(Refusal("malformed", "Say {flag, set: true | false, remark}."))
        if fields["set"]:
            set_flag(reading=reading, name=name, remark=remark, by=request.user)
        else:
            take_flag_back(reading=reading, name=name, by=request.user)
    return Response(flags_data(reading))
