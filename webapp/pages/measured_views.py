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
from webapp.campaigns.protocols import EMPTY, STARTS
from webapp.campaigns.queries import current_protocol, protocol_of, roles_of
from webapp.campaigns.rules import may_assign
from webapp.campaigns.wording_of_stages import STARTS_IN_WORDS, words_of_start
from webapp.pages.campaign_settings_views import overseen
from webapp.readings.measured_actions import AS_THE_STAGE, mark_case
from webapp.readings.measured_queries import known_choices, results_of, start_choices
from webapp.readings.queries import sees_all_readings
from webapp.readings.standing import measured_stage


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
    cases = campaign.cases.exclude(kind=Case.STUDY).select_related(
        "known_version__mask", "start_version__mask", "protocol", "campaign"
    )
    chosen = _case_asked(campaign, request.GET.get("case", ""))
    context = {
        "campaign": campaign,
        "here": "assignment",
        "protocol": protocol,
        "cases": [(case, _words_of_start(case)) for case in cases.order_by("kind", "number")],
        "results": results_of(campaign, protocol),
        "may_assign": may_assign(campaign, request.user) is None,
        "asked": request.GET.get("case", "")[:9],
        "chosen": chosen,
        "known": known_choices(chosen) if chosen else [],
        "stages": protocol.stage_list,
        "starts": start_choices(chosen) if chosen else [],
        "refusal": refusal,
    }
    return render(request, "pages/measured.html", context, status=status)


def _words_of_start(case: Case) -> str:
    """What everybody begins from whom a case measures."""
    if case.start_version:
        return case.start_version.mask.author_name
    stage = measured_stage(case, protocol_of(case))
    return words_of_start(stage) if stage.starts_from in STARTS else STARTS_IN_WORDS[EMPTY]


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
    stages, asked = current_protocol(campaign).stage_list, request.POST.get("stage", "")
    # The first stage is said by no name, so that it stays the first whatever it comes to be called.
    stage_name = "" if kind == Case.STUDY or asked == stages[0].name else asked
    prepared = {str(version.pk): version for version, _ in start_choices(case)}
    start = request.POST.get("start", AS_THE_STAGE)
    return mark_case(
        case=case,
        kind=kind,
        known_version=known,
        stage_name=stage_name,
        start=prepared.get(start, start),
        by=request.user,
    )
