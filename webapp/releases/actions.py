"""What leaves: exports that people take away, and scans that they delete."""

from typing import Any

from webapp import jobs, push
from webapp.algorithms.actions import fail_draft
from webapp.algorithms.models import DraftRun
from webapp.archive.actions import mark_scan_deleted
from webapp.archive.models import Scan
from webapp.archive.queries import scan_to_delete
from webapp.archive.rules import ALREADY_DELETED
from webapp.audit.refusal import ActionRefused, require
from webapp.audit.trail import audited, record
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Campaign, Case
from webapp.masks.actions import discard_working_states
from webapp.readings.models import Reading
from webapp.releases import events
from webapp.releases.exports import Export
from webapp.releases.rules import may_delete_scan, may_export, refusal_of_reason

LONGEST_REASON = 500


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


@audited(events.CASE_DELETED)
def delete_scan(*, scan: Scan, reason: str, by: Any, originals: bool = True) -> Scan:
    """Delete a scan with every case, draft and unsigned mask of it, for a reason; a job removes its files.

    With `originals` another job destroys what quarantine still holds of the sendings that it came with: with those the
    very same scan could be filed anew.

    Refused while a signed reading or a release needs it. Rows that are records stay (the scan's own as a tombstone,
    strokes, versions, readings); what they show is gone. Whoever paints on it at this moment is told.
    """
    reason = " ".join(reason.replace("\0", "").split())[:LONGEST_REASON]
    require(refusal_of_reason(reason))
    held = scan_to_delete(scan.pk)
    if held is None:
        raise ActionRefused(ALREADY_DELETED)
    # Nobody begins, paints or signs a reading of it meanwhile: they lock these rows, then look for the scan again.
    cases = list(Case.objects.select_for_update(of=("self",)).filter(scan=held).order_by("pk"))
    readings = list(Reading.objects.select_for_update(of=("self",)).filter(case__in=cases).order_by("pk"))
    require(may_delete_scan(held, by))
    for run in DraftRun.objects.filter(scan=held, state__in=DraftRun.OPEN_STATES).order_by("pk"):
        fail_draft(run=run, sentence="The scan was deleted.")
    masks = discard_working_states(scan=held)
    deleted = mark_scan_deleted(scan=held, reason=reason, by=by)
    if originals:
        jobs.enqueue("intake.discard_originals_of_scan", scan_id=str(held.pk))
    push.publish(f"scan:{held.pk}", "scan.deleted")
    for reading in readings:
        push.publish(f"reading:{reading.pk}", "reading.deleted")
    for case in sorted(cases, key=lambda one: str(one.campaign_id)):
        record(
            events.CASE_DELETED,
            by=by,
            chain=chain_of(case.campaign),
            subject=f"scan:{held.pk}",
            case=case.number,
            reason=reason,
            readings=[str(reading.pk) for reading in readings if reading.case_id == case.pk],
            masks=masks,
        )
    if not cases:
        record(events.CASE_DELETED, by=by, subject=f"scan:{held.pk}", reason=reason, masks=masks)
    return deleted
