"""What a protocol does to cases: what a threshold would send on, and what was read under an older version."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from webapp.audit.refusal import ActionRefused
from webapp.campaigns.models import Campaign, Case
from webapp.campaigns.protocols import Acceptance
from webapp.campaigns.queries import current_protocol, roles_of
from webapp.campaigns.rules import may_assign
from webapp.pages.campaign_settings_views import overseen
from webapp.readings.assignment_actions import read_cases_again
from webapp.readings.queries import sees_all_readings
from webapp.readings.thresholds import comparisons_of, curve_of, disputed_by

LINES_A_PAGE = 200


@require_GET
@never_cache
@login_required
def acceptance(request: HttpRequest, slug: str) -> HttpResponse:
    """What a rule of acceptance would send to adjudication, from the comparisons so far."""
    campaign = overseen(request, slug)
    if not sees_all_readings(roles_of(request.user, campaign), campaign):
        raise PermissionDenied("You read blinded in this campaign: its comparisons would unblind you.")
    rule = _rule_asked(request, current_protocol(campaign).said.acceptance or Acceptance())
    comparisons = comparisons_of(campaign)
    context = {
        "campaign": campaign,
        "here": "settings",
        "rule": rule,
        "compared": len(comparisons),
        "disputed": disputed_by(rule, comparisons),
        "curve": curve_of(rule, comparisons),
    }
    return render(request, "pages/acceptance.html", context)


def _rule_asked(request: HttpRequest, now: Acceptance) -> Acceptance:
    """The rule that the address asks about; what it says wrongly is as the protocol has it."""
    if "asked" not in request.GET:
        return now
    dice = _number(request.GET.get("dice", ""), 1.0, now.dice_at_least)
    extent = _number(request.GET.get("extent", ""), 100.0, now.extent_difference_at_most)
    return Acceptance(dice, extent, request.GET.get("verdicts") == "1", now.takes)


def _number(text: str, most: float, otherwise: float) -> float:
    try:
        value = float(text)
    except ValueError:
        return otherwise
    return value if 0 <= value <= most else otherwise


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def older_protocol(request: HttpRequest, slug: str) -> HttpResponse:
    """Cases that were begun under an older version; a coordinator has them read again."""
    campaign = overseen(request, slug)
    cases = _older_cases(campaign)
    refusal, status = "", 200
    if request.method == "POST":
        chosen = cases if request.POST.get("all") == "1" else cases.filter(number__in=numbers_in(request))
        try:
            reason = request.POST.get("reason", "").replace("\0", "")
            count = read_cases_again(campaign=campaign, cases=list(chosen), reason=reason, by=request.user)
        except ActionRefused as refused:
            refusal, status = refused.sentence, 409
        else:
            messages.success(request, f"{count} case{'' if count == 1 else 's'} will be read again.", "good")
            return redirect("pages:older_protocol", slug)
    context = {
        "campaign": campaign,
        "here": "settings",
        "version": current_protocol(campaign).version,
        "lines": Paginator(cases, LINES_A_PAGE).get_page(request.GET.get("page")),
        "may_assign": may_assign(campaign, request.user) is None,
        "refusal": refusal,
    }
    return render(request, "pages/older_protocol.html", context, status=status)


def _older_cases(campaign: Campaign) -> Any:
    now = current_protocol(campaign)
    cases = Case.objects.filter(campaign=campaign).exclude(protocol=None).exclude(protocol=now)
    return cases.select_related("protocol").order_by("number")


def numbers_in(request: HttpRequest, name: str = "case") -> list[int]:
    """The case numbers that a form sent; what is no number is left out."""
    return [int(text) for text in request.POST.getlist(name) if text.isascii() and text.isdigit() and len(text) < 9]
