"""A case and its masks through DICOMweb, by dicomweb-client, from a running site: equal to what was sent and signed."""

import io
import threading
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import psutil
import pydicom
import pytest
import requests
import SimpleITK
from PIL import Image
from pydicom.uid import generate_uid

from tests.factories.reports import groups_of
from tests.journeys.exports import measure, original_scan, seg_zyx
from tests.journeys.fixtures import furnished_case, slug_of, small_phantom
from tests.journeys.formats import read_mask_container
from tests.journeys.program import Program
from tests.journeys.site import Person, Site, wait_until

pytestmark = [pytest.mark.journey]
Model = dict[str, Any]


def first(model: Model, tag: str) -> Any:
    return model[tag]["Value"][0]


def series_of(program: Program, slug: str, study: str) -> dict[str, Model]:
    """The series of a study by description."""
    return {first(one, "0008103E"): one for one in program.dicomweb(slug).search_for_series(study)}


def filed_objects(program: Program, slug: str, count: int) -> tuple[str, dict[str, Model]]:
    """The campaign's one study, once the worker has filed so many series of it."""

    def there() -> tuple[str, dict[str, Model]] | None:
        studies = program.dicomweb(slug).search_for_studies()
        found = series_of(program, slug, first(studies[0], "0020000D")) if studies else {}
        return (first(studies[0], "0020000D"), found) if len(found) == count else None

    return wait_until(f"{count} series of {slug}", there)


@pytest.fixture(scope="module")
def case(site: Site) -> tuple[str, dict[str, Person]]:
    """A drafted phantom with two readers who may not see each other, and whoever else may look."""
    return furnished_case(site, "dicomweb", "coordinator", "radiologist", "radiologist 2", "outsider")


@pytest.fixture(scope="module")
def reader(site: Site, case: tuple[str, dict[str, Person]]) -> tuple[Program, str]:
    """The first reader's program and their signed reading."""
    slug, people = case
    program = Program(site, people["radiologist"])
    return program, program.start_and_sign(slug, 1)


@pytest.fixture(scope="module")
def opened(case: tuple[str, dict[str, Person]], reader: tuple[Program, str]) -> tuple[Any, str, dict[str, Model]]:
    """dicomweb-client, the study's UID and its series: the scan, three objects of the draft, three of the reading."""
    slug, _ = case
    program, _ = reader
    study, series = filed_objects(program, slug, 7)
    return program.dicomweb(slug), study, series


@pytest.fixture(scope="module")
def image() -> SimpleITK.Image:
    """What was sent, as SimpleITK reads it."""
    return original_scan(small_phantom())


def the_scan(series: dict[str, Model]) -> str:
    (uid,) = [first(one, "0020000E") for one in series.values() if first(one, "00080060") == "CT"]
    return uid


def named(series: dict[str, Model], *words: str) -> str:
    (uid,) = [first(one, "0020000E") for name, one in series.items() if all(word in name for word in words)]
    return uid


def in_space(datasets: list[pydicom.Dataset]) -> list[pydicom.Dataset]:
    return sorted(datasets, key=lambda dataset: float(dataset.ImagePositionPatient[2]))


def test_searches_find_the_case_by_what_clients_ask_for(opened, case) -> None:
    client, study, series = opened
    (found,) = client.search_for_studies()
    pseudonym = first(found, "00100020")
    for filters in (
        {"PatientID": pseudonym},
        {"PatientName": f"{pseudonym[:6]}*"},
        {"StudyInstanceUID": study},
        {"ModalitiesInStudy": "SEG"},
        {"StudyDate": "18000101-"},
    ):
        assert [first(one, "0020000D") for one in client.search_for_studies(search_filters=filters)] == [study], filters
    assert client.search_for_studies(search_filters={"PatientID": "nobody"}) == []
    assert len(client.search_for_series(study, search_filters={"Modality": "SEG"})) == 4
    instances = client.search_for_instances(study, the_scan(series))
    assert len(instances) == 40
    paged = client.search_for_instances(study, limit=7, get_remaining=True)
    assert len(paged) == 46
    assert len({first(one, "00080018") for one in paged}) == 46
    fields = client.search_for_instances(study, the_scan(series), limit=1, fields=["ImagePositionPatient"])
    assert len(fields[0]["00200032"]["Value"]) == 3


