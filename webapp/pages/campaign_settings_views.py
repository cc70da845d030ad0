"""The coordinator's room: a campaign is made, its protocol read and changed, closed, archived, taken elsewhere."""

import json
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from webapp.audit.refusal import ActionRefused
from webapp.campaigns.actions import STATEMENT, open_campaign, set_protocol
from webapp.campaigns.configurations import CONFIGURATION_BYTES, configuration_from, configuration_of, document_of
from webapp.campaigns.models import Campaign
from webapp.campaigns.protocols import PRESETS, Preset, Stage, Terms
from webapp.campaigns.queries import campaign_for, campaigns_for, current_protocol
from webapp.campaigns.rules import may_create_campaign, may_see_settings, may_set_protocol
from webapp.campaigns.standing_actions import archive_campaign, close_campaign, reopen_campaign, unarchive_campaign
from webapp.campaigns.wording import changes_of_version, facts_of_protocol
from webapp.campaigns.wording_of_stages import words_of_stage
from webapp.pages.campaign_forms import COLOURS, CampaignForm, ImportForm, LabelFormSet, ProtocolForms

OWN = Preset("Own sequence of stages", "Stages, readers and what each begins from as you say.",
             [Stage("review", "radiologist")], Terms())  # fmt: skip
CHOICES = {**PRESETS, "own": OWN}
CHANGES = {
    "close": (close_campaign, "The campaign is closed: nothing more is read in it."),
    "reopen": (reopen_campaign, "The campaign is open again."),
    "archive": (archive_campaign, "The campaign is archived: it left the lists."),
    "unarchive": (unarchive_campaign, "The campaign is back in the lists."),
}


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def new_campaign(request: HttpRequest) -> HttpResponse:
    """First the workflow to begin from is chosen, then everything stands on one page, filled in by it."""
    refusal = may_create_campaign(request.user)
    if refusal:
        raise PermissionDenied(refusal.sentence)
    begun = _begun_from(request)
    if begun is None:
        cards = [(code, one, [(s.name, words_of_stage(s)) for s in one.stages]) for code, one in CHOICES.items()]
        mine = [one for one in campaigns_for(request.user) if may_set_protocol(one, request.user) is None]
        return render(request, "pages/new_campaign.html", {"cards": cards, "mine": mine})
    return _wizard(request, *begun)


Begun = tuple[list[Stage], Terms, str, dict[str, Any], str]


def _begun_from(request: HttpRequest) -> Begun | None:
    """What the address says to begin from: a preset, or a campaign that the person coordinates; None for neither."""
    slug, code = request.GET.get("from", ""), request.GET.get("preset", "")
    if slug:
        source = campaign_for(request.user, slug)
        _require_coordinator(request, source)
        now = configuration_of(source, current_protocol(source))
        algorithm = now.draft_algorithm.pk if now.draft_algorithm else ""
        initial = {"labels": str(source.label_set_id), "algorithm": algorithm, "guideline": now.guideline}
        return now.stages, now.terms, now.statement, initial, f"As {source}"
    if code not in CHOICES:
        return None
    preset = CHOICES[code]
    return preset.stages, preset.terms, STATEMENT, {}, preset.title


def _wizard(
    request: HttpRequest, stages: list[Stage], terms: Terms, statement: str, initial: dict[str, Any], title: str
) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    blank = CampaignForm()
    if not initial.get("algorithm") and blank.algorithms and "labels" not in initial:
        initial = {**initial, "algorithm": next(iter(blank.algorithms))}
    form = CampaignForm(data, initial=initial)
    rows = [{"colour": colour} for colour in COLOURS] if data is None else None
    labels: Any = LabelFormSet(data, initial=rows, prefix="label")
    protocol = ProtocolForms(stages, terms, statement, data)
    refusal, status = "", 200
    if data is not None:
        refusal, status = "Nothing was made: some fields below say what is missing.", 400
        if all([form.is_valid(), labels.is_valid(), protocol.is_valid()]):
            try:
                configuration = form.configuration(labels.rows, protocol)
                slug, name = form.cleaned_data["slug"].strip(), form.cleaned_data["name"]
                made = open_campaign(slug=slug, name=name, configuration=configuration, by=request.user)
            except ActionRefused as refused:
                refusal, status = refused.sentence, 409
            else:
                messages.success(
                    request, f"{made} is made, and you coordinate it. Next: its team and its scans.", "good"
                )
                return redirect("pages:settings", made.slug)
    context = {"form": form, "labels": labels, "protocol": protocol, "refusal": refusal, "title": title}
    return render(request, "pages/campaign_wizard.html", context, status=status)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def import_campaign(request: HttpRequest) -> HttpResponse:
    """A campaign by the configuration that another one, here or elsewhere, exported."""
    refusal = may_create_campaign(request.user)
    if refusal:
        raise PermissionDenied(refusal.sentence)
    form = ImportForm(request.POST or None, request.FILES or None)
    sentence, status = "", 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            given = form.cleaned_data
            try:
                configuration = configuration_from(given["file"].read(CONFIGURATION_BYTES + 1))
                made = open_campaign(
                    slug=given["slug"].strip(), name=given["name"], configuration=configuration, by=request.user
                )
            except ActionRefused as refused:
                sentence, status = refused.sentence, 409
            else:
                messages.success(request, f"{made} is made by that configuration, and you coordinate it.", "good")
                return redirect("pages:settings", made.slug)
    return render(request, "pages/import_campaign.html", {"form": form, "refusal": sentence}, status=status)


