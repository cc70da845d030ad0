"""What waits, what is held and for how long, trying again and discarding."""

import io
import threading
import time
from datetime import timedelta
from typing import Any
from unittest import mock

import pydicom
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.factories.sites import a_person
from webapp.archive.models import Scan
from webapp.audit.actor import SYSTEM
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused
from webapp.campaigns.models import Case
from webapp.intake import quarantine
from webapp.intake.actions import discard_batch, finish_batch, open_batch, try_again
from webapp.intake.models import Batch, SeriesLine
from webapp.intake.processing import alone_with, opened_alone
from webapp.intake.queries import batches_of_kind, counts_by_kind, may_hear_intake, outlived_batches
from webapp.intake.receiving import Incoming, Sender, note_sent_whole, receive_files, receive_instance
from webapp.intake.tasks import close_quiet_batches, look_after_waiting, process_batch, sweep
from webapp.jobs import withdraw
from webapp.jobs.line import line_of
from webapp.releases.actions import delete_scan

pytestmark = pytest.mark.django_db


@pytest.fixture
def clara(campaign):
    return a_person("clara", campaign, "coordinator")


@pytest.fixture
def client(clara) -> Client:
    client = Client()
    client.force_login(clara)
    return client


@pytest.fixture
def upload(campaign, clara):
    """A finished and processed upload of files."""

    def send(paths) -> Batch:
        batch = open_batch(campaign=campaign, by=clara, source="upload")
        for path in paths:
            content = path.read_bytes()
            receive_files(batch=batch, files=[Incoming(str(path), len(content), "", content)], by=clara)
        finish_batch(batch=batch, by=clara)
        return process(batch)

    return send


@pytest.fixture
def machine(campaign) -> Sender:
    return Sender("dimse", campaign, SYSTEM, "CT01")


def process(batch: Batch) -> Batch:
    process_batch(batch_id=str(batch.pk))
    batch.refresh_from_db()
    return batch


def store(sender: Sender, path) -> Batch:
    """Let a machine send one image."""
    content = path.read_bytes()
    header = pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True)
    staged = quarantine.stage("", io.BytesIO(content), len(content))
    return receive_instance(sender=sender, series_uid=str(header.SeriesInstanceUID), staged=staged)


def events_of(batch: Batch) -> list[str]:
    return list(Event.objects.filter(subject=f"batch:{batch.pk}").order_by("id").values_list("name", flat=True))


def later(batch: Batch, **passed: float) -> None:
    """Let time pass for a batch."""
    for field in ("last_arrival_at", "held_until"):
        moment = getattr(batch, field)
        if moment:
            Batch.objects.filter(pk=batch.pk).update(**{field: moment - timedelta(**passed)})
    batch.refresh_from_db()


# Originals are held, and go


def test_originals_are_held_for_their_time_and_then_go(upload, series, settings):
    settings.QUARANTINE_HOLD_DAYS = 3
    batch = upload(series())
    assert batch.held_until - batch.ended_at == timedelta(days=3)
    later(batch, days=2.9)
    sweep()
    assert len(list(quarantine.waiting(batch))) == 8
    later(batch, days=0.2)
    sweep()
    batch.refresh_from_db()
    assert batch.originals_gone_at
    assert not quarantine.folder_of(batch.pk).exists()
    assert batch.originals.count() == 0
    assert events_of(batch)[-1] == "batch.originals_removed"
    sweep()
    assert events_of(batch).count("batch.originals_removed") == 1
    assert Scan.objects.count() == 1


def test_upload_that_was_begun_and_left_goes_too(campaign, clara, settings):
    batch = open_batch(campaign=campaign, by=clara, source="upload")
    receive_files(batch=batch, files=[Incoming("a", 1, "", b"x")], by=clara)
    batch.refresh_from_db()
    later(batch, days=settings.QUARANTINE_HOLD_DAYS + 1)
    sweep()
    batch.refresh_from_db()
    assert (batch.state, bool(batch.originals_gone_at)) == ("failed", True)
    assert "never finished" in batch.sentence
    assert not quarantine.folder_of(batch.pk).exists()