def test_images_come_back_voxel_for_voxel(opened, image) -> None:
    client, study, series = opened
    hu = SimpleITK.GetArrayFromImage(image)
    datasets = in_space(client.retrieve_series(study, the_scan(series)))
    got = np.stack([d.pixel_array * int(d.RescaleSlope) + int(d.RescaleIntercept) for d in datasets])
    assert np.array_equal(got, hu)
    streamed = in_space(list(client.iter_series(study, the_scan(series))))
    assert [d.SOPInstanceUID for d in streamed] == [d.SOPInstanceUID for d in datasets]
    spacing = np.diff([float(d.ImagePositionPatient[2]) for d in datasets])
    assert np.allclose(spacing, image.GetSpacing()[2], atol=1e-6)
    one = client.retrieve_instance(study, the_scan(series), datasets[3].SOPInstanceUID)
    assert one.PixelData == datasets[3].PixelData


def test_metadata_frames_bulk_data_and_pictures_agree_with_the_images(opened, image) -> None:
    client, study, series = opened
    scan, hu = the_scan(series), SimpleITK.GetArrayFromImage(image)
    datasets = {d.SOPInstanceUID: d for d in client.retrieve_series(study, scan)}
    metadata = client.retrieve_series_metadata(study, scan)
    assert {first(one, "00080018") for one in metadata} == set(datasets)
    model = sorted(metadata, key=lambda one: one["00200032"]["Value"][2])[20]
    sop = first(model, "00080018")
    (frame,) = client.retrieve_instance_frames(study, scan, sop, [1])
    (bulk,) = client.retrieve_bulkdata(model["7FE00010"]["BulkDataURI"])
    assert frame == bulk == datasets[sop].PixelData
    picture = client.retrieve_instance_rendered(
        study, scan, sop, media_types=("image/png",), params={"window": "-600,1500,linear"}
    )
    grey = np.asarray(Image.open(io.BytesIO(picture)))
    expected = np.clip((hu[20] + 600.5) / 1499 + 0.5, 0, 1) * 255
    assert np.abs(grey - expected).max() <= 0.5001
    jpeg = client.retrieve_instance_frames_rendered(study, scan, sop, [1], media_types=("image/jpeg",))
    assert Image.open(io.BytesIO(jpeg)).size == (128, 128)
    assert first(client.retrieve_instance_metadata(study, scan, sop), "00080018") == sop


def test_the_masks_come_as_segmentations_equal_to_what_was_signed(opened, reader, image, tmp_path: Path) -> None:
    client, study, series = opened
    program, reading_id = reader
    signed, _ = read_mask_container(program.get(f"/api/readings/{reading_id}/mask/").content)
    assert signed["anatomy"].any()
    for kind, layer in (("Findings, signed", "findings"), ("Lungs, signed", "anatomy")):
        (dataset,) = client.retrieve_series(study, named(series, kind))
        path = tmp_path / f"{layer}.dcm"
        dataset.save_as(path)
        numbers = seg_zyx(path, image)
        labels = np.zeros(256, np.uint8)
        for item in dataset.SegmentSequence:
            labels[item.SegmentNumber] = int(str(item.TrackingID).removeprefix("label "))
        assert np.array_equal(labels[numbers], signed[layer]), kind


def test_the_report_carries_the_numbers_of_the_signed_mask(opened, reader, image, tmp_path: Path) -> None:
    client, study, series = opened
    program, reading_id = reader
    signed, _ = read_mask_container(program.get(f"/api/readings/{reading_id}/mask/").content)
    (report,) = client.retrieve_series(study, named(series, "Measurements, signed"))
    groups = groups_of(report)
    voxel_ml = float(np.prod(image.GetSpacing())) / 1000
    expected = measure(SimpleITK.GetArrayFromImage(image), signed["anatomy"], signed["findings"], voxel_ml)
    lesion = groups["lesion"]["numbers"]
    assert lesion["EXTENT", "", "", "%"] == pytest.approx(expected["extent_percent"], rel=1e-6)
    assert lesion["118538004", "INSIDELUNG", "", "g"] == pytest.approx(expected["weight_g"], rel=1e-6)
    lung = groups["lungs"]["numbers"]["118565006", "LUNGPROPER", "", "mL"]
    assert lung == pytest.approx(expected["lung_volume_ml"], rel=1e-6)
    report.save_as(tmp_path / "report.dcm")
    assert highdicom.sr.srread(tmp_path / "report.dcm").content.get_volumetric_roi_measurement_groups()
    segmentation = named(series, "Findings, signed")
    (seg,) = client.search_for_instances(study, segmentation)
    assert groups["label 1"]["segment"][0] == first(seg, "00080018")


