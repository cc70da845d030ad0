"""Threads of comments for the viewer and for programs."""

import uuid
from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.audit.refusal import ActionRefused, Refusal
from webapp.readings.commenting_actions import (
    answer_thread,
    edit_comment,
    open_thread,
    reopen_thread,
    resolve_thread,
    withdraw_comment,
)
from webapp.readings.comments import comment_in, comments_data, thread_data, thread_for
from webapp.readings.queries import reading_for

OBJECT = OpenApiTypes.OBJECT
ERRORS = {400: OBJECT, 401: OBJECT, 404: OBJECT, 409: OBJECT}


def fields_of(request: Request) -> Mapping[str, Any]:
    """The request's JSON object; ActionRefused where the body is none."""
    if not isinstance(request.data, Mapping):
        raise ActionRefused(Refusal("malformed", "The request's body must be a JSON object."))
    return request.data


@extend_schema(methods=["GET"], responses={200: OBJECT, **ERRORS})
@extend_schema(methods=["POST"], request=OBJECT, responses={201: OBJECT, **ERRORS})
@api_view(["GET", "POST"])
def reading_comments(request: Request, reading_id: uuid.UUID) -> Response:
    """GET: the threads of the reading's case that you may see.

    POST: begin one of this reading's, {text, voxel: [i, j, k] | null, label}.
    """
    reading = reading_for(request.user, reading_id)
    if request.method == "GET":
        return Response(comments_data(reading, request.user))
    fields = fields_of(request)
    now = open_thread(
        reading=reading,
        text=fields.get("text"),
        voxel=fields.get("voxel"),
        label=fields.get("label"),
        by=request.user,
    )
    return Response(thread_data(now, request.user), status=201)


@extend_schema(request=OBJECT, responses={200: OBJECT, **ERRORS})
@api_view(["POST"])
def reading_thread(request: Request, reading_id: uuid.UUID, thread_id: uuid.UUID) -> Response:
    """Answer in a thread, {text}, or say whether it is resolved, {resolved: true | false}."""
    reading = reading_for(request.user, reading_id)
    thread_for(request.user, reading, thread_id)
    fields = fields_of(request)
    chosen: dict[str, Any] = {"reading": reading, "thread": thread_id, "by": request.user}
    if "resolved" not in fields:
        now = answer_thread(text=fields.get("text"), **chosen)
    elif fields["resolved"] is True:
        now = resolve_thread(**chosen)
    elif fields["resolved"] is False:
        now = reopen_thread(**chosen)
    else:
        raise ActionRefused(Refusal("malformed", "`resolved` is true or false."))
    return Response(thread_data(now, request.user))


@extend_schema(request=OBJECT, responses={200: OBJECT, **ERRORS})
@api_view(["POST"])
def reading_comment(request: Request, reading_id: uuid.UUID, thread_id: uuid.UUID, comment_id: uuid.UUID) -> Response:
    """Give a comment of yours a new text, {text}, or withdraw it, {withdrawn: true}."""
    reading = reading_for(request.user, reading_id)
    comment_in(thread_for(request.user, reading, thread_id), comment_id)
    fields = fields_of(request)
    chosen: dict[str, Any] = {"reading": reading, "thread": thread_id, "comment": comment_id, "by": request.user}
    if fields.get("withdrawn") is True:
        return Response(thread_data(withdraw_comment(**chosen), request.user))
    return Response(thread_data(edit_comment(text=fields.get("text"), **chosen), request.user))
