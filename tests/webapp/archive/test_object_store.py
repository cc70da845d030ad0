"""The archive in an object store that speaks S3: filed, read, served, verified, swept and deleted as in a folder."""

import hashlib
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO, StringIO

import numpy as np
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from inference.imaging.slabs import decode_slab
from inference.phantoms import make_phantom, write_dicom_series
from tests.factories.filed import a_filed_place, a_filed_scan
from tests.factories.sites import a_campaign
from webapp.archive import queries, storage
from webapp.archive.actions import file_scan, mark_scan_deleted
from webapp.archive.filing import NewInstance, NewScan
from webapp.archive.models import Scan
from webapp.archive.object_store import ObjectStore, ObjectStoreError
from webapp.archive.tasks import remove_files
from webapp.archive.upkeep import LEFT_BEHIND_AFTER_S, files_named_by, left_behind
from webapp.audit.actor import SYSTEM

PREFIX = "reading room/ct/"


def verify() -> str:
    out = StringIO()
    call_command("archive", "verify", stdout=out, stderr=out)
    return out.getvalue()


def a_new_scan(volume, **fields) -> NewScan:
    known = {"pseudonym": "GG-S3", "study_uid": "2.25.77", "series_uid": "2.25.78", "source": "dicom"}
    return NewScan(**{**known, **fields})


def test_storage_is_the_bucket(bucket):
    default_storage.exists("x")
    assert isinstance(default_storage._wrapped, ObjectStore)
    assert default_storage.bucket_name == bucket.name


def test_scan_lies_in_the_bucket_and_comes_back_bit_for_bit(bucket, tmp_path):
    scan, volume, _ = a_filed_scan(tmp_path)
    files = {f"{PREFIX}{path}": sha256 for _, path, sha256 in files_named_by(scan)}
    stored = {key: hashlib.sha256(content).hexdigest() for key, content in bucket.objects().items()}
    assert stored == files
    assert len(files) == len(scan.slabs) + volume.shape_zyx[0] + 1 + 6
    np.testing.assert_array_equal(queries.volume_of(scan).hu, volume.hu)
    assert queries.preview_bytes(scan.preview)
    assert queries.picture_bytes(scan.pictures.first())
    assert b"DICM" in next(iter(queries.files_of(scan)))[:140]
    assert verify() == "1 scans, 0 damaged files.\n"


@pytest.mark.parametrize("harm", ["missing", "changed"])
def test_damaged_object_is_named_and_never_shown(bucket, tmp_path, harm):
    place = a_filed_place(tmp_path)
    slab = place.case.scan.slabs[0]
    if harm == "missing":
        bucket.client.delete_object(Bucket=bucket.name, Key=PREFIX + slab["path"])
    else:
        bucket.client.put_object(Bucket=bucket.name, Key=PREFIX + slab["path"], Body=b"something else")
    out = StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("archive", "verify", stdout=out, stderr=out)
    assert left.value.code == 1
    assert "slab of slices 1 to 10" in out.getvalue()
    assert slab["path"] in out.getvalue()
    client = Client()
    client.force_login(place.reader)
    answer = client.get(f"/api/cases/{place.case.pk}/slabs/0/{slab['sha256']}/")
    assert (answer.status_code, answer.json()["error"]) == (500, "damaged")


def test_slabs_are_served_from_the_bucket(bucket, tmp_path):
    place = a_filed_place(tmp_path)
    client = Client()
    client.force_login(place.reader)
    (slab, *_) = place.case.scan.slabs
    url = f"/api/cases/{place.case.pk}/slabs/0/{slab['sha256']}/"
    answer = client.get(url, headers={"Accept-Encoding": "zstd"})
    assert hashlib.sha256(answer.content).hexdigest() == slab["sha256"]
    shape = (slab["z_count"], *place.volume.shape_zyx[1:])
    np.testing.assert_array_equal(decode_slab(answer.content, shape), place.volume.hu[: slab["z_count"]])
    client.force_login(place.outsider)
    assert client.get(url).status_code == 404


