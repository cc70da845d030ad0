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
from webapp.archive import storage
from webapp.archive.upkeep import LEFT_BEHIND_AFTER_S

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
