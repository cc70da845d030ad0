"""SEG and SR of a signed version and of an AI draft: filed beside the images, bit-exact, the same at every making."""

import io

import highdicom as hd
import numpy as np
import pytest
from pydicom import dcmread

from tests.factories.filed import a_filed_place, letter_f, read_and_sign
from tests.factories.reports import groups_of, walk
from webapp.archive.derived import object_bytes
from webapp.archive.headers import headers_of
from webapp.archive.models import DerivedObject, Series
from webapp.archive.queries import files_of
from webapp.archive.remarks import weight_remarks_of
from webapp.archive.upkeep import damaged_files
from webapp.audit.models import Event
from webapp.releases.objects import KINDS, objects_of
from webapp.releases.tasks import file_version

VOLUME, MASS, EXTENT, HU = "118565006", "118538004", "EXTENT", "112031"
INSIDE, OUTSIDE, PROPER = "INSIDELUNG", "OUTSIDELUNG", "LUNGPROPER"


def objects(version) -> dict[str, DerivedObject]:
    return {row.kind: row for row in DerivedObject.objects.filter(made_from=version.pk)}


def mask_in(seg: hd.seg.Segmentation, volume) -> np.ndarray:
    """The label values of a SEG on the volume's grid, placed by patient coordinates alone."""
    inverse, found = np.linalg.inv(volume.affine_lps), np.zeros(volume.shape_zyx, np.uint8)
    for number in seg.segment_numbers:
        value = int(str(seg.get_segment_description(number).TrackingID).removeprefix("label "))
        one = seg.get_volume(segment_numbers=[number], combine_segments=True)
        patient = one.map_indices_to_reference(np.argwhere(np.asarray(one.array) != 0))
        i, j, k = np.rint((np.c_[patient, np.ones(len(patient))] @ inverse.T)[:, :3]).astype(int).T
        found[k, j, i] = value
    return found


@pytest.fixture
def version(signed, run_jobs):
    """The version of the signed reading, after everything that jobs make of it."""
    run_jobs()
    return signed.signature.version


def test_a_signature_files_two_segmentations_and_a_report_in_the_scans_study(place, version):
    found = objects(version)
    assert set(found) == set(KINDS)
    series = {row.kind: row.series for row in found.values()}
    assert [series[kind].modality for kind in KINDS] == ["SEG", "SEG", "SR"]
    assert [series[kind].number for kind in KINDS] == [901, 902, 903]
    assert series["findings"].description == "Findings, signed by Covid-Reader"
    source = dcmread(io.BytesIO(next(files_of(place.case.scan))), stop_before_pixels=True)
    for row in found.values():
        stored = dcmread(io.BytesIO(object_bytes(row)), stop_before_pixels=True)
        assert (stored.StudyInstanceUID, stored.PatientID) == (source.StudyInstanceUID, source.PatientID)
        (header,) = headers_of(row.series)
        assert header["00080018"]["Value"] == [row.sop_uid] == [stored.SOPInstanceUID]


def test_segmentations_are_bit_exact_and_are_those_of_the_export(place, version, tmp_path):
    found = objects(version)
    for kind, expected in (("findings", letter_f(place.volume.shape_zyx)), ("anatomy", place.anatomy)):
        path = tmp_path / f"{kind}.dcm"
        path.write_bytes(object_bytes(found[kind]))
        np.testing.assert_array_equal(mask_in(hd.seg.segread(path), place.volume), expected)
        from webapp.releases.segmentations import write_layer_seg

        write_layer_seg(tmp_path / "again.dcm", version, kind)
        assert (tmp_path / "again.dcm").read_bytes() == path.read_bytes()


