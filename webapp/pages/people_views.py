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
from webapp.accounts.rules import may_manage_people
from webapp.audit.refusal import ActionRefused
from webapp.pages.team_forms import AdmittedForm


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
