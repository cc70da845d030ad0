"""What a worker does for readings: compare those of a case, give back what lies idle, tell of days."""

from django.utils import timezone

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


@task("readings.compare_readings")
def compare_readings(case_id: str) -> None:
    """Compare the signed readings of a case that waits for it, and accept them or send them on; again is harmless."""
    case = Case.objects.filter(pk=case_id, state=Case.COMPARING).first()
    if case is None:
        return
    signatures = signatures_to_compare(case, case.stage)
    # The figures are made outside of any lock; the action looks again whether they are of what is signed.
    decide_case(case=case, signatures=signatures, pairs=compare(signatures), by=SYSTEM)


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
