"""Real scans of the data folder: voxels and places as SimpleITK reads them, bad ones refused."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from inference.baseline import segment
from inference.imaging.dicom import SeriesRefused, SeriesVolume, read_header_group, volume_from_files
from inference.imaging.volume import Volume
from inference.measures.quantification import measure

LOSSLESS = (
    "BigEndianExplicit",
    "DeflatedExplicit",
    "JPEG2000LosslessOnly",
    "JPEGLSLossless",
    "JPEGProcess14SV1",
    "JPEGProcess14Transfer",
    "LittleEndianExplicit",
    "LittleEndianImplicit",
    "RLELossless",
)


def read(folder: Path) -> SeriesVolume:
    group = read_header_group(sorted(folder.iterdir()))
    assert not group.refused
    [datasets] = group.series.values()
    return volume_from_files([Path(str(dataset.filename)) for dataset in datasets])


@pytest.mark.parametrize("name", ["ricord-001012-covid", "covidctmd-P001-covid", "covidctmd-normal001"])
def test_voxels_and_places_are_those_of_simpleitk(real_data: Path, name: str) -> None:
    folder = real_data / "dicom" / name
    volume = read(folder).volume
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    assert np.array_equal(SimpleITK.GetArrayFromImage(image), volume.hu)
    corner = [n - 1 for n in image.GetSize()]
    for index in ([0, 0, 0], corner):
        ours = (volume.affine_lps @ (*index, 1))[:3]
        assert np.allclose(image.TransformIndexToPhysicalPoint(index), ours, atol=1e-6)


def test_a_minimal_header_is_read_with_a_warning(real_data: Path) -> None:
    series = read(real_data / "dicom" / "two-slices-minimal-header")
    assert series.volume.shape_zyx == (2, 512, 512)
    assert "no_modality" in [warning.code for warning in series.warnings]


def test_every_transfer_syntax_decodes_and_lossless_ones_agree(real_data: Path) -> None:
    folder = real_data / "dicom" / "transfer-syntaxes"
    plain = volume_from_files([folder / "CTImage.dcm"]).volume
    for path in sorted(folder.glob("CTImage.dcm_*")):
        volume = volume_from_files([path]).volume
        if any(word in path.name for word in LOSSLESS):
            assert volume.voxels_sha256() == plain.voxels_sha256(), path.name
        else:
            assert np.abs(volume.hu[plain.hu > -1100].astype(int) - plain.hu[plain.hu > -1100]).mean() < 40, path.name


def test_a_sagittal_reformat_is_refused(real_data: Path) -> None:
    with pytest.raises(SeriesRefused) as refusal:
        read(real_data / "dicom" / "ricord-000906-sagittal-reformat")
    assert refusal.value.code == "not_axial"


def test_each_damaged_file_gets_a_sentence(real_data: Path) -> None:
    with pytest.raises(SeriesRefused) as refusal:
        read(real_data / "dicom" / "corrupt-j2k")
    assert refusal.value.code == "pixels"
    sentences = " ".join(detail.sentence for detail in refusal.value.details)
    assert all(name in sentences for name in ("000000.dcm", "000001.dcm", "000002.dcm"))


def test_an_enhanced_perfusion_map_is_refused(real_data: Path) -> None:
    path = real_data / "dicom" / "transfer-syntaxes" / "CT0012.fragmented_no_bot_jpeg_baseline.51.dcm"
    with pytest.raises(SeriesRefused, match=r"frame 1 is a computed map \(PERFUSION\)"):
        volume_from_files([path])


def drawn(volume: Volume):
    found = segment(volume)
    return measure(volume.hu, found.anatomy, found.findings, volume.voxel_volume_ml, [1])


@pytest.mark.slow
def test_the_baseline_finds_disease_where_there_is_some(real_data: Path) -> None:
    covid = drawn(read(real_data / "dicom" / "ricord-001012-covid").volume)
    assert 1200 < covid.left.lung_volume_ml < 1900
    assert 1200 < covid.right.lung_volume_ml < 1900
    assert 3 < covid.extent_percent < 30
    normal = drawn(read(real_data / "dicom" / "covidctmd-normal001").volume)
    assert 1400 < normal.left.lung_volume_ml < 2000
    assert normal.extent_percent < 0.5