def test_pixels_of_a_store_that_is_away_are_asked_for_again_later(bucket, settings, tmp_path):
    place = a_filed_place(tmp_path)
    scan = place.case.scan
    take_away(settings)
    client = Client()
    client.force_login(place.reader)
    answer = client.get(f"/api/cases/{place.case.pk}/slabs/0/{scan.slabs[0]['sha256']}/")
    assert (answer.status_code, answer.json()["error"]) == (503, "storage_away")
    picture = scan.pictures.first()
    assert client.get(f"/scans/{scan.pk}/pictures/{picture.sha256}.webp").status_code == 503
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("archive", "verify", stdout=out, stderr=out)
    assert "object store failed" in out.getvalue()


def full_after(count: int):
    """A handler that lets `count` objects through and then answers as a store whose disks are full."""
    seen = []

    def answer(request, **_):
        seen.append(request.url)
        if len(seen) <= count:
            return None
        body = b"<Error><Code>XMinioStorageFull</Code><Message>secret host 10.0.0.7</Message></Error>"
        return AWSResponse(request.url, 507, {"content-type": "application/xml"}, Raw(body))

    return answer


class Raw:
    """The body of a made-up answer."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def stream(self, **_):
        yield self.body


@pytest.mark.parametrize("let_through", [0, 3, 12])
def test_failing_upload_leaves_nothing(bucket, tmp_path, let_through):
    events = default_storage.bucket.meta.client.meta.events
    events.register("before-send.s3.PutObject", full_after(let_through))
    with pytest.raises(ObjectStoreError) as failed:
        a_filed_scan(tmp_path)
    assert failed.value.errno == 28  # ENOSPC: intake says that the disk is full
    assert "10.0.0.7" not in str(failed.value)
    assert bucket.objects() == {}
    assert not Scan.objects.exists()


def take_away(settings) -> None:
    """Point the storage at a place where nobody listens, and let it not try for long."""
    default = settings.STORAGES["default"]
    away = {"endpoint_url": "http://127.0.0.1:1", "client_config": Config(retries={"max_attempts": 1})}
    options = {**default["OPTIONS"], **away}
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": default["BACKEND"], "OPTIONS": options}}


def test_ingest_says_that_the_store_is_full_and_keeps_nothing(bucket, tmp_path):
    phantom = make_phantom(3, shape_zyx=(14, 48, 64), spacing_zyx_mm=(20.0, 7.0, 6.5))
    write_dicom_series(phantom, tmp_path / "sent")
    a_campaign("covid")
    default_storage.bucket.meta.client.meta.events.register("before-send.s3.PutObject", full_after(9))
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("ingest", str(tmp_path / "sent"), campaign="covid", stdout=out)
    assert "The disk is full. Nothing of it was kept; send it again." in out.getvalue()
    assert bucket.objects() == {}


def test_store_that_is_away_is_one_clear_error(bucket, settings, tmp_path):
    take_away(settings)
    with pytest.raises(OSError, match="object store failed"):
        storage.write(uuid.uuid4(), storage.SLABS, b"x", ".slab")
    with pytest.raises(CommandError, match="The storage does not work"):
        call_command("archive", "probe")


def test_probe_writes_reads_and_removes(bucket, capsys):
    call_command("archive", "probe")
    assert "the storage works" in capsys.readouterr().out
    assert bucket.objects() == {}


def test_large_object_is_sent_in_parts_and_comes_back(bucket, tmp_path):
    content = np.random.default_rng(1).bytes(20 * 1024 * 1024)
    identifier = uuid.uuid4()
    path, sha256 = storage.write(identifier, storage.INSTANCES, content, ".dcm")
    assert storage.read(path, sha256) == content
    assert bucket.client.head_object(Bucket=bucket.name, Key=PREFIX + path)["ETag"].strip('"').endswith("-3")


def test_file_of_no_scan_lies_in_the_bucket_once_and_comes_back(bucket):
    content = BytesIO(b"weights" * 400_000)
    path, sha256, size = storage.write_shared("algorithms", content, ".safetensors")
    assert storage.write_shared("algorithms", content, ".safetensors") == (path, sha256, size)
    assert (path, size) == (f"algorithms/{sha256}.safetensors", 2_800_000)
    assert storage.read(path, sha256) == content.getvalue()


def test_two_who_file_the_same_series_at_once_file_one(transactional_db, bucket, tmp_path):
    volume = make_phantom(1, shape_zyx=(23, 20, 24), spacing_zyx_mm=(12.0, 15.0, 13.0)).volume

    def one(_: int) -> Scan:
        instances = [NewInstance("1.2", f"2.25.9.{z}", f"file {z}".encode(), (z,)) for z in range(23)]
        try:
            return file_scan(new=a_new_scan(volume), volume=volume, instances=instances, by=SYSTEM)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(one, range(2)))
    scan = Scan.objects.get()
    assert results == [scan, scan]
    assert set(bucket.objects()) == {PREFIX + path for _, path, _ in files_named_by(scan)}


def test_sweep_takes_what_a_killed_filing_left_and_nothing_else(bucket, tmp_path):
    scan, _, _ = a_filed_scan(tmp_path)
    killed = uuid.uuid4()
    storage.write(killed, storage.SLABS, b"half a scan", ".slab")
    bucket.client.put_object(Bucket=bucket.name, Key=f"{PREFIX}scans/notes/of-the-operator.txt", Body=b"hello")
    assert list(left_behind()) == []  # as young as a filing that is under way
    later = time.time() + LEFT_BEHIND_AFTER_S + 60
    assert list(left_behind(later)) == [killed]
    storage.remove(killed)
    assert list(left_behind(later)) == []
    assert len(bucket.objects()) == 1 + len(list(files_named_by(scan)))
    assert verify() == "1 scans, 0 damaged files.\n"


def test_sweep_in_the_middle_of_a_filing_takes_nothing_of_it(bucket, tmp_path):
    volume = make_phantom(1, shape_zyx=(23, 20, 24), spacing_zyx_mm=(12.0, 15.0, 13.0)).volume
    swept = []

    def instances():
        for z in range(23):
            if z in (5, 22):
                swept.append(list(left_behind()))
            yield NewInstance("1.2", f"2.25.9.{z}", f"file {z}".encode(), (z,))

    file_scan(new=a_new_scan(volume), volume=volume, instances=instances(), by=SYSTEM)
    assert swept == [[], []]
    assert verify() == "1 scans, 0 damaged files.\n"


def test_deleted_scan_leaves_the_bucket_after_the_commit_and_twice_is_harmless(bucket, tmp_path, run_jobs):
    scan, _, _ = a_filed_scan(tmp_path)
    other, _, _ = a_filed_scan(tmp_path, seed=4)
    remove_files(str(scan.pk))  # a job for a scan that is not deleted does nothing
    assert verify() == "2 scans, 0 damaged files.\n"
    mark_scan_deleted(scan=scan, reason="sent by mistake", by=SYSTEM)
    assert any(str(scan.pk) in key for key in bucket.objects())
    assert "archive.remove_files" in run_jobs()
    assert set(bucket.objects()) == {PREFIX + path for _, path, _ in files_named_by(other)}
    remove_files(str(scan.pk))
    assert verify() == "1 scans, 0 damaged files.\n"


def test_more_objects_than_one_answer_lists_are_all_removed(bucket, monkeypatch):
    monkeypatch.setattr(ObjectStore, "KEYS_AN_ANSWER", 7)
    identifier = uuid.uuid4()
    for n in range(30):
        storage.write(identifier, storage.SLABS, b"%d" % n, ".slab")
    assert storage.newest_change(identifier) is not None
    assert default_storage.delete_under(storage.scan_folder(identifier)) == 30
    assert bucket.objects() == {}
    storage.remove(identifier)  # nothing there is no fault


def test_half_given_keys_are_refused(monkeypatch, tmp_path):
    from django.core.exceptions import ImproperlyConfigured

    from webapp.settings.storage import archive_storage

    monkeypatch.setenv("GROUNDGLASS_S3_BUCKET", "scans")
    monkeypatch.setenv("GROUNDGLASS_S3_ACCESS_KEY", "only one of two")
    monkeypatch.delenv("GROUNDGLASS_S3_SECRET_KEY", raising=False)
    with pytest.raises(ImproperlyConfigured, match="both, or neither"):
        archive_storage(tmp_path)
    monkeypatch.delenv("GROUNDGLASS_S3_BUCKET")
    assert archive_storage(tmp_path)["OPTIONS"]["location"] == str(tmp_path / "archive")
