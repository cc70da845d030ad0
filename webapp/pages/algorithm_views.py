"""The algorithms of this site: a list, a page for each version, and which of them a campaign uses."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from webapp.algorithms.models import Algorithm, AlgorithmFile
from webapp.algorithms.rules import may_manage_algorithms
from webapp.algorithms.version_actions import register_version, retire_version
from webapp.archive import storage
from webapp.audit.refusal import ActionRefused
from webapp.campaigns.algorithm_actions import (
    disable_algorithm,
    enable_algorithm,
    mark_patient,
    unmark_patient,
    use_for_drafts,
)
from webapp.campaigns.queries import algorithm_for, algorithms_for, scan_named, scans_to_mark_for
from webapp.pages.algorithm_forms import VersionForm
from webapp.pages.algorithm_queries import algorithm_lines, version_page
from webapp.pages.campaign_settings_views import overseen
from webapp.pages.stored_pictures import stored_picture

CHOICES = {
    "enable": (enable_algorithm, "{} may be used in this campaign."),
    "disable": (disable_algorithm, "{} is not used in this campaign any more; what it made stays."),
    "use": (use_for_drafts, "{} makes the drafts from now on; readings that were begun stay as they are."),
}


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def algorithms(request: HttpRequest) -> HttpResponse:
    """Every version that this site knows; administrators register another. Not there for who coordinates nothing."""
    found = algorithms_for(request.user)
    refusal = may_manage_algorithms(request.user)
    form, sentence, status = VersionForm(), "", 200
    if request.method == "POST":
        if refusal:
            raise PermissionDenied(refusal.sentence)
        form, status = VersionForm(request.POST, request.FILES), 400
        if form.is_valid():
            try:
                made = register_version(submitted=form.submitted(), by=request.user)
            except ActionRefused as refused:
                sentence, status = refused.sentence, 409
            else:
                messages.success(request, f"{made} is registered. Coordinators enable it in their campaigns.", "good")
                return redirect("pages:algorithm", made.name, made.version)
    context = {"lines": algorithm_lines(found), "form": form, "may_manage": refusal is None, "refusal": sentence}
    return render(request, "pages/algorithms.html", context, status=status)


@require_GET
@never_cache
@login_required
def algorithm(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """The card of a version as a page."""
    found = algorithm_for(request.user, name, version)
    return render(request, "pages/algorithm.html", version_page(request.user, found))


@require_GET
@login_required
def picture(request: HttpRequest, name: str, version: str, sha256: str) -> HttpResponse:
    """One picture of a version's card."""
    found = algorithm_for(request.user, name, version)
    file = AlgorithmFile.objects.filter(algorithm=found, kind=AlgorithmFile.PICTURE, sha256=sha256).first()
    if file is None:
        raise Http404("No such picture.")
    return stored_picture(lambda: storage.read(file.path, file.sha256), "image/png")


@require_POST
@login_required
def retire(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Let a version begin no new runs any more. For administrators, who type its name."""
    found = algorithm_for(request.user, name, version)
    refusal = may_manage_algorithms(request.user)
    if refusal:
        raise PermissionDenied(refusal.sentence)
    if request.POST.get("confirm", "").strip() != f"{found.name} {found.version}":
        messages.error(request, f"Nothing was changed: type {found.name} {found.version} to confirm.")
    else:
        _do(
            request,
            f"{found} is retired: it begins no new runs.",
            lambda: retire_version(algorithm=found, reason=request.POST.get("reason", ""), by=request.user),
        )
    return redirect("pages:algorithm", found.name, found.version)


@require_POST
@login_required
def mark(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Say that a patient is in a version's training data, or take that back; the patient by a case or a scan."""
    found = algorithm_for(request.user, name, version)
    scan = scan_named(scans_to_mark_for(request.user), request.POST.get("scan", ""))
    if scan is None:
        messages.error(request, "Nothing was changed: there is no such case or scan in a campaign that you coordinate.")
        return redirect("pages:algorithm", found.name, found.version)
    patient, reason = scan.study.patient, request.POST.get("reason", "")
    action: Any = unmark_patient if request.POST.get("do") == "unmark" else mark_patient
    marked = f"is marked: {found} is validated on no scan of theirs"
    sentence = f"Patient {patient} {'is not marked any more' if action is unmark_patient else marked}."
    _do(request, sentence, lambda: action(algorithm=found, scan=scan, reason=reason, by=request.user))
    return redirect("pages:algorithm", found.name, found.version)


@require_POST
@login_required
def choose(request: HttpRequest, slug: str) -> HttpResponse:
    """Enable or disable a version in a campaign, or let it make the drafts."""
    campaign = overseen(request, slug)
    action, sentence = CHOICES.get(request.POST.get("do", ""), (None, ""))
    asked = request.POST.get("algorithm", "")
    is_number = asked.isascii() and asked.isdigit() and len(asked) < 18
    known = Algorithm.objects.filter(pk=int(asked)).first() if is_number else None
    if action is None or known is None:
        messages.error(request, "Nothing was changed: choose an algorithm.")
    else:
        _do(
            request,
            sentence.format(known),
            lambda: action(campaign=campaign, algorithm=known, by=request.user),
        )
    return redirect("pages:settings", slug)


def _do(request: HttpRequest, sentence: str, action: Any) -> None:
    try:
        action()
    except ActionRefused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, sentence, "good")