def test_nothing_is_held_of_what_was_read_in_place(series, campaign, ingest):
    ingest(series()[0].parent, "--no-hold")
    batch = Batch.objects.get()
    assert (batch.state, batch.held_until, batch.holds_originals) == ("done", None, False)
    assert Scan.objects.count() == 1
    assert not quarantine.folder_of(batch.pk).exists()


def test_command_holds_what_it_took(series, ingest):
    ingest(series()[0].parent)
    batch = Batch.objects.get()
    assert (batch.source, batch.file_count, len(list(quarantine.waiting(batch)))) == ("command", 8, 8)


def test_killed_command_is_ended_once_nobody_has_its_batch(campaign):
    batch = open_batch(campaign=campaign, by=SYSTEM, source="command")
    sweep()
    batch.refresh_from_db()
    assert batch.state == "failed"
    assert "ended before it was done" in batch.sentence


# Trying again


def test_refused_series_is_tried_again_under_the_rules_of_now(upload, series, monkeypatch, client):
    good, bad = series("good"), series("bad", uid_seed="b")
    dataset = pydicom.dcmread(bad[0])
    dataset.BurnedInAnnotation = "YES"
    dataset.save_as(bad[0])
    batch = upload([*good, *bad])
    assert sorted(batch.lines.values_list("state", "code")) == [("accepted", ""), ("refused", "burned_in")]
    first = batch.lines.get(state="accepted")
    monkeypatch.setattr("webapp.intake.rules.require_takeable", lambda headers: None)
    assert client.post(f"/intake/batches/{batch.pk}/again/").status_code == 302
    batch.refresh_from_db()
    assert batch.state == "waiting"
    process(batch)
    assert list(batch.lines.values_list("state", flat=True)) == ["accepted", "accepted"]
    assert batch.lines.filter(pk=first.pk).exists(), "what was filed is not read again"
    assert (Scan.objects.count(), Case.objects.count(), batch.state) == (2, 2, "done")
    assert events_of(batch)[-2:] == ["batch.tried_again", "batch.processed"]


def test_lines_of_what_never_came_in_stay(ingest, series, tmp_path):
    paths = series()
    (paths[0].parent / "link.dcm").symlink_to(paths[0])
    ingest(paths[0].parent)
    batch = Batch.objects.get()
    try_again(batch=batch, by=SYSTEM)
    process(batch)
    assert sorted(batch.lines.values_list("state", "code")) == [("accepted", ""), ("refused", "not_sent")]


def test_nothing_is_tried_again_while_under_way_or_when_its_originals_are_gone(upload, series, clara):
    batch = upload(series())
    try_again(batch=batch, by=clara)
    with pytest.raises(ActionRefused, match="still under way"):
        try_again(batch=batch, by=clara)
    process(batch)
    discard_batch(batch=batch, by=clara)
    with pytest.raises(ActionRefused):
        try_again(batch=batch, by=clara)


def test_batch_that_another_process_has_is_left_to_it(upload, series, monkeypatch):
    batch = upload(series())
    Batch.objects.update(state="processing")
    SeriesLine.objects.all().delete()

    class Theirs:
        def __enter__(self):
            return False

        def __exit__(self, *_):
            return None

    monkeypatch.setattr("webapp.intake.processing.alone_with", lambda batch: Theirs())
    process(batch)
    assert (batch.state, batch.lines.count()) == ("processing", 0)


def test_a_process_has_a_batch_to_itself_and_lets_it_go(campaign):
    batch = open_batch(campaign=campaign, by=SYSTEM, source="command")
    with alone_with(batch) as mine, alone_with(batch) as mine_again:
        assert mine
        assert mine_again


@pytest.mark.django_db(transaction=True)
def test_a_batch_of_the_command_is_never_seen_without_its_process(campaign, settings):
    """Whoever ends what killed processes left looks all the time, by a connection of their own."""
    ended, over = [], threading.Event()

    def look() -> None:
        try:
            while not over.is_set():
                sweep()
        finally:
            connection.close()

    looking = threading.Thread(target=look)
    looking.start()
    try:
        for _ in range(40):
            with opened_alone(campaign=campaign, by=SYSTEM, source="command") as batch:
                time.sleep(0.02)
                batch.refresh_from_db()
                ended.append(batch.state != "receiving")
                discard_batch(batch=batch, by=SYSTEM)
    finally:
        over.set()
        looking.join()
    assert not any(ended)


