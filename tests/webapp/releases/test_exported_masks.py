"""What leaves is the signed version: bit for bit, and where it was painted, as foreign readers see it."""

from pathlib import Path

import highdicom as hd
import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from tests.factories.filed import PRONE, a_filed_place, letter_f, read_and_sign
from tests.webapp.releases.conftest import body_of, client_of, unzipped

URL = "/campaigns/covid/cases/1/exports/"


@pytest.fixture(params=[None, PRONE], ids=["supine", "prone, odd corner"])
def turned(request, db, tmp_path: Path, settings):
    settings.GROUNDGLASS_HOME = tmp_path
    place = a_filed_place(tmp_path, affine_lps=request.param)
    read_and_sign(place.case, place.reader, letter_f(place.volume.shape_zyx))
    return place


def expected_layers(place) -> dict[str, np.ndarray]:
    findings = letter_f(place.volume.shape_zyx)
    return {"lung": place.anatomy, "lesion": (findings == 1).astype(np.uint8), "findings": findings}


def written(tmp_path: Path, members: dict[str, bytes]) -> dict[str, Path]:
    paths = {}
    for name, content in members.items():
        paths[name] = tmp_path / name
        paths[name].write_bytes(content)
    return paths


def test_nifti_is_bit_exact_and_right_way_round_for_nibabel_and_simpleitk(turned, tmp_path):
    response = client_of(turned.reader).get(f"{URL}nifti.zip")
    members = unzipped(body_of(response))
    assert set(members) == {
        "image.nii.gz",
        "lung.nii.gz",
        "lesion.nii.gz",
        "findings.nii.gz",
        "measurements.csv",
        "README.txt",
    }
    paths = written(tmp_path, members)
    expected: dict[str, np.ndarray] = {"image": turned.volume.hu, **expected_layers(turned)}
    affine_lps = turned.volume.affine_lps
    for name, array_zyx in expected.items():
        image = nib.load(paths[f"{name}.nii.gz"])
        stored = np.asanyarray(image.dataobj)
        assert stored.dtype == array_zyx.dtype
        np.testing.assert_array_equal(stored.transpose(2, 1, 0), array_zyx, err_msg=name)
        np.testing.assert_allclose(image.affine, np.diag([-1, -1, 1, 1]) @ affine_lps, atol=1e-4)
        picture = sitk.ReadImage(str(paths[f"{name}.nii.gz"]))
        np.testing.assert_array_equal(sitk.GetArrayFromImage(picture), array_zyx, err_msg=name)
        for ijk in ((0, 0, 0), (5, 0, 0), (0, 7, 0), (0, 0, 3), (9, 11, 6)):
            place = picture.TransformIndexToPhysicalPoint(ijk)
            np.testing.assert_allclose(place, (affine_lps @ [*ijk, 1])[:3], atol=1e-3)


@pytest.mark.parametrize("layer", ["findings", "anatomy"])
def test_seg_is_bit_exact_and_right_way_round_for_highdicom(turned, tmp_path, layer):
    response = client_of(turned.reader).get(f"{URL}{layer}.seg.dcm")
    assert response["Content-Type"] == "application/dicom"
    path = tmp_path / "layer.dcm"
    path.write_bytes(body_of(response))
    seg = hd.seg.segread(path)
    expected = letter_f(turned.volume.shape_zyx) if layer == "findings" else turned.anatomy
    inverse = np.linalg.inv(turned.volume.affine_lps)
    found = np.zeros_like(expected)
    for number in seg.segment_numbers:
        value = int(str(seg.get_segment_description(number).TrackingID).removeprefix("label "))
        volume = seg.get_volume(segment_numbers=[number], combine_segments=True)
        occupied = np.argwhere(np.asarray(volume.array) != 0)
        patient = volume.map_indices_to_reference(occupied)
        ijk = np.c_[patient, np.ones(len(patient))] @ inverse.T
        i, j, k = np.rint(ijk[:, :3]).astype(int).T
        assert np.abs(ijk[:, :3] - np.c_[i, j, k]).max() < 0.01
        found[k, j, i] = value
    np.testing.assert_array_equal(found, expected)


def test_segments_carry_the_codes_of_the_label_set(place, signed, tmp_path):
    path = tmp_path / "findings.dcm"
    path.write_bytes(body_of(client_of(place.reader).get(f"{URL}findings.seg.dcm")))
    seg = hd.seg.segread(path)
    described = [seg.get_segment_description(n) for n in seg.segment_numbers]
    codes = [(d.SegmentLabel, d.segmented_property_type.value) for d in described]
    assert codes == [
        ("COVID-19", "882784691000119100"),
        ("Reticulation", "112113"),
        ("Pleural effusion", "60046008"),
    ]
    sources = {item.ReferencedSOPInstanceUID for item in seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence}
    assert sources == set(place.case.scan.instances.values_list("sop_uid", flat=True))


def test_later_strokes_of_others_do_not_reach_an_exported_version(place, signed):
    """The version is exported, not whatever the mask's working state has become."""
    from webapp.masks.models import HeadSlice

    before = unzipped(body_of(client_of(place.reader).get(f"{URL}nifti.zip")))
    HeadSlice.objects.filter(mask=signed.mask).delete()
    after = unzipped(body_of(client_of(place.reader).get(f"{URL}nifti.zip")))
    assert before == after


def test_the_same_export_is_the_same_file_byte_for_byte(place, signed):
    for name in ("nifti.zip", "measurements.csv", "findings.seg.dcm", "anatomy.seg.dcm", "report.sr.dcm"):
        first = client_of(place.reader).get(f"{URL}{name}")
        second = client_of(place.reader).get(f"{URL}{name}")
        assert body_of(first) == body_of(second), name


def test_nifti_sourced_scan_gives_nifti_and_refuses_seg_with_a_sentence(db, tmp_path, settings):
    settings.GROUNDGLASS_HOME = tmp_path
    place = a_filed_place(tmp_path, nifti=True)
    read_and_sign(place.case, place.reader, letter_f(place.volume.shape_zyx))
    client = client_of(place.reader)
    refused = client.get(f"{URL}findings.seg.dcm")
    assert refused.status_code == 409
    assert "no DICOM images" in refused.content.decode()
    assert client.get(f"{URL}nifti.zip").status_code == 200
    readme = unzipped(body_of(client.get("/campaigns/covid/exports/seg.zip")))["README.txt"].decode()
    assert "Left out" in readme
    assert "no DICOM images" in readme


def test_large_exports_are_streamed_from_disk_and_whole(place, signed, monkeypatch):
    from webapp.releases import views

    whole = body_of(client_of(place.reader).get(f"{URL}nifti.zip"))
    monkeypatch.setattr(views, "IN_ONE_PIECE_BYTES", 10)
    monkeypatch.setattr(views, "BLOCK", 1000)
    response = client_of(place.reader).get(f"{URL}nifti.zip")
    assert response.streaming
    assert response.is_async
    with pytest.warns(Warning, match="asynchronous iterator"):
        assert body_of(response) == whole
    assert int(response["Content-Length"]) == len(whole)
