"""A campaign's guideline: read by its members, written by its coordinators."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from webapp.audit.answers import refused_with
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.campaigns.actions import add_guideline_picture, write_guideline
from webapp.campaigns.guidelines import render_guideline
from webapp.campaigns.models import Campaign
from webapp.campaigns.queries import campaign_for, current_protocol, shown_pictures
from webapp.campaigns.rules import may_set_protocol
from webapp.pages.forms import GuidelineForm


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def guideline(request: HttpRequest, slug: str) -> HttpResponse:
    """The guideline as readers see it; a coordinator writes it here, adds pictures, and looks before saving."""
    campaign = campaign_for(request.user, slug)
    if request.method == "GET":
        protocol = current_protocol(campaign)
        return _page(request, campaign, protocol.guideline, protocol.version)
    refusal = may_set_protocol(campaign, request.user)
    if refusal:
        protocol = current_protocol(campaign)
        page = _page(request, campaign, protocol.guideline, protocol.version, refusal=refusal, status=403)
        return refused_with(page, refusal)
    form = GuidelineForm(request.POST, request.FILES)
    if not form.is_valid():
        protocol = current_protocol(campaign)
        sentence = "Nothing was saved: the text did not arrive whole. Send it again."
        refusal = Refusal("malformed", sentence)
        return _page(request, campaign, protocol.guideline, protocol.version, refusal=refusal, status=400)
    return _written(request, campaign, form)


def _written(request: HttpRequest, campaign: Campaign, form: GuidelineForm) -> HttpResponse:
    """What became of a form: saved, a picture added, or only looked at. The text in it is never lost."""
    text, known_version, do = form.cleaned_data["text"], form.cleaned_data["version"], form.cleaned_data["do"]
    try:
        if do == "picture":
            text += _added_picture(request, campaign, form)
        elif do == "save":
            write_guideline(campaign=campaign, text=text, known_version=known_version, by=request.user)
            messages.success(request, "The guideline is saved. Readings that begin from now on show it.", "good")
            return redirect("pages:guideline", slug=campaign.slug)
    except ActionRefused as refused:
        refusal = Refusal(refused.code, refused.sentence)
        return _page(request, campaign, text, known_version, refusal=refusal, status=409)
    return _page(request, campaign, text, known_version)


def _added_picture(request: HttpRequest, campaign: Campaign, form: GuidelineForm) -> str:
    """Keep the picture that came with the form; return the line that shows it, for the end of the text."""
    upload = form.cleaned_data["picture"]
    require(None if upload else Refusal("no_picture", "Choose a picture first."))
    picture = add_guideline_picture(campaign=campaign, file_name=upload.name, content=upload.read(), by=request.user)
    words = picture.name.rsplit(".", 1)[0].replace("-", " ")
    return f"\n\n![{words}]({picture.name})\n"


def _page(
    request: HttpRequest,
    campaign: Campaign,
    text: str,
    known_version: int,
    *,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    pictures = shown_pictures(campaign)
    rendered = render_guideline(text, pictures)
    return render(
        request,
        "pages/guideline.html",
        {
            "campaign": campaign,
            "text": text,
            "known_version": known_version,
            "rendered": rendered,
            "pictures": pictures,
            "may_write": may_set_protocol(campaign, request.user) is None,
            "saved": text == current_protocol(campaign).guideline,
            "refusal": refusal,
        },
        status=status,
    )
