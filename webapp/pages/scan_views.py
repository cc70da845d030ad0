"""Pages of scans and patients: the searchable list, one scan, one patient, and the pictures on them."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from webapp.accounts.models import User
from webapp.archive.models import SITE_LENGTH, Picture, Scan
from webapp.archive.pictures import CONTENT_TYPE
from webapp.archive.queries import picture_bytes, pictures_of
from webapp.archive.remarks import remarks_of, short_of
from webapp.audit.answers import refused_with
from webapp.audit.refusal import ActionRefused
from webapp.campaigns.actions import name_site, set_default_site
from webapp.campaigns.metadata import campaigns_hiding_from, listed_scans_for, shown_to
from webapp.campaigns.models import Campaign
from webapp.campaigns.queries import (
    campaign_for,
    campaigns_for,
    deleted_scan_for,
    patient_for,
    scan_for,
    scans_coordinated_by,
)
from webapp.campaigns.rules import MOST_SCANS_NAMED, may_name_site
from webapp.campaigns.scan_actions import add_scans
from webapp.campaigns.scan_lists import MOST_SCANS_ADDED, scans_named
from webapp.pages.actions import view_patient, view_scan_page
from webapp.pages.forms import DeletionForm
from webapp.pages.patient_story import neighbours_of, patient_story_for, places_of
from webapp.pages.scan_facts import facts_of, files_of_scan, imports_of_places, loss_of, sees_losses
from webapp.pages.scan_search import Search
from webapp.pages.stored_pictures import stored_picture
from webapp.releases.actions import delete_scan
from webapp.releases.rules import may_delete_scan

LINES_A_PAGE = 50
TYPED = "scans typed and refused"
HEADINGS = (
    ("pseudonym", "Pseudonym", ""),
    ("site", "Site", ""),
    ("scanner", "Scanner", ""),
    ("kernel", "Kernel", ""),
    ("thickness", "Thickness", "number"),
    ("slices", "Slices", "number"),
    ("kvp", "kVp", "number"),
    ("age", "Age", "number"),
    ("sex", "Sex", ""),
    ("date", "Date", "number"),
)


@require_GET
@never_cache
@login_required
def scans(request: HttpRequest) -> HttpResponse:
    """The scans that a person may see, searched, filtered and sorted."""
    search = _search(request)
    allowed = listed_scans_for(request.user)
    total, menus = search.count(allowed)
    paginator = Paginator(search.ordered(search.within(allowed)), LINES_A_PAGE)
    paginator.count = total  # known already: it is not counted twice
    page = paginator.get_page(request.GET.get("page"))
    lines = [(scan, [short_of(code) for code in scan.remark_codes]) for scan in page]
    coordinates = _coordinates(request.user)
    return render(
        request,
        "pages/scans.html",
        {
            "search": search,
            "menus": menus,
            "lines": lines,
            "page": page,
            "headings": [_heading(search, *heading) for heading in HEADINGS],
            "any_at_all": bool(lines) or not search.narrows or allowed.exists(),
            "coordinates": bool(coordinates),
            "places": [place for place in coordinates if place.closed_at is None],
            "typed": request.session.pop(TYPED, None),
            "most_added": f"{MOST_SCANS_ADDED:,}",
            "hiding": campaigns_hiding_from(request.user),
            "site_length": SITE_LENGTH,
            "previous": search.address(page=page.previous_page_number()) if page.has_previous() else "",
            "following": search.address(page=page.next_page_number()) if page.has_next() else "",
        },
    )


@require_POST
@login_required
def name_sites(request: HttpRequest) -> HttpResponse:
    """Name the site of every scan that the search in the address finds, of those that the person may name it for."""
    search = _search(request)
    chosen = search.within(scans_coordinated_by(request.user)).order_by("pk")[: MOST_SCANS_NAMED + 1]
    try:
        changed = name_site(scans=list(chosen), site=request.POST.get("site", ""), by=request.user)
    except ActionRefused as refused:
        messages.error(request, refused.sentence)
    else:
        noun = "scan has" if changed == 1 else "scans have"
        messages.success(request, f"{changed} {noun} another site now.", "good")
    return redirect(reverse("pages:scans") + search.address())


@require_POST
@login_required
def add_to_campaign(request: HttpRequest) -> HttpResponse:
    """Put scans into a campaign of the person's: those that a list names, else all that the search finds."""
    search = _search(request)
    place = campaign_for(request.user, request.POST.get("campaign", ""))
    names = request.POST.get("names", "").strip()
    try:
        if names:
            chosen = scans_named(request.user, names)
        else:
            listed = listed_scans_for(request.user).filter(pk__in=scans_coordinated_by(request.user).values("pk"))
            found = search.within(listed).select_related("study__patient").order_by("filed_at", "pk")
            chosen = list(found[: MOST_SCANS_ADDED + 1])
        added = add_scans(campaign=place, scans=chosen, by=request.user)
    except ActionRefused as refused:
        messages.error(request, refused.sentence)
        # Shown once more with the sentence: nobody should type a list again for one wrong name in it.
        request.session[TYPED] = {"place": place.slug, "names": names}
        return redirect(reverse("pages:scans") + search.address())
    already = len(chosen) - len(added)
    there = f"; {already} of those chosen {'was' if already == 1 else 'were'} in it already" if already else ""
    noun = f"Case {added[0].number} is" if len(added) == 1 else f"Cases {added[0].number} to {added[-1].number} are"
    messages.success(request, f"{noun} new in {place}{there}.", "good")
    return redirect("pages:campaign", place.slug)