# Discarding


def test_discarding_asks_for_the_code_names_what_goes_and_keeps_filed_scans(upload, series, client):
    bad = series("bad", uid_seed="b")
    bad[3].unlink()
    batch = upload([*series("good"), *(path for path in bad if path.exists())])
    page = client.get(f"/intake/batches/{batch.pk}/").content.decode()
    assert f"Type <strong>{batch.code}</strong> to destroy them" in page
    assert "15 originals" in page
    assert "1 refused series that can then no more be tried again" in page
    client.post(f"/intake/batches/{batch.pk}/destroy/", {"code": "000000"})
    assert quarantine.folder_of(batch.pk).exists()
    client.post(f"/intake/batches/{batch.pk}/destroy/", {"code": batch.code.lower()})
    batch.refresh_from_db()
    assert (batch.state, Scan.objects.count(), batch.lines.count()) == ("discarded", 1, 2)
    assert not quarantine.folder_of(batch.pk).exists()
    event = Event.objects.get(name="batch.discarded")
    assert event.content["details"] == {"files": 15, "bytes": batch.byte_count, "scans_kept": 1}
    assert "Destroy" not in client.get(f"/intake/batches/{batch.pk}/").content.decode()


def test_only_coordinators_and_the_sender_may_discard_or_try_again(upload, series, campaign):
    batch = upload(series())
    reader = Client()
    reader.force_login(a_person("reader", campaign, "radiologist"))
    for what in ("again", "destroy", "take"):
        assert reader.post(f"/intake/batches/{batch.pk}/{what}/", {"code": batch.code}).status_code == 404
    assert quarantine.folder_of(batch.pk).exists()
    other = Client()
    other.force_login(a_person("second", campaign, "coordinator"))
    other.post(f"/intake/batches/{batch.pk}/destroy/", {"code": batch.code})
    assert not quarantine.folder_of(batch.pk).exists()


# What machines send, image by image


def test_series_waits_until_nothing_more_of_it_comes(machine, series, settings, run_jobs):
    paths = series()
    batches = {store(machine, path).pk for path in paths}
    (batch,) = Batch.objects.all()
    assert batches == {batch.pk}
    assert (batch.sender, batch.file_count, batch.state) == ("CT01", 8, "receiving")
    later(batch, seconds=settings.INTAKE_BROKEN_OFF_S - 60)
    close_quiet_batches()
    batch.refresh_from_db()
    assert batch.state == "receiving", "its sender has not said that it is whole"
    note_sent_whole([batch.pk])
    close_quiet_batches()
    batch.refresh_from_db()
    assert batch.state == "waiting"
    run_jobs()
    batch.refresh_from_db()
    assert (batch.state, Scan.objects.count()) == ("done", 1)
    assert events_of(batch) == ["batch.opened", "batch.finished", "batch.processed"]


def test_series_of_a_sender_that_broke_off_is_checked_after_long_and_says_so(
    machine, series, settings, run_jobs, client
):
    for path in series()[:6]:
        batch = store(machine, path)
    page = client.get(f"/intake/batches/{batch.pk}/").content.decode()
    assert "what is here is checked at" in page
    later(batch, seconds=settings.INTAKE_BROKEN_OFF_S)
    close_quiet_batches()
    run_jobs()
    (scan,) = Scan.objects.all()
    assert scan.shape_zyx[0] == 6
    assert [warning["code"] for warning in scan.warnings].count("broke_off") == 1
    assert any("slices may be missing" in warning for warning in batch.lines.get().warnings)


