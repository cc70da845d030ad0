"""Flags of a campaign's cases: a list, and the coordinator's decision on those that propose an exclusion."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from webapp.audit.refusal import ActionRefused, Refusal
from webapp.campaigns.queries import campaign_for, case_for
from webapp.campaigns.rules import may_assign
from webapp.readings.flagging_actions import exclude_flagged_case, keep_flagged_case
from webapp.readings.flags import flag_for, flags_for


@require_GET
@never_cache
@login_required
def flags(request: HttpRequest, slug: str) -> HttpResponse:
    """The flags that this person may see: first those that wait for a decision, then all by case."""
    campaign = campaign_for(request.user, slug)
    found = flags_for(request.user, campaign)
    return render(
        request,
        "pages/flags.html",
        {
            "campaign": campaign,
            "waiting": [one for one in found if one.waits],
            "flags": [one for one in found if not one.waits],
            "decide_refusal": may_assign(campaign, request.user),
        },
    )


@require_POST
@login_required
def decide(request: HttpRequest, slug: str, number: int, flag_id: int) -> HttpResponse:
    """Exclude a flagged case with a reason, or keep it."""
    case = case_for(request.user, slug, number)
    flag_for(request.user, case, flag_id)
    acts = {"exclude": exclude_flagged_case, "keep": keep_flagged_case}
    act = acts.get(request.POST.get("do", ""))
    try:
        if act is None:
            raise ActionRefused(Refusal("malformed", "Nothing was decided: choose to exclude the case or to keep it."))
        decision = act(case=case, flag=flag_id, reason=request.POST.get("reason", ""), by=request.user)
    except ActionRefused as refused:
        messages.error(request, refused.sentence)
    else:
        words = "has left the campaign" if decision.excluded else "stays in the campaign"
        messages.success(request, f"Case {number} {words}.", "good")
    if request.POST.get("back") == "list":
        return redirect("pages:flags", slug=slug)
    return redirect("pages:case", slug=slug, number=number)
