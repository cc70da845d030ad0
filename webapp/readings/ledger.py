"""The slice ledger: what a reader has seen and decided, and how long they worked. Records of their own: no events."""

import datetime
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from webapp.accounts.models import User
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.masks.models import HeadSlice
from webapp.readings.attesting import PLANES_VIEWED
from webapp.readings.models import LedgerRow, Reading, Verdict
from webapp.readings.rules import may_edit

LONGEST_LOOK_MS = 24 * 3600 * 1000
ATTESTS = ("lung_checked", *PLANES_VIEWED)
MOST_VERDICTS = 500


def _malformed(sentence: str) -> ActionRefused:
    return ActionRefused(Refusal("malformed", sentence))


def _open_to(reading: Reading, by: User) -> Reading:
    """The reading with its row locked, so that a signature does not slip in between; refused where it is not open."""
    held = Reading.objects.select_for_update(of=("self",)).select_related("case__campaign").get(pk=reading.pk)
    require(may_edit(held, by))
    return held


@transaction.atomic
def record_seen(*, reading: Reading, seen: Any, by: User) -> None:
    """Write down slices that a reader has seen: [{"z", "dwell_ms"}]. Saying it twice changes nothing.

    The first time stands and the longest look is kept. Raises ActionRefused for a reading that is not the person's or
    not open, and for malformed rows; then nothing is written.
    """
    held = _open_to(reading, by)
    slices = held.case.scan.shape_zyx[0]
    malformed = _malformed("`seen` lists slices of the scan: {z, dwell_ms}.")
    if not isinstance(seen, Sequence) or isinstance(seen, str) or len(seen) > slices:
        raise malformed
    longest: dict[int, int] = {}
    for row in seen:
        if not isinstance(row, dict):
            raise malformed
        z, dwell_ms = row.get("z"), row.get("dwell_ms")
        if type(z) is not int or not isinstance(dwell_ms, int | float) or not 0 <= z < slices or not dwell_ms >= 0:
            raise malformed
        longest[z] = max(longest.get(z, 0), int(min(dwell_ms, LONGEST_LOOK_MS)))
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO readings_ledgerrow (reading_id, z, first_seen_at, dwell_ms, verdict)"
            " VALUES (%s, %s, now(), %s, '')"
            " ON CONFLICT (reading_id, z) DO UPDATE"
            " SET dwell_ms = GREATEST(readings_ledgerrow.dwell_ms, EXCLUDED.dwell_ms),"
            " first_seen_at = coalesce(readings_ledgerrow.first_seen_at, EXCLUDED.first_seen_at)",
            [(reading.pk, z, dwell_ms) for z, dwell_ms in sorted(longest.items())],
        )


@transaction.atomic
def record_verdicts(*, reading: Reading, verdicts: Any, by: User) -> None:
    """Write down what a reader decided: [{"z_first", "z_last", "verdict", "how"}], in order; the last word counts.

    A range is kept as a range. Raises ActionRefused as record_seen does; then nothing is written.
    """
    held = _open_to(reading, by)
    slices = held.case.scan.shape_zyx[0]
    if not isinstance(verdicts, list) or len(verdicts) > MOST_VERDICTS:
        raise _malformed(f"`verdicts` lists at most {MOST_VERDICTS} ranges: {{z_first, z_last, verdict, how}}.")
    rows = [_verdict(held, one, slices) for one in verdicts]
    Verdict.objects.bulk_create(rows)
    said = {z: row.value for row in rows for z in range(row.z_first, row.z_last + 1)}
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO readings_ledgerrow (reading_id, z, verdict) VALUES (%s, %s, %s)"
            " ON CONFLICT (reading_id, z) DO UPDATE SET verdict = EXCLUDED.verdict",
            [(reading.pk, z, value) for z, value in sorted(said.items())],
        )


def _verdict(reading: Reading, said: Any, slices: int) -> Verdict:
    fields = said if isinstance(said, dict) else {}
    first, last = fields.get("z_first"), fields.get("z_last")
    if type(first) is not int or type(last) is not int or not 0 <= first <= last < slices:
        raise _malformed(f"A verdict is about slices {{z_first, z_last}} of the scan, 0 to {slices - 1}.")
    value, how = fields.get("verdict"), fields.get("how", "key")
    if value not in Verdict.VALUES or how not in Verdict.HOWS:
        raise _malformed(f"A verdict is one of {', '.join(Verdict.VALUES)}, given by {', '.join(Verdict.HOWS)}.")
    return Verdict(reading=reading, z_first=first, z_last=last, value=value, how=how)


@transaction.atomic
def record_attests(*, reading: Reading, attests: Any, by: User) -> None:
    """Write down that the lung layer was checked, or a plane viewed: {name: bool}. Only a check may be undone."""
    held = _open_to(reading, by)
    if (
        not isinstance(attests, dict)
        or set(attests) - set(ATTESTS)
        or any(type(v) is not bool for v in attests.values())
    ):
        raise _malformed(f"`attests` says true or false of {', '.join(ATTESTS)}.")
    kept = dict(held.attests)
    for name, so in attests.items():
        if so:
            kept.setdefault(name, timezone.now().isoformat())
        elif name == "lung_checked":
            kept.pop(name, None)
    if kept != held.attests:
        held.attests = kept
        held.save(update_fields=["attests"])


@transaction.atomic
def record_active(*, reading: Reading, active_ms: Any, by: User) -> None:
    """Add time that a reader worked. No more counts than has gone by since the last time said."""
    held = _open_to(reading, by)
    if type(active_ms) is not int or active_ms < 0:
        raise _malformed("`active_ms` is a whole number of milliseconds.")
    now = timezone.now()
    gone = now - (held.active_at or held.started_at)
    held.active_ms += min(active_ms, max(0, gone // datetime.timedelta(milliseconds=1)))
    held.active_at = now
    held.save(update_fields=["active_ms", "active_at"])


def verdicts_of(reading: Reading) -> dict[int, str]:
    """What was decided, by slice."""
    return dict(LedgerRow.objects.filter(reading=reading).exclude(verdict="").order_by("z").values_list("z", "verdict"))


def seen_slices(reading: Reading) -> list[int]:
    """The slices that have been seen, ascending."""
    seen = LedgerRow.objects.filter(reading=reading, first_seen_at__isnull=False)
    return list(seen.order_by("z").values_list("z", flat=True))


def lung_slices(reading: Reading) -> list[int]:
    """The slices that hold lung in the mask as it stands, ascending: those that a signature is about."""
    rows = HeadSlice.objects.filter(mask=reading.begun_mask, layer="anatomy")
    return list(rows.order_by("z").values_list("z", flat=True))
