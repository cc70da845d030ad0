"""The scoring forms of a reading, for the viewer and for programs."""

import uuid

from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.readings.answering import record_answers
from webapp.readings.comments_api import ERRORS, fields_of
from webapp.readings.queries import reading_for
from webapp.readings.scoring import forms_data

OBJECT = OpenApiTypes.OBJECT


@extend_schema(methods=["GET"], responses={200: OBJECT, **ERRORS})
@extend_schema(methods=["POST"], request=OBJECT, responses={200: OBJECT, **ERRORS})
@api_view(["GET", "POST"])
def reading_forms(request: Request, reading_id: uuid.UUID) -> Response:
    """GET: the forms, what is answered, the sums.

    POST: answer, {answers: [{form, item, value}]}; a value of null takes an answer back.
    """
    reading = reading_for(request.user, reading_id)
    if request.method == "POST":
        record_answers(reading=reading, answers=fields_of(request).get("answers"), by=request.user)
    return Response(forms_data(reading))
