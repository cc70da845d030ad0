"""How a campaign's scans are de-identified: read by its members, chosen by its coordinators."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from webapp.audit.answers import refused_with
from webapp.audit.refusal import ActionRefused, Refusal
from webapp.campaigns.actions import set_deidentification
from webapp.campaigns.models import Campaign
from webapp.campaigns.queries import campaign_for
from webapp.campaigns.rules import may_set_deidentification
from webapp.intake.forms import OptionsForm
from webapp.intake.models import SeriesLine
from webapp.intake.profile import Profile

UNCHOSEN = Refusal("malformed", "Nothing was changed: choose one of each.")


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def deidentification(request: HttpRequest, slug: str) -> HttpResponse:
    """The options in words; a coordinator chooses them here."""
    campaign = campaign_for(request.user, slug)  # type: ignore[arg-type]
    if request.method == "GET":
        return _page(request, campaign, OptionsForm.showing(campaign.deidentification_options))
    refusal = may_set_deidentification(campaign, request.user)  # type: ignore[arg-type]
    form = OptionsForm(request.POST)
    if refusal:
        return refused_with(_page(request, campaign, form, refusal, 403), refusal)
    if not form.is_valid():
        return _page(request, campaign, OptionsForm.showing(campaign.deidentification_options), UNCHOSEN, 400)
    try:
        set_deidentification(campaign=campaign, options=form.options, by=request.user)
    except ActionRefused as refused:
        return _page(request, campaign, form, Refusal(refused.code, refused.sentence), 409)
    messages.success(request, "Scans that come in from now on are de-identified so.", "good")
    return redirect("intake-deidentification", campaign.slug)


def _page(
    request: HttpRequest,
    campaign: Campaign,
    form: OptionsForm,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    options = campaign.deidentification_options
    context = {
        "campaign": campaign,
        "form": form,
        "words": options.words,
        "profile": Profile(options),
        "filed_count": SeriesLine.objects.filter(batch__campaign=campaign, state="accepted").count(),
        "may_set": may_set_deidentification(campaign, request.user) is None,  # type: ignore[arg-type]
        "refusal": refusal,
    }
    return render(request, "intake/deidentification.html", context, status=status)