@pytest.mark.django_db(transaction=True)
def test_image_that_comes_while_its_batch_is_closed_opens_it_again(machine, series, monkeypatch):
    """The clock closes a batch after it was looked for, and before the image is counted in."""
    paths = series()
    batch = store(machine, paths[0])
    lock, closing = threading.Event(), threading.Event()
    place = quarantine.place

    def slowly(*args: Any, **options: Any) -> None:
        lock.set()
        closing.wait(1)
        place(*args, **options)

    def close() -> None:
        lock.wait(5)
        try:
            finish_batch(batch=batch, by=SYSTEM)
        finally:
            connection.close()

    monkeypatch.setattr(quarantine, "place", slowly)
    closer = threading.Thread(target=close)
    closer.start()
    assert store(machine, paths[1]).pk == batch.pk
    closing.set()
    closer.join()
    batch.refresh_from_db()
    # The close waited for the image that was on its way.
    assert (batch.state, batch.file_count) == ("waiting", 2)
    monkeypatch.undo()
    assert store(machine, paths[2]).pk == batch.pk
    batch.refresh_from_db()
    assert (batch.state, batch.file_count) == ("receiving", 3)


def test_late_image_joins_its_series_while_no_worker_has_begun_it(machine, series, run_jobs):
    paths = series()
    for path in paths[:-1]:
        batch = store(machine, path)
    finish_batch(batch=batch, by=SYSTEM)
    assert store(machine, paths[-1]).pk == batch.pk
    batch.refresh_from_db()
    assert (batch.state, batch.sent_whole) == ("receiving", False)
    run_jobs()
    batch.refresh_from_db()
    assert batch.state == "receiving", "the job of its first closing leaves it alone"
    finish_batch(batch=batch, by=SYSTEM)
    run_jobs()
    assert Scan.objects.get().shape_zyx[0] == len(paths)
    assert Batch.objects.count() == 1
    assert events_of(batch) == [
        "batch.opened",
        "batch.finished",
        "batch.reopened",
        "batch.finished",
        "batch.processed",
    ]


def test_late_image_of_a_series_that_is_being_checked_opens_another_batch(machine, series):
    paths = series()
    batch = store(machine, paths[0])
    Batch.objects.filter(pk=batch.pk).update(state="processing")
    assert store(machine, paths[1]).pk != batch.pk


def test_batch_that_is_tried_again_keeps_its_originals_from_the_clock(upload, series, settings, clara):
    batch = upload(series()[:1])
    Batch.objects.filter(pk=batch.pk).update(held_until=timezone.now() - timedelta(seconds=1))
    stale = list(outlived_batches(timezone.now()))
    assert stale == [batch]
    with mock.patch("webapp.intake.tasks.outlived_batches", side_effect=[stale, outlived_batches(timezone.now())]):
        try_again(batch=batch, by=clara)
        sweep()
    assert list(quarantine.folder_of(batch.pk).iterdir())
    batch.refresh_from_db()
    assert (batch.state, batch.originals_gone_at) == ("waiting", None)


def test_a_batch_that_waits_without_a_job_is_put_in_line_again_and_one_with_a_job_is_not(machine, series, run_jobs):
    for path in series():
        batch = store(machine, path)
    finish_batch(batch=batch, by=SYSTEM)
    look_after_waiting()
    assert len(line_of("intake.process_batch")) == 1
    assert withdraw(line_of("intake.process_batch"))
    look_after_waiting()
    assert len(line_of("intake.process_batch")) == 1
    run_jobs()
    batch.refresh_from_db()
    assert (batch.state, Scan.objects.count()) == ("done", 1)


def test_another_image_makes_a_whole_series_wait_again(machine, series, settings):
    paths = series()
    batch = store(machine, paths[0])
    note_sent_whole([batch.pk])
    batch.refresh_from_db()
    later(batch, seconds=settings.INTAKE_QUIET_S - 5)
    close_quiet_batches()
    store(machine, paths[1])
    batch.refresh_from_db()
    assert (batch.state, batch.sent_whole) == ("receiving", False)
    assert batch.last_arrival_at > timezone.now() - timedelta(seconds=60)


def test_each_series_is_a_batch_and_the_same_image_again_is_one(machine, series):
    first, second = series("a"), series("b", uid_seed="b")
    for path in [*first, *second, *first]:
        store(machine, path)
    assert sorted(Batch.objects.values_list("file_count", flat=True)) == [8, 8]
    assert not list((quarantine.root() / "incoming").iterdir())