def test_the_report_says_what_the_mask_measures_to_the_last_digit(place, version):
    """Every number by plain numpy over the signed mask, compared with the report as pydicom alone reads it."""
    report = dcmread(io.BytesIO(object_bytes(objects(version)["report"])))
    groups = groups_of(report)
    findings, anatomy, hu = letter_f(place.volume.shape_zyx), place.anatomy, place.volume.hu
    ml = place.volume.voxel_volume_ml
    density = np.maximum((hu.astype(float) + 1000) / 1000, 0)
    lung = (anatomy > 0) & (findings != 5)
    lesion = (findings == 1) & (anatomy > 0)

    def close(group: str, key: tuple[str, str, str, str], expected: float) -> None:
        assert groups[group]["numbers"][key] == pytest.approx(expected, rel=1e-12), (group, key)

    close("lungs", (VOLUME, PROPER, "", "mL"), lung.sum() * ml)
    close("lungs", (MASS, PROPER, "", "g"), density[lung].sum() * ml)
    close("lesion", (EXTENT, "", "", "%"), 100 * lesion.sum() / lung.sum())
    close("lesion", (VOLUME, INSIDE, "", "mL"), lesion.sum() * ml)
    close("lesion", (MASS, INSIDE, "", "g"), density[lesion].sum() * ml)
    close("lesion", (VOLUME, OUTSIDE, "", "mL"), ((findings == 1) & (anatomy == 0)).sum() * ml)
    close("lesion", (HU, INSIDE, "373098007", "[hnsf'U]"), hu[lesion].mean())
    close("lesion", (HU, INSIDE, "386136009", "[hnsf'U]"), hu[lesion].std())
    bands = {"BANDGROUNDGLASS": (-750, -300), "BANDCONSOLIDATIO": (-300, 50)}
    for code, (low, high) in bands.items():
        close("lesion", (VOLUME, code, "", "mL"), ((hu >= low) & (hu < high) & lesion).sum() * ml)
    for side, value, code in (("left", 1, "7771000"), ("right", 2, "24028007")):
        here = lung & (anatomy == value)
        close(f"{side} lung", (VOLUME, PROPER, "", "mL"), here.sum() * ml)
        inside = lesion & (anatomy == value)
        close(f"lesion in {side} lung", (EXTENT, "", "", "%"), 100 * inside.sum() / here.sum())
        close(f"lesion in {side} lung", (MASS, INSIDE, "", "g"), density[inside].sum() * ml)
        assert {groups[f"{side} lung"]["side"], groups[f"lesion in {side} lung"]["side"]} == {code}
    for value in (1, 2, 5):
        inside = (findings == value) & (anatomy > 0)
        close(f"label {value}", (VOLUME, INSIDE, "", "mL"), inside.sum() * ml)
        close(f"label {value}", (MASS, INSIDE, "", "g"), density[inside].sum() * ml)
    assert "label 3" not in groups
    assert groups["label 1"]["finding"] == "882784691000119100"
    assert groups["label 2"]["finding"] == "112113"
    assert {group["site"] for group in groups.values()} == {"39607008"}


def test_the_report_refers_to_the_segments_that_are_there(version):
    found = objects(version)
    groups = groups_of(dcmread(io.BytesIO(object_bytes(found["report"]))))
    for kind, names in (("findings", ("label 1", "label 2", "label 5")), ("anatomy", ("left lung", "right lung"))):
        seg = dcmread(io.BytesIO(object_bytes(found[kind])), stop_before_pixels=True)
        numbers = {str(item.TrackingID): int(item.SegmentNumber) for item in seg.SegmentSequence}
        values = {"left lung": "label 1", "right lung": "label 2"}
        for name in names:
            assert groups[name]["segment"] == (found[kind].sop_uid, numbers[values.get(name, name)])


def test_highdicom_reads_the_report_back(version, tmp_path):
    path = tmp_path / "report.dcm"
    path.write_bytes(object_bytes(objects(version)["report"]))
    report = hd.sr.srread(path)
    regions = report.content.get_volumetric_roi_measurement_groups()
    assert {group.tracking_identifier for group in regions} == {
        *("left lung", "right lung", "label 1", "label 2", "label 5"),
    }
    ours = groups_of(dcmread(path))
    for group in [*regions, *report.content.get_image_measurement_groups()]:
        for item in group.get_measurements():
            derivation = item.derivation.value if item.derivation else ""
            key = (item.name.value, item.method.value if item.method else "", derivation, item.unit.value)
            assert ours[group.tracking_identifier]["numbers"][key] == item.value
    (observer,) = report.content.get_observer_contexts()
    assert str(observer.observer_identifying_attributes.name).startswith("Covid-Reader")


