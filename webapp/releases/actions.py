"""What people do with exports: take them away."""

from typing import Any

from webapp.audit.refusal import require
from webapp.audit.trail import audited, record
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Campaign, Case
from webapp.readings.models import Reading
from webapp.releases import events
from webapp.releases.exports import Export
from webapp.releases.rules import may_export


@audited(events.EXPORT_DOWNLOADED)
def download_export(
    *, export: Export, readings: list[Reading], campaign: Campaign, case: Case | None, by: Any
) -> Export:
    """Hand an export out: which versions went, in which file, to whom."""
    require(may_export(readings))
    record(
        events.EXPORT_DOWNLOADED,
        by=by,
        chain=chain_of(campaign),
        subject=f"case:{case.pk}" if case else f"campaign:{campaign.pk}",
        file=export.name,
        sha256=export.sha256,
        size_bytes=export.size_bytes,
        versions=[reading.signature.version_sha256 for reading in readings],
    )
    return export
