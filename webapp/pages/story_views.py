"""The story of one case: everything that happened to it, in order, and whether its chain holds."""

from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from webapp.accounts.models import User
from webapp.audit.trail import SITE_CHAIN
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Case
from webapp.campaigns.queries import case_for
from webapp.pages.actions import download_events
from webapp.pages.audit_holding import Holding, holding_of
from webapp.pages.audit_lines import Line, Naming, lines_of
from webapp.pages.audit_sight import is_kept_blind, story_for
from webapp.pages.story_of_case import chapters_of
from webapp.pages.story_pdf import story_pdf

# A story is read, not searched: what is longer than this is told on the audit page.
MOST_EVENTS = 3000


LEFT_OUT = "What others do with their readings of this case is left out until you may know of it."


@dataclass(frozen=True)
class Story:
    """A case with the lines that a person may read, oldest first; `cut` where there are more."""

    case: Case
    lines: list[Line]
    cut: bool
    kept_blind: bool
    holdings: list[tuple[str, Holding]]


def _story(user: User, slug: str, number: int) -> Story:
    case = case_for(user, slug, number)
    events = list(story_for(user, case).order_by("at", "id")[: MOST_EVENTS + 1])
    kept_blind = is_kept_blind(user, case.campaign)
    lines = lines_of(events[:MOST_EVENTS], Naming(readers=not kept_blind))
    chains = (("The campaign's chain", chain_of(case.campaign)), ("The site's chain", SITE_CHAIN))
    holdings = [(name, holding_of(chain)) for name, chain in chains]
    return Story(case, lines, len(events) > MOST_EVENTS, kept_blind, holdings)


@require_GET
@never_cache
@login_required
def case_story(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Every event of a case, its scan, its readings and their masks that a person may know of, oldest first."""
    story = _story(request.user, slug, number)
    context = {"story": story, "chapters": chapters_of(story.lines), "left_out": LEFT_OUT}
    return render(request, "pages/case_story.html", {"case": story.case, "campaign": story.case.campaign, **context})


@require_GET
@never_cache
@login_required
def case_story_pdf(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """The same as a PDF."""
    story = _story(request.user, slug, number)
    case, chain = story.case, chain_of(story.case.campaign)
    note = LEFT_OUT if story.kept_blind else ""
    content = story_pdf(case, story.lines, story.holdings, note, str(request.user))
    asked = {"case": str(case.number)}
    download_events(chain=chain, subject=f"case:{case.pk}", kind="pdf", asked=asked, by=request.user)
    name = f"{case.campaign.slug}-case-{case.number}-story.pdf"
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type="application/pdf", headers=disposition)
