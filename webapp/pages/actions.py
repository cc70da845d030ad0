"""What looking at pages leaves in the audit trail."""

from typing import Any

from webapp.audit.trail import audited, record
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Case
from webapp.pages import events


@audited(events.SCAN_VIEWED)
def view_scan(*, case: Case, by: Any) -> None:
    """Note that a person opened the page of a case, with its scan's picture."""
    record(
        events.SCAN_VIEWED,
        by=by,
        chain=chain_of(case.campaign),
        subject=f"scan:{case.scan_id}",
        case=case.number,
    )