def test_the_report_keeps_the_versions_hash_and_every_parameter(version):
    report = dcmread(io.BytesIO(object_bytes(objects(version)["report"])))
    texts = {str(item.TextValue) for item in walk(report) if "TextValue" in item}
    assert f"version_sha256={version.sha256}" in texts
    assert "density_cap_g_per_ml=null" in texts
    assert any(text.startswith("bands_hu={") for text in texts)
    biases = {f"weight_biased_by={remark.short}" for remark in weight_remarks_of(version.mask.scan)}
    assert biases
    assert biases <= texts


def test_an_ai_draft_is_filed_as_the_algorithms_own(place, run_jobs):
    run_jobs()
    (version,) = {row.made_from for row in DerivedObject.objects.all()}
    found = {row.kind: row for row in DerivedObject.objects.filter(made_from=version)}
    assert found["findings"].series.description.startswith("Findings, AI draft by ")
    seg = dcmread(io.BytesIO(object_bytes(found["findings"])), stop_before_pixels=True)
    item = seg.SegmentSequence[0]
    assert item.SegmentAlgorithmType == "AUTOMATIC"
    identified = item.SegmentationAlgorithmIdentificationSequence[0]
    assert identified.AlgorithmName == place.campaign.draft_algorithm.title
    assert identified.AlgorithmParameters == "device=cpu"
    report = dcmread(io.BytesIO(object_bytes(found["report"])))
    assert report.PreliminaryFlag == "PRELIMINARY"
    assert place.campaign.draft_algorithm.title in str(report)


def test_making_them_again_changes_nothing(version, run_jobs):
    before = {row.kind: (row.sop_uid, row.sha256) for row in objects(version).values()}
    file_version(str(version.pk))
    assert {row.kind: (row.sop_uid, row.sha256) for row in objects(version).values()} == before
    fresh = {new.kind: new.content for new in objects_of(version)}
    assert fresh == {kind: object_bytes(row) for kind, row in objects(version).items()}
    assert Event.objects.filter(name="scan.objects_filed", body__contains=str(version.pk)).count() == 1


def test_a_half_made_set_is_completed(version):
    lost = objects(version)["report"]
    Series.objects.filter(pk=lost.series_id).delete()
    file_version(str(version.pk))
    assert set(objects(version)) == set(KINDS)
    event = Event.objects.filter(name="scan.objects_filed").order_by("-id").first().content
    assert set(event["details"]["objects"]) == {"report"}
    assert event["details"]["already_there"] == ["anatomy", "findings"]


def test_a_scan_that_came_as_nifti_gets_no_objects(db, tmp_path, settings, run_jobs):
    settings.GROUNDGLASS_HOME = tmp_path
    place = a_filed_place(tmp_path, nifti=True)
    read_and_sign(place.case, place.reader, letter_f(place.volume.shape_zyx))
    run_jobs()
    assert not DerivedObject.objects.exists()
    assert not Series.objects.exists()


def test_masks_without_lung_or_findings_are_filed_with_what_is_defined(place, run_jobs):
    signed = read_and_sign(place.case, place.reader, np.zeros(place.volume.shape_zyx, np.uint8))
    from webapp.masks.models import Version
    from webapp.releases.measurements import measured

    version = Version.objects.get(pk=signed.signature.version.pk)
    values = measured(version)
    values.values.update(extent_percent=None, lesion_mean_hu=None, lesion_sd_hu=None)
    values.save()
    run_jobs()
    groups = groups_of(dcmread(io.BytesIO(object_bytes(objects(version)["report"]))))
    names = {key[0] for key in groups["lesion"]["numbers"]}
    assert names == {VOLUME, MASS}
    assert "label 1" in groups


def test_damage_of_a_derived_object_is_found(version):
    from django.core.files.storage import default_storage

    assert list(damaged_files()) == []
    row = objects(version)["report"]
    with open(default_storage.path(row.path), "r+b") as file:
        file.write(b"damage")
    assert len(list(damaged_files())) == 1


def test_the_site_may_file_objects(signed, site_role):
    version = signed.signature.version
    with site_role():
        file_version(str(version.pk))
        assert set(objects(version)) == set(KINDS)
