"""Signing in again from inside the viewer, so that nothing on the screen is lost."""

from django.middleware.csrf import get_token
from django.views.decorators.csrf import ensure_csrf_cookie
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.decorators import api_view, authentication_classes, parser_classes, permission_classes
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.accounts.actions import keep_viewer_preferences, sign_in
from webapp.accounts.queries import viewer_preferences_of
from webapp.audit.refusal import ActionRefused
from webapp.edge.json_bodies import BoundedJSONParser


@extend_schema(request=OpenApiTypes.OBJECT, responses={200: OpenApiTypes.OBJECT, 403: OpenApiTypes.OBJECT})
@api_view(["POST"])
@authentication_classes([])
@permission_classes([AllowAny])
# JSON alone: another site's form cannot send it, so nobody is signed in as somebody else behind their back.
@parser_classes([BoundedJSONParser])
@ensure_csrf_cookie
def sign_in_again(request: Request) -> Response:
    """Begin a session: {username, password} to {name, csrf}. 403 when they do not belong together."""
    data = request.data if isinstance(request.data, dict) else {}
    try:
        user = sign_in(
            request=request._request,
            username=str(data.get("username", "")),
            password=str(data.get("password", "")),
        )
    except ActionRefused as refused:
        return Response({"error": refused.code, "sentence": refused.sentence}, status=403)
    return Response({"name": str(user), "id": str(user.pk), "csrf": get_token(request._request)})


@extend_schema(methods=["GET"], responses={200: OpenApiTypes.OBJECT, 401: OpenApiTypes.OBJECT})
@extend_schema(
    methods=["PUT"],
    request=OpenApiTypes.OBJECT,
    responses={200: OpenApiTypes.OBJECT, 401: OpenApiTypes.OBJECT, 409: OpenApiTypes.OBJECT},
)
@api_view(["GET", "PUT"])
def viewer_preferences(request: Request) -> Response:
    """How you have set the viewer; PUT keeps a new whole."""
    if request.method == "PUT":
        keep_viewer_preferences(preferences=request.data, by=request.user)
    return Response(viewer_preferences_of(request.user))
