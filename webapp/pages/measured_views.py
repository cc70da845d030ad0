"""Cases that readers are measured by: marked here, and how each reader did, in order of time."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from webapp.audit.refusal import ActionRefused
from webapp.campaigns.models import Campaign, Case
from webapp.campaigns.queries import current_protocol, roles_of
from webapp.campaigns.rules import may_assign
from webapp.pages.campaign_settings_views import overseen
from webapp.readings.measured_actions import mark_case
from webapp.readings.measured_queries import known_choices, results_of
from webapp.readings.queries import sees_all_readings


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def measured(request: HttpRequest, slug: str) -> HttpResponse:
    """The qualification and sentinel cases with what is known of them, and every reader's results."""
    campaign = overseen(request, slug)
    if not sees_all_readings(roles_of(request.user, campaign), campaign):
        raise PermissionDenied("You read blinded in this campaign: you are measured yourself.")
    refusal, status = "", 200
    if request.method == "POST":
        try:
            case = _marked(request, campaign)
        except ActionRefused as refused:
            refusal, status = refused.sentence, 403 if refused.code == "not_coordinator" else 409
        else:
            messages.success(request, f"Case {case.number} is a {case.kind} case now.", "good")
            return redirect("pages:measured", slug)
    protocol = current_protocol(campaign)
    cases = campaign.cases.exclude(kind=Case.STUDY).select_related("known_version__mask", "scan__study__patient")
    chosen = _case_asked(campaign, request.GET.get("case", ""))
    context = {
        "campaign": campaign,
        "here": "assignment",
        "protocol": protocol,
        "cases": cases.order_by("kind", "number"),
        "results": results_of(campaign, protocol),
        "may_assign": may_assign(campaign, request.user) is None,
        "asked": request.GET.get("case", "")[:9],
        "chosen": chosen,
        "known": known_choices(chosen) if chosen else [],
        "refusal": refusal,
    }
    return render(request, "pages/measured.html", context, status=status)


def _case_asked(campaign: Campaign, text: str) -> Case | None:
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        return None
    return campaign.cases.filter(number=int(text)).select_related("campaign__label_set", "scan").first()


def _marked(request: HttpRequest, campaign: Campaign) -> Case:
    case = _case_asked(campaign, request.POST.get("case", ""))
    if case is None:
        if may := may_assign(campaign, request.user):
            raise ActionRefused(may)
        raise Http404("No such case.")
    versions = {str(version.pk): version for version, _ in known_choices(case)}
    kind = request.POST.get("kind", "")
    known = None if kind == Case.STUDY else versions.get(request.POST.get("known", ""))
    return mark_case(case=case, kind=kind, known_version=known, by=request.user)
