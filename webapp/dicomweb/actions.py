"""What people do by DICOMweb: look at series, take series away."""

from collections.abc import Sequence
from typing import Any

from webapp.accounts.models import AccessToken
from webapp.archive.models import Series, Study
from webapp.audit.trail import audited, record
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Campaign
from webapp.dicomweb import events


@audited(events.SERIES_VIEWED)
def view_series(
    *, campaign: Campaign, study: Study, series: Sequence[Series], token: AccessToken | None, by: Any
) -> None:
    """Note that somebody looks at series: their headers, frames or pictures."""
    _record(events.SERIES_VIEWED, campaign, study, series, token, by)


@audited(events.SERIES_DOWNLOADED)
def download_series(
    *, campaign: Campaign, study: Study, series: Sequence[Series], token: AccessToken | None, by: Any
) -> None:
    """Note that somebody takes DICOM files of series away."""
    _record(events.SERIES_DOWNLOADED, campaign, study, series, token, by)


def _record(
    name: str, campaign: Campaign, study: Study, series: Sequence[Series], token: AccessToken | None, by: Any
) -> None:
    record(
        name,
        by=by,
        chain=chain_of(campaign),
        subject=f"study:{study.pk}",
        study=study.uid,
        series=[one.uid for one in series],
        versions=sorted({str(one.made_from) for one in series if one.made_from}),
        scans=sorted({str(one.scan_id) for one in series}),
        token=token.prefix if token else None,
    )
