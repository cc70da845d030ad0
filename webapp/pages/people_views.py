"""The people of this installation, for administrators."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from webapp.accounts.actions import admit_person, set_campaign_right
from webapp.accounts.models import User
from webapp.accounts.password_actions import give_password, set_email
from webapp.accounts.queries import tokens_of
from webapp.accounts.rules import may_manage_people
from webapp.audit.refusal import ActionRefused, Refusal
from webapp.campaigns.models import Membership
from webapp.pages.forms import EmailForm, GivenPasswordForm
from webapp.pages.team_forms import AdmittedForm
from webapp.readings.account_actions import close_account, reopen_account
from webapp.readings.models import Reading


@sensitive_post_parameters("password", "again")
@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    """Every account, and a form that makes one. Not there for others than administrators."""
    _require_administrator(request)
    form = AdmittedForm(request.POST or None)
    refusal, status = "", 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                made = admit_person(**form.person, by=request.user)
            except ActionRefused as refused:
                refusal, status = refused.sentence, 409
            else:
                messages.success(request, f"{made} has an account: tell them their user name and password.", "good")
                return redirect("pages:people")
    found = User.objects.annotate(campaign_count=Count("memberships__campaign", distinct=True))
    context = {"people": found.order_by("display_name", "username"), "form": form, "refusal": refusal}
    return render(request, "pages/people.html", context, status=status)


@sensitive_post_parameters("new", "again")
@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def person(request: HttpRequest, person_id: uuid.UUID) -> HttpResponse:
    """One account: a new password, where e-mail goes, closed and opened again. For administrators."""
    _require_administrator(request)
    somebody = get_object_or_404(User, pk=person_id)
    do = request.POST.get("do", "") if request.method == "POST" else ""
    password = GivenPasswordForm(request.POST if do == "password" else None)
    email = EmailForm(request.POST if do == "email" else None, initial={"email": somebody.email})
    refusal, status = "", 200
    if request.method == "POST":
        status = 400
        try:
            sentence = _changed(request, somebody, do, password, email)
        except ActionRefused as refused:
            refusal, status = refused.sentence, 409
        else:
            if sentence:
                messages.success(request, sentence, "good")
                return redirect("pages:person", person_id)
    context = {
        "person": somebody,
        "password_form": password,
        "email_form": email,
        "memberships": Membership.objects.filter(user=somebody).select_related("campaign").order_by("campaign__name"),
        "tokens": len(tokens_of(somebody)),
        "open_readings": Reading.objects.filter(reader=somebody, state__in=Reading.OPEN_STATES).count(),
        "refusal": refusal,
    }
    return render(request, "pages/person.html", context, status=status)


def _changed(
    request: HttpRequest, somebody: User, do: str, password: GivenPasswordForm, email: EmailForm
) -> str | None:
    """Do what was asked for; the sentence that says so, None where fields say what is missing."""
    if do == "password" and password.is_valid():
        give_password(user=somebody, new=password.cleaned_data["new"], by=request.user)
        return f"{somebody} has a new password: tell it to them."
    if do == "email" and email.is_valid():
        set_email(user=somebody, email=email.cleaned_data["email"], by=request.user)
        return f"E-mail for {somebody} goes there from now on."
    if do == "reopen":
        reopen_account(user=somebody, by=request.user)
        return f"{somebody} may sign in again."
    if do == "close":
        if request.POST.get("confirm", "").strip() != somebody.username:
            sentence = f"Nothing was changed: type {somebody.username} to confirm."
            raise ActionRefused(Refusal("not_confirmed", sentence))
        close_account(user=somebody, by=request.user)
        return f"The account of {somebody} is closed."
    return None


@require_POST
@login_required
def campaign_right(request: HttpRequest, person_id: uuid.UUID) -> HttpResponse:
    """Say whether a person may make campaigns."""
    _require_administrator(request)
    person = get_object_or_404(User, pk=person_id)
    changed = set_campaign_right(user=person, allowed=request.POST.get("allowed") == "1", by=request.user)
    may = "may make campaigns now" if changed.may_create_campaigns else "may make no campaigns any more"
    messages.success(request, f"{changed} {may}.", "good")
    return redirect("pages:people")


def _require_administrator(request: HttpRequest) -> None:
    if may_manage_people(request.user) is not None:
        raise Http404("No such page.")
