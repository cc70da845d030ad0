"""The profile: who one is here, and the access tokens that let programs in as oneself."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from webapp.accounts.actions import create_token, revoke_token
from webapp.accounts.password_actions import set_email
from webapp.accounts.queries import tokens_of
from webapp.audit.refusal import ActionRefused
from webapp.campaigns.queries import campaigns_for
from webapp.pages.forms import OwnEmailForm, TokenForm


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """Who one is and one's access tokens; a POST makes one more.

    Its secret stands in that one answer: it is kept nowhere that could show it again, not even in the session.
    """
    form = TokenForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _page(request, form)
    try:
        token, secret = create_token(name=form.cleaned_data["name"], days=form.cleaned_data["days"], by=request.user)
    except ActionRefused as refused:
        return _page(request, form, refusal=refused.sentence)
    return _page(request, TokenForm(), made=token, secret=secret)


@require_POST
@login_required
def end_token(request: HttpRequest, token_id: uuid.UUID) -> HttpResponse:
    """Revoke an access token of one's own."""
    token = next((token for token in tokens_of(request.user) if token.pk == token_id), None)
    if token is None:
        raise Http404("No such token.")
    revoke_token(token=token, by=request.user)
    messages.success(request, f"The token {token.name} opens nothing any more.", "good")
    return redirect("pages:profile")


@sensitive_post_parameters("password")
@require_POST
@login_required
def email(request: HttpRequest) -> HttpResponse:
    """Say where one gets e-mail oneself."""
    form = OwnEmailForm(request.POST)
    if not form.is_valid():
        return _page(request, TokenForm(), email_form=form, status=400)
    try:
        set_email(user=request.user, by=request.user, **form.cleaned_data)
    except ActionRefused as refused:
        return _page(request, TokenForm(), email_form=form, email_refusal=refused.sentence, status=409)
    messages.success(request, "Your e-mail address is kept.", "good")
    return redirect("pages:profile")


def _page(request: HttpRequest, form: TokenForm, status: int = 200, **more: object) -> HttpResponse:
    context = {
        "form": form,
        "email_form": OwnEmailForm(initial={"email": request.user.email}),
        "tokens": tokens_of(request.user),
        "now": timezone.now(),
        "campaigns": campaigns_for(request.user),
        "site": request.build_absolute_uri("/").rstrip("/"),
        **more,
    }
    return render(request, "pages/profile.html", context, status=status)
