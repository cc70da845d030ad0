"""Who reads what: the list of a campaign's cases with who holds them, and what a coordinator does with many of them."""

import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.campaigns.draft_actions import request_drafts
from webapp.campaigns.draft_queries import algorithm_named, algorithms_to_ask
from webapp.campaigns.models import Campaign, Case
from webapp.campaigns.queries import roles_of
from webapp.campaigns.rules import may_assign
from webapp.pages.assignment_forms import FORMS, DoForm
from webapp.pages.campaign_settings_views import overseen
from webapp.pages.protocol_views import numbers_in
from webapp.readings.assigning_queries import CaseFilter, cases_to_assign, choices_of, holders_of, loads_of
from webapp.readings.assignment_actions import readmit_cases, schedule_cases
from webapp.readings.bulk_actions import (
    MOST_CASES,
    assign_at_random,
    assign_cases,
    draw_repeats,
    exclude_cases,
    move_readings,
)
from webapp.readings.drafts import key_of
from webapp.readings.queries import sees_all_readings

LINES_A_PAGE = 100


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def assignment(request: HttpRequest, slug: str) -> HttpResponse:
    """The cases, filtered, with who holds them; POST does one thing with the chosen ones, or with all found."""
    campaign = overseen(request, slug)
    if not sees_all_readings(roles_of(request.user, campaign), campaign):
        raise PermissionDenied("You read blinded in this campaign: who holds which case would unblind you.")
    asked = CaseFilter.of(request.GET.dict())
    loads = loads_of(campaign)
    readers = [load.user for load in loads]
    do = request.POST.get("do", "") if request.method == "POST" else ""
    said: dict[str, Any] = {"readers": readers, "initial": _initial()}
    said["algorithms"] = [(key_of(one), str(one)) for one in algorithms_to_ask(campaign)]
    forms = {name: form(request.POST if name == do else None, prefix=name, **said)
             for name, (_, _, form) in FORMS.items() if name != "draft" or said["algorithms"]}  # fmt: skip
    refusal, status = "", 200
    if request.method == "POST":
        try:
            done = _done(request, campaign, asked, do, forms.get(do))
            messages.success(request, done, "good")
            return redirect(_address(slug, asked))
        except ActionRefused as refused:
            refusal, status = refused.sentence, 403 if refused.code == "not_coordinator" else 409
    page = Paginator(cases_to_assign(campaign, asked), LINES_A_PAGE).get_page(request.GET.get("page"))
    cases = list(page)
    holders = holders_of(cases)
    context = {
        "campaign": campaign,
        "here": "assignment",
        "asked": asked,
        "page": page,
        "lines": [(case, holders[case.pk]) for case in cases],
        "choices": choices_of(campaign),
        "loads": loads,
        "forms": [(name, FORMS[name][0], FORMS[name][1], form, name == do) for name, form in forms.items()],
        "may_assign": may_assign(campaign, request.user) is None,
        "query": urlencode(asked.query),
        "refusal": refusal,
    }
    return render(request, "pages/assignment.html", context, status=status)


def _initial() -> dict[str, int]:
    """A seed that nobody chose; it is shown, and recorded."""
    return {"seed": secrets.randbelow(1_000_000)}


def _address(slug: str, asked: CaseFilter) -> str:
    query = urlencode(asked.query)
    return reverse("pages:assignment", args=[slug]) + (f"?{query}" if query else "")


def _done(request: HttpRequest, campaign: Campaign, asked: CaseFilter, do: str, form: DoForm | None) -> str:
    """Do what a form says with the cases that were chosen; what was done, in a sentence."""
    require(may_assign(campaign, request.user))
    if form is None or not form.is_valid():
        faults = (
            []
            if form is None
            else [f"{form.fields[k].label}: {v[0]}" for k, v in form.errors.items() if k in form.fields]
        )
        raise ActionRefused(Refusal("malformed", f"Nothing was changed. {' '.join(faults) or 'Choose what to do.'}"))
    numbers = _chosen(request, campaign, asked) if do != "repeat" else []
    return DOINGS[do](request, campaign, numbers, form)


