"""The slice ledger: which axial slices a reader has seen. Rows are a record of their own, as strokes are; no events."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from webapp.accounts.models import User
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.masks.models import HeadSlice
from webapp.readings.models import LedgerRow, Reading
from webapp.readings.rules import may_edit

LONGEST_LOOK_MS = 24 * 3600 * 1000


def _malformed() -> ActionRefused:
    return ActionRefused(Refusal("malformed", "`seen` lists slices of the scan: {z, dwell_ms}."))


@transaction.atomic
def record_seen(*, reading: Reading, seen: Any, by: User) -> None:
    """Write down slices that a reader has seen: [{"z", "dwell_ms"}]. Saying it twice changes nothing.

    The first time stands and the longest look is kept. Raises ActionRefused for a reading that is not the person's or
    not open, and for malformed rows; then nothing is written.
    """
    held = Reading.objects.select_for_update(of=("self",)).get(pk=reading.pk)
    require(may_edit(held, by))
    slices = reading.case.scan.shape_zyx[0]
    if not isinstance(seen, Sequence) or isinstance(seen, str) or len(seen) > slices:
        raise _malformed()
    longest: dict[int, int] = {}
    for row in seen:
        if not isinstance(row, dict):
            raise _malformed()
        z, dwell_ms = row.get("z"), row.get("dwell_ms")
        if type(z) is not int or not isinstance(dwell_ms, int | float) or not 0 <= z < slices or not dwell_ms >= 0:
            raise _malformed()
        longest[z] = max(longest.get(z, 0), int(min(dwell_ms, LONGEST_LOOK_MS)))
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO readings_ledgerrow (reading_id, z, first_seen_at, dwell_ms) VALUES (%s, %s, now(), %s)"
            " ON CONFLICT (reading_id, z) DO UPDATE"
            " SET dwell_ms = GREATEST(readings_ledgerrow.dwell_ms, EXCLUDED.dwell_ms)",
            [(reading.pk, z, dwell_ms) for z, dwell_ms in sorted(longest.items())],
        )


def seen_slices(reading: Reading) -> list[int]:
    """The slices that have been seen, ascending."""
    return list(LedgerRow.objects.filter(reading=reading).order_by("z").values_list("z", flat=True))


def lung_slices(reading: Reading) -> list[int]:
    """The slices that hold lung in the mask as it stands, ascending: those that a signature is about."""
    rows = HeadSlice.objects.filter(mask_id=reading.mask_id, layer="anatomy")
    return list(rows.order_by("z").values_list("z", flat=True))