def test_slicers_way_in_brings_the_whole_study(opened, tmp_path: Path) -> None:
    """The calls that 3D Slicer's DICOM module makes to import a study from a DICOMweb server, in their order."""
    client, study, _ = opened
    for number, series in enumerate(client.search_for_series(study_instance_uid=study)):
        uid = first(series, "0020000E")
        expected = {first(one, "00080018") for one in client.retrieve_series_metadata(study, uid)}
        folder = tmp_path / str(number)
        folder.mkdir()
        for place, instance in enumerate(client.iter_series(study_instance_uid=study, series_instance_uid=uid)):
            instance.save_as(folder / f"{place}.dcm")
        assert {pydicom.dcmread(path).SOPInstanceUID for path in folder.iterdir()} == expected


def test_nobody_sees_more_than_they_may(site: Site, case, opened) -> None:
    slug, people = case
    _, study, series = opened
    other = Program(site, people["radiologist 2"])
    theirs = series_of(other, slug, study)
    assert len(theirs) == 4
    assert not any("signed" in name for name in theirs)
    assert first(other.dicomweb(slug).search_for_studies()[0], "00201206") == 4
    hidden = named(series, "Findings, signed")
    assert other.get(f"/dicomweb/{slug}/studies/{study}/series/{hidden}").status_code == 404
    assert len(series_of(Program(site, people["coordinator"]), slug, study)) == 7
    outsider = Program(site, people["outsider"])
    for path in ("studies", "series", "instances", f"studies/{study}", f"studies/{study}/metadata"):
        assert outsider.get(f"/dicomweb/{slug}/{path}").status_code == 404
        assert requests.get(f"{site.address}/dicomweb/{slug}/{path}", timeout=60).status_code == 401


def test_hostile_requests_get_a_status_and_a_sentence(case, reader) -> None:
    slug, _ = case
    program, _ = reader
    root = f"/dicomweb/{slug}"
    for path, statuses in {
        f"{root}/studies?limit=999999999999999999999": {400},
        f"{root}/studies?limit=1&offset=99999999999999": {204},
        f"{root}/studies?PatientID=%00": {400},
        f"{root}/studies?PatientID=%27%3B%20DROP%20TABLE%20archive_study%3B--": {204},
        f"{root}/studies?PatientName={'%25' * 64}": {204},
        f"{root}/studies?{'&'.join(f'a{n}=1' for n in range(1500))}": {400},
        f"{root}/studies?StudyInstanceUID={'1.2,' * 4000}1": {400, 414, 431},
        f"{root}/studies/..%2F..%2F..%2Fetc%2Fpasswd/metadata": {400, 404},
        f"{root}/studies/1.2.3%00/metadata": {400, 404},
        f"{root}/studies/{'9' * 300}/series": {400},
        f"{root}/studies/1.2/series/1.3/instances/1.4/frames/1,2,3": {404},
        f"{root}/studies/1.2/series/1.3/instances/1.4/bulkdata/..%2F..%2Fsecrets": {404},
        "/dicomweb/no%20such/studies": {404},
    }.items():
        answer = program.get(path)
        assert answer.status_code in statuses, (path[:80], answer.status_code)
        assert "Traceback" not in answer.text
    assert program.get(f"{root}/studies").status_code == 200


