"""Events are written at the end of the outermost action: whole, in order, and in nobody's way until then."""

import threading
import time

import pytest
from django.db import connection, transaction

from inference.phantoms import make_phantom
from tests.factories.sites import a_workplace
from webapp.archive.actions import file_scan
from webapp.archive.filing import NewInstance, NewScan
from webapp.archive.models import Scan
from webapp.audit.actor import SYSTEM
from webapp.audit.models import Event
from webapp.audit.trail import audited, one_transaction, record
from webapp.audit.verify import faults
from webapp.campaigns.actions import add_case


def told() -> list[tuple[str, str]]:
    return list(Event.objects.filter(name__startswith="letter.").order_by("pk").values_list("chain", "name"))


@audited("letter.sent")
def send(*, chain: str = "site", fails: bool = False) -> None:
    record("letter.sent", by=SYSTEM, chain=chain)
    if fails:
        raise ValueError


@audited("letter.filed")
def file_and_send(*, fails: bool) -> None:
    record("letter.filed", by=SYSTEM, chain="campaign:1")
    try:
        send(fails=fails)
    except ValueError:
        record("letter.lost", by=SYSTEM)
    assert told() == [], "nothing is written, and no head locked, before the end"


@one_transaction()
def send_two_of_which_one_fails() -> None:
    send()
    send(fails=True)


@pytest.mark.django_db
def test_events_of_actions_within_actions_come_at_the_end_chain_by_chain():
    file_and_send(fails=False)
    assert told() == [("site", "letter.sent"), ("campaign:1", "letter.filed")]


@pytest.mark.django_db
def test_what_was_rolled_back_inside_leaves_no_event():
    file_and_send(fails=True)
    assert told() == [("site", "letter.lost"), ("campaign:1", "letter.filed")]


@pytest.mark.django_db
def test_what_failed_as_a_whole_leaves_none_and_the_next_begins_anew():
    with pytest.raises(ValueError):
        send_two_of_which_one_fails()
    assert told() == []
    send(chain="campaign:2")
    assert told() == [("campaign:2", "letter.sent")]


@pytest.mark.django_db(transaction=True)
def test_a_scan_that_is_sent_again_while_something_is_filed_of_it_is_filed():
    """Each held what the other waited for: the chain's head, and the row of the scan."""
    place, other = a_workplace(), a_workplace("other")
    phantom = make_phantom(4, shape_zyx=(12, 16, 16), spacing_zyx_mm=(12.0, 15.0, 13.0), lesions=[])
    new = NewScan(pseudonym="GG-A", study_uid="2.25.1", series_uid="2.25.1.7", source="dicom")
    images = [NewInstance("1.2", f"2.25.9.{z}", f"file {z}".encode(), (z,)) for z in range(12)]

    def send_to(campaign) -> Scan:
        def then(scan: Scan) -> None:
            add_case(campaign=campaign, scan=scan, by=SYSTEM)

        return file_scan(new=new, volume=phantom.volume, instances=images, by=SYSTEM, then=then)

    scan, failed = send_to(place.campaign), []

    def again() -> None:
        try:
            send_to(other.campaign)
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    with transaction.atomic():
        Scan.objects.select_for_update(of=("self",)).get(pk=scan.pk)
        thread = threading.Thread(target=again)
        thread.start()
        until = time.monotonic() + 60
        while not somebody_waits_for_us():
            assert time.monotonic() < until, "the second sending does not come to the row of the scan"
            assert failed == []
            time.sleep(0.05)
        record("letter.sent", by=SYSTEM)
    thread.join(60)
    assert not thread.is_alive()
    assert failed == []
    assert set(scan.cases.values_list("campaign__slug", flat=True)) == {"covid", "other"}
    assert list(faults()) == []


def somebody_waits_for_us() -> bool:
    """Whether somebody waits for a lock that this connection holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
        return cursor.fetchone() is not None
