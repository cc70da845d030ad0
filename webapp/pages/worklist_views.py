"""The worklist of a campaign: found, sorted and counted by the database, one page at a time."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from webapp.audit.refusal import ActionRefused
from webapp.campaigns.models import Case
from webapp.campaigns.queries import campaign_for, current_protocol
from webapp.campaigns.rules import may_add_scans
from webapp.campaigns.wording import words_of_starts
from webapp.pages.models import SavedView
from webapp.pages.queries import first_slabs_of, next_case_for
from webapp.pages.view_actions import remove_view, save_view
from webapp.pages.worklist import lines_of
from webapp.pages.worklist_search import DUE, ORDERS_OF_STANDING, USUAL_ORDER, Place, Wish, counts_of, sites_of
from webapp.readings.assignment_actions import take_next_case

LINES_A_PAGE = 50
HEADINGS = (
    ("number", "Case", ""),
    ("pseudonym", "Pseudonym", ""),
    ("site", "Site", ""),
    ("stage", "Stage", ""),
    ("", "State", ""),
    ("", "AI draft", ""),
    ("", "Extent", "number"),
    ("due", "Due", ""),
    ("", "With", ""),
    ("added", "Age", "number"),
)


@dataclass(frozen=True)
class Heading:
    """A column's heading: sorted by it where it has an address."""

    title: str
    kind: str
    address: str
    sort: str


class Counted(Paginator):
    """Pages of a list whose length is known already."""

    def __init__(self, cases: Any, count: int) -> None:
        super().__init__(cases, LINES_A_PAGE)
        self._known = count

    @property
    def count(self) -> int:  # type: ignore[override]
        """How many cases there are."""
        return self._known


@require_GET
@never_cache
@login_required
def campaign(request: HttpRequest, slug: str) -> HttpResponse:
    """The worklist of a campaign."""
    place = Place(request.user, campaign_for(request.user, slug))
    wish = Wish.of(request.GET, place)
    all_of_them, counts = counts_of(place, wish)
    found = counts[wish.show] if wish.show else all_of_them
    cases = wish.ordered(wish.shown(wish.within(place.campaign.cases.all(), place)), place)
    page = Counted(cases, found).get_page(request.GET.get("page"))
    following, refusal = next_case_for(request.user, place.campaign), may_add_scans(place.campaign, request.user)
    return render(
        request,
        "pages/campaign.html",
        {
            "campaign": place.campaign,
            "place": place,
            "wish": wish,
            "page": page,
            "lines": lines_of(place, page.object_list, to_begin=wish.show == "ready"),
            "found": found,
            "previous": wish.address(page=page.previous_page_number()) if page.has_previous() else "",
            "following": wish.address(page=page.next_page_number()) if page.has_next() else "",
            "any_at_all": bool(all_of_them) or wish.narrows,
            "all": (all_of_them, wish.address(show="")),
            "chips": _chips(wish, counts),
            "menus": _menus(place, wish),
            "headings": _headings(place, wish),
            "views": SavedView.objects.filter(person_id=request.user.pk, campaign=place.campaign),
            "query": wish.address().removeprefix("?"),
            "others": [(f"Reader: {wish.reader}", wish.address(reader=""))] * bool(wish.reader)
            + [(f"Idle for {wish.idle_days} days and more", wish.address(idle=""))] * (wish.idle_days is not None)
            + [("Urgent", wish.address(urgent=""))] * wish.urgent,
            "next": following,
            "ahead": first_slabs_of(following),
            "ready": counts.get("ready", 0) if not wish.narrows_beside_state else None,
            "roles": sorted(place.roles),
            "signed_count": counts.get("signed", 0) + counts.get("done", 0),
            "add_refusal": refusal,
            "starts": "" if refusal else words_of_starts(current_protocol(place.campaign)),
        },
    )


def _chips(wish: Wish, counts: dict[str, int]) -> list[tuple[str, str, int, str]]:
    return [
        (chip.code, chip.word, counts[chip.code], wish.address(show=chip.code))
        for chip in wish.chips.values()
        if chip.always or counts[chip.code] or chip.code == wish.show
    ]


def _menus(place: Place, wish: Wish) -> list[dict[str, Any]]:
    """Menus of one choice each: title, what is chosen, the way back, options of (word, count, chosen, address)."""
    stages = [stage.name for stage in place.stages if place.sees_standing or stage.role in place.roles]
    choices: list[tuple[str, str, str, list[tuple[str, str, int | None]]]] = [
        ("stage", "Stage", wish.stage, [(name, name, None) for name in stages] if len(stages) > 1 else []),
        ("site", "Site", wish.site, [(s, "not known" if s == "-" else s, count) for s, count in sites_of(place)]),
        ("due", "Due", wish.due, [(code, word, None) for code, word in DUE.items()]),
    ]
    if place.sees_all:
        kinds = [(kind, kind, None) for kind in Case.KINDS]
        choices.append(("kind", "Kind", wish.kind, kinds))
    return [
        {
            "title": title,
            "chosen": dict((value, word) for value, word, _ in options).get(chosen, chosen),
            "without": wish.address(**{name: ""}),
            "options": [
                (word, count, value == chosen, wish.address(**{name: "" if value == chosen else value}))
                for value, word, count in options
            ],
        }
        for name, title, chosen, options in choices
        if options or chosen
    ]


def _headings(place: Place, wish: Wish) -> list[Heading]:
    now, descending = wish.order.removeprefix("-"), wish.order.startswith("-")
    headings = []
    for name, title, kind in HEADINGS:
        if name == "site" and place.hides_metadata:
            continue
        sortable = name and (place.sees_standing or name not in ORDERS_OF_STANDING)
        turned = name == now and not descending
        order = f"-{name}" if turned else name
        headings.append(
            Heading(
                title,
                kind,
                wish.address(order="" if order == USUAL_ORDER else order) if sortable else "",
                ("descending" if descending else "ascending") if name and name == now else "",
            )
        )
    return headings


@require_POST
@login_required
def take_next(request: HttpRequest, slug: str) -> HttpResponse:
    """Begin the next case that waits for whoever asks, and open it."""
    place = campaign_for(request.user, slug)
    try:
        reading = take_next_case(campaign=place, by=request.user)
    except ActionRefused as refused:
        messages.error(request, refused.sentence)
        return redirect("pages:campaign", slug=slug)
    return redirect("pages:viewer", reading_id=reading.pk)


@require_POST
@login_required
def keep_view(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep the worklist as it is shown under a name."""
    place = Place(request.user, campaign_for(request.user, slug))
    # Read and written anew: what is kept is a wish, whatever was sent.
    query = Wish.of(QueryDict(request.POST.get("query", "")[:2000]), place).address().removeprefix("?")
    try:
        save_view(campaign=place.campaign, name=request.POST.get("name", ""), query=query, by=request.user)
    except ActionRefused as refused:
        messages.error(request, refused.sentence)
    return redirect(f"{reverse('pages:campaign', args=[slug])}?{query}")


@require_POST
@login_required
def forget_view(request: HttpRequest, slug: str, view_id: uuid.UUID) -> HttpResponse:
    """Forget a view of one's own."""
    place = campaign_for(request.user, slug)
    view = SavedView.objects.filter(pk=view_id, person_id=request.user.pk, campaign=place).first()
    if view is None:
        raise Http404("No such view.")
    remove_view(view=view, by=request.user)
    return redirect("pages:campaign", slug=slug)
