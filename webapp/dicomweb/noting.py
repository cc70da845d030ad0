"""One event for each sitting at a series, not one for each of its hundreds of frames."""

import json
from collections.abc import Sequence
from datetime import timedelta

from django.http import HttpRequest
from django.utils import timezone

from webapp.accounts.authentication import token_behind
from webapp.archive.models import Series
from webapp.audit.models import Event
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Campaign
from webapp.dicomweb import events
from webapp.dicomweb.actions import download_series, view_series

# What a person does with a series within this time of its event is the same sitting.
SITTING = timedelta(hours=1)


def note_view(request: HttpRequest, campaign: Campaign, series: Sequence[Series]) -> None:
    """Note a look at series of one study, unless it belongs to a sitting that is noted already."""
    fresh = _not_noted(request, campaign, series, (events.SERIES_VIEWED, events.SERIES_DOWNLOADED))
    if fresh:
        study, token = fresh[0].scan.study, token_behind(request)
        view_series(campaign=campaign, study=study, series=fresh, token=token, by=request.user)


def note_download(request: HttpRequest, campaign: Campaign, series: Sequence[Series]) -> None:
    """Note that files of series of one study are taken away, unless this sitting did so before."""
    fresh = _not_noted(request, campaign, series, (events.SERIES_DOWNLOADED,))
    if fresh:
        study, token = fresh[0].scan.study, token_behind(request)
        download_series(campaign=campaign, study=study, series=fresh, token=token, by=request.user)


def _not_noted(
    request: HttpRequest, campaign: Campaign, series: Sequence[Series], names: tuple[str, ...]
) -> list[Series]:
    """Those of the series that no event of this person's sitting names."""
    since = (timezone.now() - SITTING).strftime("%Y-%m-%dT%H:%M:%S")
    noted = Event.objects.filter(
        subject=f"study:{series[0].scan.study_id}",
        chain=chain_of(campaign),
        name__in=names,
        actor_id=str(request.user.pk),
        at__gte=since,
    )
    known = {uid for body in noted.values_list("body", flat=True) for uid in json.loads(body)["details"]["series"]}
    return [one for one in series if one.uid not in known]