def _chosen(request: HttpRequest, campaign: Campaign, asked: CaseFilter) -> list[int]:
    if request.POST.get("all") != "1":
        return numbers_in(request)
    return list(cases_to_assign(campaign, asked).values_list("number", flat=True)[: MOST_CASES + 1])


def _assign(request: HttpRequest, campaign: Campaign, numbers: list[int], form: Any) -> str:
    said, reader = form.cleaned_data, form.people[form.cleaned_data["reader"]]
    count = assign_cases(campaign=campaign, numbers=numbers, reader=reader, due_on=said["due_on"], by=request.user)
    return f"{_counted(count)} given to {reader}.{_rest(count, numbers)}"


def _deal(request: HttpRequest, campaign: Campaign, numbers: list[int], form: Any) -> str:
    said = form.cleaned_data
    people = [form.people[name] for name in said["readers"]]
    count = assign_at_random(
        campaign=campaign, numbers=numbers, readers=people, seed=said["seed"], due_on=said["due_on"], by=request.user
    )
    return f"{count} reading{'' if count == 1 else 's'} dealt out to {len(people)} with seed {said['seed']}."


def _move(request: HttpRequest, campaign: Campaign, numbers: list[int], form: Any) -> str:
    said = form.cleaned_data
    source, target = form.people[said["source"]], form.people.get(said["target"])
    taken, given = move_readings(
        campaign=campaign, numbers=numbers, source=source, target=target, reason=said["reason"], by=request.user
    )
    return f"{taken} taken from {source}" + (f", {given} given to {target}." if target else ".")


def _schedule(request: HttpRequest, campaign: Campaign, numbers: list[int], form: Any) -> str:
    said = form.cleaned_data
    cases = list(Case.objects.filter(campaign=campaign, number__in=numbers[:MOST_CASES]))
    count = schedule_cases(
        campaign=campaign, cases=cases, priority=said["priority"], due_on=said["due_on"], by=request.user
    )
    return f"{_counted(count)} scheduled."


def _draft(request: HttpRequest, campaign: Campaign, numbers: list[int], form: Any) -> str:
    name, _, version = form.cleaned_data["algorithm"].partition("@")
    algorithm = algorithm_named(campaign, name, version)
    return request_drafts(campaign=campaign, numbers=numbers, algorithm=algorithm, by=request.user).words


def _exclude(request: HttpRequest, campaign: Campaign, numbers: list[int], form: Any) -> str:
    reason = form.cleaned_data["reason"]
    return f"{_counted(exclude_cases(campaign=campaign, numbers=numbers, reason=reason, by=request.user))} excluded."


def _readmit(request: HttpRequest, campaign: Campaign, numbers: list[int], form: Any) -> str:
    cases = list(Case.objects.filter(campaign=campaign, number__in=numbers))
    count = readmit_cases(campaign=campaign, cases=cases, reason=form.cleaned_data["reason"], by=request.user)
    return f"{_counted(count)} readmitted."


def _repeat(request: HttpRequest, campaign: Campaign, numbers: list[int], form: Any) -> str:
    said = form.cleaned_data
    count = draw_repeats(campaign=campaign, by=request.user, **said)
    return f"{count} reading{'' if count == 1 else 's'} will be repeated, drawn with seed {said['seed']}."


DOINGS: dict[str, Callable[[HttpRequest, Campaign, list[int], Any], str]] = {
    "assign": _assign,
    "deal": _deal,
    "move": _move,
    "schedule": _schedule,
    "draft": _draft,
    "exclude": _exclude,
    "readmit": _readmit,
    "repeat": _repeat,
}


def _counted(count: int) -> str:
    return f"{count:,} case{'' if count == 1 else 's'}"


def _rest(count: int, numbers: list[int]) -> str:
    left = len(numbers) - count
    return f" {left} had no place for them at the stage where they stand." if left else ""