def test_rest_of_a_refused_series_is_checked_with_what_came_before(machine, series, run_jobs):
    paths = series()
    for path in [*paths[:3], *paths[4:]]:
        batch = store(machine, path)
    finish_batch(batch=batch, by=SYSTEM)
    run_jobs()
    assert batch.lines.get().state == "refused"
    assert store(machine, paths[3]).pk == batch.pk
    batch.refresh_from_db()
    assert (batch.state, batch.held_until) == ("receiving", None)
    finish_batch(batch=batch, by=SYSTEM)
    run_jobs()
    assert batch.lines.get().state == "accepted"
    assert events_of(batch).count("batch.reopened") == 1


def test_late_image_of_a_filed_series_is_refused_in_a_batch_of_its_own(machine, series, run_jobs):
    paths = series()
    for path in paths[:-1]:
        batch = store(machine, path)
    finish_batch(batch=batch, by=SYSTEM)
    run_jobs()
    late = store(machine, paths[-1])
    assert late.pk != batch.pk
    finish_batch(batch=late, by=SYSTEM)
    run_jobs()
    assert "other images is already in the archive" in late.lines.get().sentence
    assert Scan.objects.count() == 1


def test_coordinator_takes_what_a_broken_off_sender_left(machine, series, client, run_jobs):
    batch = store(machine, series()[0])
    page = client.get(f"/intake/batches/{batch.pk}/").content.decode()
    assert "it is still sending, or it broke off" in page
    client.post(f"/intake/batches/{batch.pk}/take/")
    run_jobs()
    batch.refresh_from_db()
    assert batch.state == "done"


# The page


def test_page_chooses_what_waits_was_refused_or_is_held(upload, series, machine, clara, client):
    bad = series("bad", uid_seed="b")
    bad[3].unlink()
    held, refused = upload(series("good")), upload(path for path in bad if path.exists())
    waiting = store(machine, series("c", uid_seed="c")[0])
    assert counts_by_kind(clara) == {"waiting": 1, "refused": 1, "held": 2}
    assert list(batches_of_kind(clara, "waiting")) == [waiting]
    assert list(batches_of_kind(clara, "refused")) == [refused]
    assert set(batches_of_kind(clara, "held")) == {held, refused}
    page = client.get("/intake/?show=refused").content.decode()
    assert refused.code in page
    assert held.code not in page
    assert "originals held until" in page


def test_only_coordinators_hear_that_batches_open(campaign, clara):
    assert may_hear_intake(clara, str(campaign.pk))
    assert not may_hear_intake(a_person("reader", campaign, "radiologist"), str(campaign.pk))


@pytest.mark.parametrize("originals", [True, False])
def test_originals_go_with_a_scan_that_is_deleted_unless_they_shall_stay(upload, series, clara, run_jobs, originals):
    batch = upload(series())
    scan = Scan.objects.get()
    delete_scan(scan=scan, reason="Consent was withdrawn", by=clara, originals=originals)
    run_jobs()
    batch.refresh_from_db()
    assert quarantine.folder_of(batch.pk).exists() is not originals
    assert batch.holds_originals is not originals
    assert ("batch.discarded" in events_of(batch)) is originals
    if originals:
        assert '"reason":"a scan of it was deleted"' in Event.objects.get(name="batch.discarded").body


def test_line_of_a_scan_deleted_since_leads_to_what_is_left_of_it(upload, series, client, clara):
    batch = upload(series("good"))
    line = batch.lines.get()
    address = f"/campaigns/{batch.campaign.slug}/cases/{line.case_number}/"
    assert address in client.get(f"/intake/batches/{batch.pk}/").content.decode()
    delete_scan(scan=line.scan, reason="Sent by mistake.", by=clara)
    page = client.get(f"/intake/batches/{batch.pk}/").content.decode()
    assert address not in page
    assert f'href="/scans/{line.scan_id}/">Deleted since<' in page
    gone = client.get(f"/scans/{line.scan_id}/")
    assert (gone.status_code, "Sent by mistake." in gone.content.decode()) == (410, True)