@require_POST
@login_required
def default_site(request: HttpRequest, slug: str) -> HttpResponse:
    """Say which site the scans have that come in for a campaign from now on."""
    place = campaign_for(request.user, slug)
    try:
        changed = set_default_site(campaign=place, site=request.POST.get("site", ""), by=request.user)
    except ActionRefused as refused:
        messages.error(request, refused.sentence)
    else:
        said = f"get the site {changed.default_site}" if changed.default_site else "get no site by themselves"
        messages.success(request, f"Scans that come in from now on {said}.", "good")
    return redirect("pages:campaign", slug=slug)


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def scan(request: HttpRequest, scan_id: uuid.UUID) -> HttpResponse:
    """One scan: pictures, what is known of it, what to beware of, where it is used, its files. POST names its site."""
    shown = _present(request, scan_id)
    if isinstance(shown, HttpResponse):
        return shown
    if request.method == "POST":
        return _named(request, shown)
    places = places_of(request.user, shown)
    view_scan_page(scan=shown, campaigns=[place.case.campaign for place in places], by=request.user)
    patient = shown.study.patient
    site_refusal, deletion_refusal = may_name_site([shown], request.user), may_delete_scan(shown, request.user)
    shown = shown_to(request.user, shown)
    return render(
        request,
        "pages/scan.html",
        {
            "scan": shown,
            "patient": patient,
            "pictures": pictures_of(shown),
            "facts": facts_of(shown),
            "remarks": remarks_of(shown),
            "places": places,
            "imports": imports_of_places([place.case for place in places], request.user),
            "files": files_of_scan(shown),
            "neighbours": neighbours_of(request.user, shown),
            "site_refusal": site_refusal,
            "site_length": SITE_LENGTH,
            "deletion_refusal": deletion_refusal,
        },
    )


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def delete(request: HttpRequest, scan_id: uuid.UUID) -> HttpResponse:
    """What would be lost with a scan; POST, with its pseudonym typed and a reason, deletes it."""
    shown = _present(request, scan_id)
    if isinstance(shown, HttpResponse):
        return shown
    pseudonym = shown.study.patient.pseudonym
    form = DeletionForm(request.POST or None, pseudonym=pseudonym)
    refusal, status = may_delete_scan(shown, request.user), 200
    if request.method == "POST":
        status = 403 if refusal else 400
        if refusal is None and form.is_valid():
            try:
                given = form.cleaned_data
                delete_scan(scan=shown, reason=given["reason"], by=request.user, originals=given["originals"])
            except ActionRefused as refused:
                form.add_error(None, refused.sentence)
                status = 409
            else:
                messages.success(request, f"The scan of {pseudonym} is deleted. Its files are being removed.", "good")
                return redirect("pages:scans")
    loss = loss_of(shown) if refusal is None and sees_losses(request.user, shown) else None
    context = {"scan": shown, "patient": shown.study.patient, "form": form, "refusal": refusal, "loss": loss}
    page = render(request, "pages/delete_scan.html", context, status=status)
    return refused_with(page, refusal) if refusal and request.method == "POST" else page


@require_GET
@login_required
def picture(request: HttpRequest, scan_id: uuid.UUID, sha256: str) -> HttpResponse:
    """One picture of a scan, without any mask. The right is the scan's, checked each time; the hash is only a name."""
    found = Picture.objects.filter(scan=scan_for(request.user, scan_id), sha256=sha256).first()
    if found is None:
        raise Http404("No such picture.")
    return stored_picture(lambda: picture_bytes(found), CONTENT_TYPE)


@require_GET
@never_cache
@login_required
def patient(request: HttpRequest, pseudonym: str) -> HttpResponse:
    """A patient's scans in order of time, with extent and weight where this person may see them."""
    shown = patient_for(request.user, pseudonym)
    story = patient_story_for(request.user, shown)
    campaigns = [place.case.campaign for entry in story["entries"] for place in entry.places]
    view_patient(patient=shown, campaigns=campaigns, by=request.user)
    return render(request, "pages/patient.html", story)


def _search(request: HttpRequest) -> Search:
    return Search.of(request.GET, dict(campaigns_for(request.user).values_list("slug", "name")))


def _heading(search: Search, name: str, title: str, kind: str) -> dict[str, str]:
    """A heading of the list: the address that sorts by it, the other way round where it sorts by it already."""
    now = search.order.removeprefix("-") == name
    up = now and not search.order.startswith("-")
    order = f"-{name}" if up else name
    sort = ("ascending" if up else "descending") if now else ""
    return {"title": title, "kind": kind, "sort": sort, "address": search.address(order=order)}


def _present(request: HttpRequest, scan_id: uuid.UUID) -> Scan | HttpResponse:
    """The scan, or the page that says who deleted it; Http404 for whoever may see neither."""
    gone = deleted_scan_for(request.user, scan_id)
    if gone is not None:
        return render(request, "pages/scan_gone.html", {"scan": gone, "patient": gone.study.patient}, status=410)
    return scan_for(request.user, scan_id)


def _named(request: HttpRequest, shown: Scan) -> HttpResponse:
    try:
        name_site(scans=[shown], site=request.POST.get("site", ""), by=request.user)
    except ActionRefused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, "The site is kept.", "good")
    return redirect("pages:scan", scan_id=shown.pk)


def _coordinates(user: User) -> list[Campaign]:
    """The campaigns that a person coordinates."""
    mine = campaigns_for(user).filter(memberships__user_id=user.pk, memberships__role="coordinator")
    return list(mine.distinct())