def test_compressed_images_come_plain_or_as_they_are_kept(site: Site, request, data_folder: Path, tmp_path) -> None:
    """Twelve slices of a real scan in lossless JPEG: equal to SimpleITK's voxels, whichever way they come."""
    slug = slug_of(request.node.name)
    people = site.furnish(slug, "coordinator")
    chosen = tmp_path / "twelve"
    chosen.mkdir()
    paths = sorted(
        (data_folder / "dicom" / "ricord-001012-covid").glob("*.dcm"),
        key=lambda path: float(pydicom.dcmread(path, stop_before_pixels=True).ImagePositionPatient[2]),
    )
    # A series of its own: others bring the whole scan into this site under the UIDs that it came with.
    series_uid = generate_uid()
    for path in paths[100:112]:
        image = pydicom.dcmread(path)
        image.SeriesInstanceUID, image.SOPInstanceUID = series_uid, generate_uid()
        image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
        image.save_as(chosen / path.name)
    site.ingest(chosen, slug=slug)
    program = Program(site, people["coordinator"])
    client = program.dicomweb(slug)
    study = first(wait_until("the series", client.search_for_studies)[0], "0020000D")
    (scan,) = [first(s, "0020000E") for s in client.search_for_series(study) if first(s, "00080060") == "CT"]
    hu = SimpleITK.GetArrayFromImage(original_scan(chosen))
    plain = in_space(client.retrieve_series(study, scan))
    assert {d.file_meta.TransferSyntaxUID for d in plain} == {"1.2.840.10008.1.2.1"}
    assert np.array_equal(np.stack([d.pixel_array + int(d.RescaleIntercept) for d in plain]), hu)
    kept = in_space(client.retrieve_series(study, scan, media_types=(("application/dicom", "*"),)))
    assert {d.file_meta.TransferSyntaxUID for d in kept} == {"1.2.840.10008.1.2.4.70"}
    assert np.array_equal(np.stack([d.pixel_array + int(d.RescaleIntercept) for d in kept]), hu)
    sop = kept[4].SOPInstanceUID
    (native,) = client.retrieve_instance_frames(study, scan, sop, [1])
    assert native == plain[4].PixelData
    (stream,) = client.retrieve_instance_frames(study, scan, sop, [1], media_types=("image/jpeg",))
    assert stream[:2] == b"\xff\xd8"
    assert stream.rstrip(b"\0") == next(pydicom.encaps.generate_frames(kept[4].PixelData, number_of_frames=1)).rstrip(
        b"\0"
    )
    assert not any("ricord" in str(d).lower() for d in kept)


@pytest.mark.slow
def test_a_study_of_600_slices_is_streamed_in_little_memory(site: Site, request, tmp_path: Path) -> None:
    slug = slug_of(request.node.name)
    people = site.furnish(slug, "coordinator")
    site.ingest(many_slices(tmp_path / "600", 600), slug=slug)
    program = Program(site, people["coordinator"])
    client = program.dicomweb(slug)
    study = first(wait_until("the series", client.search_for_studies)[0], "0020000D")
    web = psutil.Process(site.processes["web"].pid)
    before, peak, done = memory_of(web), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], memory_of(web))

    watcher = threading.Thread(target=watch)
    watcher.start()
    size = 0
    with program.get(f"/dicomweb/{slug}/studies/{study}", stream=True) as answer:
        for chunk in answer.iter_content(64 * 1024):
            size += len(chunk)
    done.set()
    watcher.join()
    assert size > 600 * 256 * 256 * 2
    assert peak[0] - before < size / 3


def memory_of(process: psutil.Process) -> int:
    return sum(p.memory_info().rss for p in [process, *process.children(recursive=True)])


def many_slices(folder: Path, count: int) -> Path:
    """A series of many slices of noise, each 256 x 256."""
    template = pydicom.dcmread(next(iter(sorted(small_phantom().glob("*")))))
    folder.mkdir()
    noise = np.random.default_rng(5).integers(0, 2000, (256, 256), dtype=np.int16)
    series = pydicom.uid.generate_uid()
    for z in range(count):
        template.SOPInstanceUID = template.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
        template.SeriesInstanceUID, template.InstanceNumber = series, z + 1
        template.ImagePositionPatient = [*template.ImagePositionPatient[:2], z * 1.0]
        template.Rows = template.Columns = 256
        template.PixelData = np.roll(noise, z, axis=0).tobytes()
        template.save_as(folder / f"{z:04d}.dcm")
    return folder
