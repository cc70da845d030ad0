"""Stored files are checked against what was filed, and what a killed filing left behind can be swept."""

import os
import time
import uuid
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client

from tests.factories.filed import a_filed_place, a_filed_scan
from webapp.archive import storage, tasks
from webapp.archive.actions import mark_scan_deleted
from webapp.archive.models import Picture
from webapp.archive.tasks import remove_files
from webapp.archive.upkeep import LEFT_BEHIND_AFTER_S, files_named_by, left_behind
from webapp.audit.actor import SYSTEM

pytestmark = pytest.mark.django_db


def verify() -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("archive", "verify", stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_whole_archive_verifies(tmp_path):
    a_filed_scan(tmp_path)
    assert verify() == ("1 scans, 0 damaged files.\n", "")


@pytest.mark.parametrize("harm", ["missing", "changed"])
def test_damaged_file_is_named(tmp_path, harm):
    scan, _, _ = a_filed_scan(tmp_path)
    path = Path(default_storage.path(scan.slabs[0]["path"]))
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    err = StringIO()
    with pytest.raises(SystemExit):
        call_command("archive", "verify", stdout=StringIO(), stderr=err)
    assert scan.slabs[0]["path"] in err.getvalue()


def test_damaged_pixels_are_never_shown(tmp_path):
    place = a_filed_place(tmp_path)
    slab = place.case.scan.slabs[0]
    path = Path(default_storage.path(slab["path"]))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    client = Client()
    client.force_login(place.reader)
    answer = client.get(f"/api/cases/{place.case.pk}/slabs/0/{slab['sha256']}/")
    assert (answer.status_code, answer.json()["error"]) == (500, "damaged")


def test_sweep_takes_only_what_no_scan_names(tmp_path):
    scan, _, _ = a_filed_scan(tmp_path)
    killed, under_way = uuid.uuid4(), uuid.uuid4()
    for identifier in (killed, under_way):
        storage.write(identifier, storage.SLABS, b"half a scan", ".zst")
    long_ago = time.time() - LEFT_BEHIND_AFTER_S - 60
    for identifier in (killed, scan.pk):
        folder = Path(default_storage.path(storage.scan_folder(identifier)))
        for path in (folder, *folder.rglob("*")):
            os.utime(path, (long_ago, long_ago))
    out = StringIO()
    call_command("archive", "sweep", stdout=out)
    assert out.getvalue() == "1 unfinished filings removed.\n"
    assert not default_storage.exists(storage.scan_folder(killed))
    assert default_storage.exists(storage.scan_folder(under_way))
    assert verify()[0] == "1 scans, 0 damaged files.\n"


def test_files_stay_when_it_is_not_known_whether_their_rows_were_committed():
    identifier = uuid.uuid4()
    name, _ = storage.write(identifier, storage.SLABS, b"slab", ".zst")

    def commit_and_lose_the_connection() -> None:
        with storage.removed_on_failure(identifier):
            raise OperationalError("server closed the connection unexpectedly")

    with pytest.raises(OperationalError):
        commit_and_lose_the_connection()
    assert default_storage.exists(name)


def test_every_kind_of_file_is_verified(tmp_path):
    scan, _, _ = a_filed_scan(tmp_path)
    named = list(files_named_by(scan))
    for _, path, _ in named:
        Path(default_storage.path(path)).write_bytes(b"")
    err, out = StringIO(), StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("archive", "verify", stdout=out, stderr=err)
    assert left.value.code == 1
    assert out.getvalue() == f"1 scans, {len(named)} damaged files.\n"
    said = err.getvalue()
    assert [what for what, path, _ in named if f"Scan {scan.pk}, {what}: {path}" not in said] == []


def test_sweep_takes_what_the_deletion_of_a_scan_could_not_remove(tmp_path, run_jobs):
    scan, _, _ = a_filed_scan(tmp_path)
    mark_scan_deleted(scan=scan, reason="sent by mistake", by=SYSTEM)
    assert list(left_behind()) == []  # its own job comes first
    later = time.time() + LEFT_BEHIND_AFTER_S + 60
    assert list(left_behind(later)) == [scan.pk]
    run_jobs()
    assert list(left_behind(later)) == []


def test_removing_files_spares_a_scan_that_is_there_and_is_safe_to_repeat(tmp_path, caplog):
    scan, _, _ = a_filed_scan(tmp_path)
    remove_files(str(scan.pk))
    assert "is not deleted" in caplog.text
    assert verify()[0] == "1 scans, 0 damaged files.\n"
    mark_scan_deleted(scan=scan, reason="sent by mistake", by=SYSTEM)
    for _ in range(2):
        remove_files(str(scan.pk))
    assert not default_storage.exists(storage.scan_folder(scan.pk))


def test_pictures_made_while_their_scan_is_deleted_do_not_stay(tmp_path, monkeypatch):
    scan, _, _ = a_filed_scan(tmp_path)
    Picture.objects.all().delete()
    write = tasks.write_pictures

    def deleted_meanwhile(scan_id, volume, small):
        rows = write(scan_id, volume, small)
        mark_scan_deleted(scan=scan, reason="sent by mistake", by=SYSTEM)
        remove_files(str(scan_id))
        return rows

    monkeypatch.setattr(tasks, "write_pictures", deleted_meanwhile)
    tasks.make_pictures(str(scan.pk))
    assert not Picture.objects.exists()
    assert not default_storage.exists(storage.scan_folder(scan.pk))


def test_probe_tries_the_storage_and_leaves_nothing(db, capsys):
    call_command("archive", "probe")
    assert "the storage works" in capsys.readouterr().out
    assert storage.stored_scans() == []
