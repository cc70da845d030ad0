"""Scans are filed whole or not at all, and their files are what was filed."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.db import connection

from inference.phantoms import make_phantom
from tests.factories.filed import a_filed_scan
from webapp.archive import queries, storage
from webapp.archive.actions import file_scan
from webapp.archive.filing import NewInstance, NewScan
from webapp.archive.models import Instance, Scan
from webapp.archive.upkeep import files_named_by
from webapp.archive.writing import begun
from webapp.audit.actor import SYSTEM
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused, Refusal

PHANTOM = make_phantom(1, shape_zyx=(23, 20, 24), spacing_zyx_mm=(12.0, 15.0, 13.0))


def new_scan(number: int = 1, **fields: str) -> NewScan:
    given = {"pseudonym": "GG-A", "study_uid": "2.25.1", "series_uid": f"2.25.1.{number}", "source": "dicom"}
    return NewScan(**{**given, **fields})


def instances(series: int = 1, count: int = 23) -> list[NewInstance]:
    return [NewInstance("1.2", f"2.25.9.{series}.{z}", f"file {series} {z}".encode(), (z,)) for z in range(count)]


def stored() -> list[Path]:
    return [path for path in Path(default_storage.path("")).rglob("*") if path.is_file()]


def file(number: int = 1, volume=PHANTOM.volume, **fields: str) -> Scan:
    return file_scan(new=new_scan(number, **fields), volume=volume, instances=instances(number), by=SYSTEM)


@pytest.mark.usefixtures("db")
def test_volume_comes_back_from_slabs_bit_for_bit():
    scan = file()
    volume = queries.volume_of(scan)
    assert np.array_equal(volume.hu, PHANTOM.volume.hu)
    assert volume.geometry_sha256() == scan.geometry_sha256 == PHANTOM.volume.geometry_sha256()
    assert volume.voxels_sha256() == scan.voxels_sha256
    assert [(slab["z_start"], slab["z_count"]) for slab in scan.slabs] == [(0, 10), (10, 10), (20, 3)]
    assert [content for content in queries.files_of(scan)] == [item.content for item in instances()]


@pytest.mark.usefixtures("db")
def test_files_lie_in_the_scans_own_path_under_their_hash():
    scan = file()
    paths = [path for _, path, _ in files_named_by(scan)]
    assert len(paths) == 3 + 23 + 1 + 6
    assert all(path.startswith(f"scans/{scan.pk}/") for path in paths)
    assert all(slab["sha256"] in slab["path"] for slab in scan.slabs)
    assert len(stored()) == len(paths)


@pytest.mark.usefixtures("db")
def test_damaged_and_missing_files_are_noticed():
    scan = file()
    path = Path(default_storage.path(scan.slabs[1]["path"]))
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(storage.DamagedFile, match="checksum"):
        queries.volume_of(scan)
    path.unlink()
    with pytest.raises(storage.DamagedFile, match="missing"):
        queries.slab_bytes(scan, 1)
    with pytest.raises(IndexError):
        queries.slab_bytes(scan, 3)


@pytest.mark.usefixtures("db")
def test_the_event_is_written_with_the_scan():
    scan = file()
    event = Event.objects.get(name="scan.filed")
    assert event.subject == f"scan:{scan.pk}"
    assert event.content["details"]["voxels_sha256"] == scan.voxels_sha256


@pytest.mark.usefixtures("db")
def test_files_go_when_the_callers_part_fails():
    def fail(_: Scan) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        file_scan(new=new_scan(), volume=PHANTOM.volume, instances=instances(), by=SYSTEM, then=fail)
    assert stored() == []
    assert (Scan.objects.count(), Event.objects.count()) == (0, 0)


@pytest.mark.usefixtures("db")
def test_files_go_when_an_instance_cannot_be_made():
    def broken():
        yield from instances(count=5)
        raise ValueError

    with pytest.raises(ValueError):
        file_scan(new=new_scan(), volume=PHANTOM.volume, instances=broken(), by=SYSTEM)
    assert stored() == []


@pytest.mark.usefixtures("db")
def test_a_second_process_files_the_same_and_leaves_the_database_alone(monkeypatch):
    monkeypatch.setattr("webapp.archive.writing.is_possible", lambda: True)
    makers, told = [], []

    def made():
        for instance in instances():
            makers.append(instance)  # in the memory of whoever makes it
            yield instance

    with begun(made(), in_second_process=True) as images:
        scan = file_scan(new=new_scan(), volume=PHANTOM.volume, instances=images, by=SYSTEM, advance=told.append)
    assert makers == []
    assert told == list(range(1, 24))
    assert list(queries.files_of(scan)) == [item.content for item in instances()]
    by_it = {row.sop_uid: (row.z, row.sop_class_uid, row.path, row.sha256) for row in Instance.objects.all()}
    hashes = {row.sop_uid: row.voxels_sha256 for row in Instance.objects.all()}
    other = file_scan(new=new_scan(2), volume=PHANTOM.volume, instances=instances(2), by=SYSTEM)
    by_threads = {row.sop_uid: row for row in Instance.objects.filter(scan=other)}
    for uid, (z, sop_class, path, _) in by_it.items():
        twin = by_threads[uid.replace("2.25.9.1.", "2.25.9.2.")]
        assert (z, sop_class, hashes[uid]) == (twin.z, twin.sop_class_uid, twin.voxels_sha256)
        assert path.startswith(f"scans/{scan.pk}/instances/")


@pytest.mark.usefixtures("db")
def test_what_fails_in_a_second_process_leaves_nothing(monkeypatch):
    monkeypatch.setattr("webapp.archive.writing.is_possible", lambda: True)

    def broken():
        yield from instances(count=5)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space") as raised, begun(broken(), in_second_process=True) as images:
        file_scan(new=new_scan(), volume=PHANTOM.volume, instances=images, by=SYSTEM)
    assert raised.value.errno == 28
    assert stored() == []
    assert Scan.objects.count() == 0


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("forks", [True, False])
def test_a_scan_that_is_begun_and_not_filed_leaves_nothing(forks, monkeypatch):
    monkeypatch.setattr("webapp.archive.writing.is_possible", lambda: forks)
    with begun(instances(), in_second_process=True) as images:
        assert next(images.instances).sop_uid == "2.25.9.1.0"
        assert stored()
    assert stored() == []


@pytest.mark.usefixtures("db")
def test_the_same_series_gives_the_scan_that_is_there():
    scan = file()
    before = stored()
    assert file() == scan
    assert stored() == before
    assert Instance.objects.count() == 23
    assert Event.objects.filter(name="scan.filed").count() == 2


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"number": 1, "other_voxels": True}, "other_pixels"),
        ({"number": 1, "of_series": 2}, "images_in_other_series"),
        ({"number": 2, "pseudonym": "GG-B"}, "study_of_two_patients"),
    ],
)
def test_contradictions_are_refused_and_leave_nothing(change, code):
    file()
    before = stored()
    hu = PHANTOM.volume.hu.copy()
    if change.get("other_voxels"):
        hu[4, 3, 2] += 1
    volume = type(PHANTOM.volume)(hu, PHANTOM.volume.affine_lps)
    new = new_scan(change.get("of_series", change["number"]), pseudonym=change.get("pseudonym", "GG-A"))
    with pytest.raises(ActionRefused) as refused:
        file_scan(new=new, volume=volume, instances=instances(change["number"]), by=SYSTEM)
    assert refused.value.code == code
    assert stored() == before
    assert Scan.objects.count() == 1


@pytest.mark.usefixtures("db")
def test_a_grown_series_is_refused():
    file()
    shorter = type(PHANTOM.volume)(PHANTOM.volume.hu[:20].copy(), PHANTOM.volume.affine_lps)
    with pytest.raises(ActionRefused, match="but other images"):
        file_scan(new=new_scan(), volume=shorter, instances=instances(count=20), by=SYSTEM)


@pytest.mark.usefixtures("db")
def test_refused_filing_leaves_one_event():
    def refuse(_: Scan) -> None:
        raise ActionRefused(Refusal("no", "Not into this campaign."))

    with pytest.raises(ActionRefused):
        file_scan(new=new_scan(), volume=PHANTOM.volume, instances=instances(), by=SYSTEM, then=refuse)
    (event,) = Event.objects.all()
    assert (event.name, event.content["details"]["action"]) == ("action.refused", "archive.file_scan")


def test_two_who_file_the_same_series_at_once_file_one(transactional_db):
    def one(_: int) -> Scan:
        try:
            return file()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(one, range(2)))
    scan = Scan.objects.get()
    assert results == [scan, scan]
    assert {path.parent.parent.name for path in stored()} == {str(scan.pk)}


@pytest.mark.usefixtures("db")
def test_real_dicom_of_a_phantom_is_filed_in_z_order(tmp_path):
    scan, volume, _ = a_filed_scan(tmp_path)
    assert [instance.z for instance in queries.instances_of(scan)] == list(range(volume.shape_zyx[0]))
