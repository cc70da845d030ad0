"""Programs at the door: `Authorization: Bearer gg_...` in the API and in plain views. Never a token in a URL.

A token does what its person may do and no more: it sets `request.user`, and every rule asks that user. A request with
a token needs no CSRF token, since no browser sends the header by itself; one that stands on the session's cookie does.
"""

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request

from webapp.accounts.actions import TOO_MANY_TOKENS, TRIES_WITHIN, check_token
from webapp.accounts.models import AccessToken, User
from webapp.accounts.token_text import bearer_in
from webapp.audit.refusal import ActionRefused

CHALLENGE = 'Bearer realm="Groundglass"'
WAIT_S = int(TRIES_WITHIN.total_seconds())
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class AccessTokenAuthentication(BaseAuthentication):
    """The API's authentication by access token; the session's comes after it."""

    def authenticate(self, request: Request) -> tuple[User, AccessToken] | None:
        """The person behind a token and the token; None where the request carries none."""
        secret = bearer_in(request.headers.get("Authorization", ""))
        if secret is None:
            return None
        try:
            token = check_token(secret=secret)
        except ActionRefused as refused:
            if refused.code == TOO_MANY_TOKENS.code:
                raise Throttled(WAIT_S, refused.sentence) from refused
            raise AuthenticationFailed(refused.sentence, refused.code) from refused
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return CHALLENGE


def open_to_programs(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let a plain view be called with an access token as well as with a session; nobody else gets in (401, JSON)."""

    @csrf_exempt
    @functools.wraps(view)
    def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return answer_at_the_door(request) or view(request, *args, **kwargs)

    return run


def answer_at_the_door(request: HttpRequest) -> JsonResponse | None:
    """None where the person behind a request is known, as `request.user`; else the answer that sends it away.

    The view that asks this is `csrf_exempt`: CSRF is checked here, and only where the session's cookie speaks.
    """
    secret = bearer_in(request.headers.get("Authorization", ""))
    if secret is not None:
        try:
            token = check_token(secret=secret)
        except ActionRefused as refused:
            return _sent_away(refused)
        request.user, request.access_token = token.user, token  # type: ignore[attr-defined]
        return None
    if not request.user.is_authenticated:
        return _unknown("signed_out", "Sign in, or send an access token: Authorization: Bearer gg_...")
    if request.method not in SAFE_METHODS and (reason := _csrf_fault(request)):
        return JsonResponse(
            {"error": "csrf", "sentence": f"Send an access token or a CSRF token. {reason}"}, status=403
        )
    return None


def token_behind(request: HttpRequest) -> AccessToken | None:
    """The token that a request came in with, None where it stands on a session."""
    return getattr(request, "access_token", None)


def _sent_away(refused: ActionRefused) -> JsonResponse:
    if refused.code != TOO_MANY_TOKENS.code:
        return _unknown(refused.code, refused.sentence)
    answer = JsonResponse({"error": refused.code, "sentence": refused.sentence}, status=429)
    answer["Retry-After"] = str(WAIT_S)
    return answer


def _unknown(code: str, sentence: str) -> JsonResponse:
    answer = JsonResponse({"error": code, "sentence": sentence}, status=401)
    answer["WWW-Authenticate"] = CHALLENGE
    return answer


def _csrf_fault(request: HttpRequest) -> str | None:
    """Why a request with a session's cookie may not act; None where its CSRF token is right."""
    check = CSRFCheck(_goes_on)
    check.process_request(request)
    reason = check.process_view(request, _goes_on, (), {})
    return str(reason) if reason else None


def _goes_on(request: HttpRequest) -> HttpResponse:
    """What stands behind the check, which is only asked and never passed on."""
    return HttpResponse()
