"""What a worker does for readings: compare those of a case, give back what lies idle, tell of days."""

import datetime

from django.utils import timezone

from webapp import jobs
from webapp.audit.actor import SYSTEM
from webapp.campaigns.models import Case
from webapp.jobs import task
from webapp.jobs.periodic import every
from webapp.readings.assignment_actions import release_idle_readings
from webapp.readings.comparing import compare, pair_of_versions, signatures_to_compare
from webapp.readings.deciding_actions import decide_case
from webapp.readings.measured_actions import grade_reading
from webapp.readings.measured_queries import ungraded_readings
from webapp.readings.telling import tell_of_days

IDLE_ROUND_S = 600
DAYS_ROUND_S = 3600
COMPARING_ROUND_S = 1800


@task("readings.compare_readings")
def compare_readings(case_id: str) -> None:
    """Compare the signed readings of a case that waits for it, and accept them or send them on; again is harmless."""
    case = Case.objects.filter(pk=case_id, state=Case.COMPARING).first()
    if case is None:
        return
    signatures = signatures_to_compare(case, case.stage)
    # The figures are made outside of any lock; the action looks again whether they are of what is signed.
    pairs = compare(signatures)
    if Case.objects.filter(pk=case_id, state=Case.COMPARING).exists():
        decide_case(case=case, signatures=signatures, pairs=pairs, by=SYSTEM)


@every(COMPARING_ROUND_S, "readings.compare_again")
def compare_again() -> None:
    """Put cases in line again that wait for their comparison for longer than it takes: its worker may have gone."""
    late = timezone.now() - datetime.timedelta(seconds=COMPARING_ROUND_S)
    for pk in Case.objects.filter(state=Case.COMPARING, settled_at__lt=late).values_list("pk", flat=True):
        jobs.enqueue("readings.compare_readings", case_id=str(pk))


@task("readings.grade_case")
def grade_case(case_id: str) -> None:
    """Lay the ended readings of a measured case against what is known of it; again is harmless."""
    case = Case.objects.filter(pk=case_id).exclude(known_version=None).first()
    if case is None or case.known_version is None:
        return
    for reading, version in ungraded_readings(case):
        pair = pair_of_versions(case.known_version, version)
        grade_reading(reading=reading, version=version, known_version=case.known_version, pair=pair, by=SYSTEM)


@every(IDLE_ROUND_S, "readings.release_idle")
def release_idle() -> None:
    """Give back readings that their readers left alone for longer than their protocol lets them."""
    release_idle_readings(by=SYSTEM)


@every(DAYS_ROUND_S, "readings.tell_of_days")
def tell_of_days_again() -> None:
    """Tell readers what is due soon, and what they may read again from now on."""
    tell_of_days(timezone.localdate())