@require_GET
@never_cache
@login_required
def settings(request: HttpRequest, slug: str) -> HttpResponse:
    """The present protocol in words, its versions with what changed, and what can be done with the campaign."""
    campaign = overseen(request, slug)
    versions = list(campaign.protocols.order_by("version"))
    told = [
        {"protocol": after, "changes": changes_of_version(before, after) if before else []}
        for before, after in zip([None, *versions[:-1]], versions, strict=True)
    ]
    return render(
        request,
        "pages/settings.html",
        {
            "campaign": campaign,
            "here": "settings",
            "protocol": versions[-1],
            "facts": facts_of_protocol(versions[-1]),
            "versions": told[::-1],
            "may_set": may_set_protocol(campaign, request.user) is None,
            "may_create": may_create_campaign(request.user) is None,
        },
    )


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def protocol(request: HttpRequest, slug: str) -> HttpResponse:
    """The protocol as a form; saving makes its next version."""
    campaign = overseen(request, slug)
    _require_coordinator(request, campaign)
    now = current_protocol(campaign)
    data = request.POST if request.method == "POST" else None
    forms = ProtocolForms(now.stage_list, now.said, now.statement, data, campaign)
    known = data.get("known_version", "") if data is not None else str(now.version)
    note, refusal, status = request.POST.get("note", ""), "", 200
    if data is not None:
        refusal, status = "Nothing was saved: some fields below say what is missing.", 400
        if forms.is_valid() and known.isascii() and known.isdigit() and len(known) < 9:
            stages, terms, statement = forms.said
            try:
                made = set_protocol(
                    campaign=campaign,
                    stages=stages,
                    terms=terms,
                    statement=statement,
                    note=note,
                    known_version=int(known),
                    by=request.user,
                )
            except ActionRefused as refused:
                refusal, status = refused.sentence, 409
            else:
                messages.success(request, f"Version {made.version} holds for what is begun from now on.", "good")
                return redirect("pages:settings", slug)
    context = {
        "campaign": campaign,
        "here": "settings",
        "protocol": forms,
        "known_version": known,
        "note": note,
        "refusal": refusal,
    }
    return render(request, "pages/protocol.html", context, status=status)


@require_POST
@login_required
def change_standing(request: HttpRequest, slug: str) -> HttpResponse:
    """Close, reopen, archive or take out of the archive; closing and archiving want the campaign's name typed."""
    campaign = overseen(request, slug)
    action, sentence = CHANGES.get(request.POST.get("do", ""), (None, ""))
    typed, reason = request.POST.get("confirm", "").strip(), request.POST.get("reason", "")
    if action is None or (action in (close_campaign, archive_campaign) and typed != campaign.slug):
        messages.error(request, f"Nothing was changed: type {campaign.slug} to confirm.")
        return redirect("pages:settings", slug)
    try:
        action(campaign=campaign, reason=reason, by=request.user)
    except ActionRefused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, sentence, "good")
    return redirect("pages:settings", slug)


@require_GET
@never_cache
@login_required
def export(request: HttpRequest, slug: str) -> HttpResponse:
    """The configuration as a file: no people, no cases."""
    campaign = overseen(request, slug)
    document = document_of(configuration_of(campaign, current_protocol(campaign)))
    response = HttpResponse(json.dumps(document, indent=2) + "\n", content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{campaign.slug}-configuration.json"'
    return response


def overseen(request: HttpRequest, slug: str) -> Campaign:
    """The campaign, for coordinators and auditors of it: a reader who knew the draw or the rules could game them."""
    campaign = campaign_for(request.user, slug)
    refusal = may_see_settings(campaign, request.user)
    if refusal:
        raise PermissionDenied(refusal.sentence)
    return campaign


def _require_coordinator(request: HttpRequest, campaign: Campaign) -> None:
    refusal = may_set_protocol(campaign, request.user)
    if refusal:
        raise PermissionDenied(refusal.sentence)
