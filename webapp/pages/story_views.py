"""The story of one case: everything that happened to it, in order, and whether its chain holds."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from webapp.audit.trail import SITE_CHAIN
from webapp.campaigns.actions import chain_of
from webapp.campaigns.queries import case_for
from webapp.pages.audit_holding import holding_of
from webapp.pages.audit_lines import Naming, lines_of
from webapp.pages.audit_sight import is_kept_blind, story_for
from webapp.pages.story_of_case import chapters_of

# A story is read, not searched: what is longer than this is told on the audit page.
MOST_EVENTS = 3000


@require_GET
@never_cache
@login_required
def case_story(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Every event of a case, its scan, its readings and their masks that a person may know of, oldest first."""
    case = case_for(request.user, slug, number)
    events = list(story_for(request.user, case).order_by("at", "id")[: MOST_EVENTS + 1])
    kept_blind = is_kept_blind(request.user, case.campaign)
    lines = lines_of(events[:MOST_EVENTS], Naming(readers=not kept_blind))
    return render(
        request,
        "pages/case_story.html",
        {
            "case": case,
            "campaign": case.campaign,
            "chapters": chapters_of(lines),
            "event_count": len(lines),
            "cut": len(events) > MOST_EVENTS,
            "kept_blind": kept_blind,
            "holdings": [
                ("The campaign's chain", holding_of(chain_of(case.campaign))),
                ("The site's chain", holding_of(SITE_CHAIN)),
            ],
        },
    )
