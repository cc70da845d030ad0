"""How refusals reach programs: JSON with a code and the sentence that people read."""

from typing import Any, TypeVar

from django.http.response import HttpResponseBase
from rest_framework.exceptions import APIException, NotAuthenticated
from rest_framework.response import Response
from rest_framework.views import exception_handler

from webapp.audit.refusal import ActionRefused, Refusal

A = TypeVar("A", bound=HttpResponseBase)


def refused_with(answer: A, refusal: ActionRefused | Refusal) -> A:
    """An answer that says no, with the rule's no attached: whoever passes it on writes it into the trail."""
    answer.refusal = refusal  # type: ignore[attr-defined]
    return answer


def answer_to(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn a refused action into 409 and every other expected error into {error, sentence}."""
    if isinstance(error, ActionRefused):
        return refused_with(
            Response({"error": error.code, "sentence": error.sentence, **error.about}, status=409), error
        )
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, NotAuthenticated):
        return Response({"error": "signed_out", "sentence": "Sign in to go on."}, status=401)
    code = str(error.get_codes()) if isinstance(error, APIException) else "not_found"
    detail = response.data.get("detail", "") if isinstance(response.data, dict) else str(response.data)
    if str(detail).startswith("CSRF Failed"):
        # Signing in, perhaps in another tab, changes the token: whoever sends an old one only has to send the new one.
        code, detail = "csrf", "This page sent an old token: send it again with the one in the cookie."
    response.data = {"error": code, "sentence": str(detail)}
    return response
