"""The audit trail as pages: of a campaign for its coordinators and auditors, of all for administrators; downloads."""

from pathlib import Path
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from webapp.accounts.models import User
from webapp.audit import standalone_verifier
from webapp.audit.models import ChainHead, Event
from webapp.audit.trail import SITE_CHAIN
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Campaign, Case
from webapp.pages import audit_files
from webapp.pages.actions import download_events
from webapp.pages.audit_holding import holding_of, holding_of_all
from webapp.pages.audit_lines import Naming, lines_of, subjects_of_case
from webapp.pages.audit_search import AuditSearch, page_of
from webapp.pages.audit_sight import (
    audited_campaign_for,
    events_of_campaign_for,
    events_of_site_for,
    is_kept_blind,
)
from webapp.pages.event_words import WORDS

MOST_PEOPLE = 500


@require_GET
@never_cache
@login_required
def campaign_audit(request: HttpRequest, slug: str) -> HttpResponse:
    """The chain of a campaign, searchable."""
    campaign = audited_campaign_for(request.user, slug)
    chain = chain_of(campaign)
    search = AuditSearch.of(request.GET, chain)
    events = search.within(events_of_campaign_for(request.user, campaign), _subjects(search, campaign))
    people = User.objects.filter(memberships__campaign=campaign).distinct().order_by("display_name")[:MOST_PEOPLE]
    return _page(
        request,
        search,
        events,
        {
            "campaign": campaign,
            "people": people,
            "holding": holding_of(chain),
            "kept_blind": is_kept_blind(request.user, campaign),
        },
    )


@require_GET
@never_cache
@login_required
def site_audit(request: HttpRequest) -> HttpResponse:
    """All chains, searchable, for administrators."""
    events = events_of_site_for(request.user)
    search = AuditSearch.of(request.GET)
    heads = ChainHead.objects.values_list("chain", flat=True)
    names = {chain_of(campaign): campaign.name for campaign in Campaign.objects.order_by("name")}
    chains = [(SITE_CHAIN, "site"), *((chain, name) for chain, name in names.items() if chain in set(heads))]
    return _page(
        request,
        search,
        search.within(events, None),
        {
            "people": User.objects.order_by("display_name")[:MOST_PEOPLE],
            "chains": chains,
            "holding": holding_of_all(),
        },
    )


def _subjects(search: AuditSearch, campaign: Campaign) -> list[str] | None:
    """What the case that was asked for is about; nothing of a case that is not there."""
    if search.case is None:
        return None
    case = Case.ever.select_related("scan").filter(campaign=campaign, number=search.case).first()
    return subjects_of_case(case) if case else []


def _page(request: HttpRequest, search: AuditSearch, events: QuerySet[Event], more: dict[str, Any]) -> HttpResponse:
    found = page_of(search, events)
    base = request.path
    context = {
        "search": search,
        "found": found,
        "lines": lines_of(found.events, Naming(search.in_chain, readers=not more.get("kept_blind", False))),
        "names": sorted(WORDS),
        "csv": f"{base}events.csv{search.address()}",
        "jsonl": f"{base}events.jsonl{search.address()}",
        "verifier": reverse("pages:audit_verifier"),
        **more,
    }
    return render(request, "pages/audit.html", context)


@require_GET
@never_cache
@login_required
def campaign_events(request: HttpRequest, slug: str, kind: str) -> HttpResponseBase:
    """What a search of a campaign's chain finds, oldest first, as CSV or JSON lines."""
    campaign = audited_campaign_for(request.user, slug)
    search = AuditSearch.of(request.GET, chain_of(campaign))
    events = search.within(events_of_campaign_for(request.user, campaign), _subjects(search, campaign))
    download_events(chain=chain_of(campaign), kind=kind, asked=search.asked, by=request.user)
    naming = Naming(readers=not is_kept_blind(request.user, campaign))
    return audit_files.answer(kind, f"{campaign.slug}-audit", events, search, naming)


@require_GET
@never_cache
@login_required
def site_events(request: HttpRequest, kind: str) -> HttpResponseBase:
    """What a search of all chains finds, oldest first, as CSV or JSON lines."""
    events = events_of_site_for(request.user)
    search = AuditSearch.of(request.GET)
    download_events(chain=SITE_CHAIN, kind=kind, asked=search.asked, by=request.user)
    return audit_files.answer(kind, "audit", search.within(events, None), search, Naming(one_campaign=False))


@require_GET
@login_required
def verifier(request: HttpRequest) -> HttpResponse:
    """The program that checks an export with Python alone."""
    source = Path(standalone_verifier.__file__).read_bytes()
    disposition = {"Content-Disposition": 'attachment; filename="verify_audit.py"'}
    return HttpResponse(source, content_type="text/x-python", headers=disposition)
