"""Real scans of the data folder: voxels and places as SimpleITK reads them, bad ones refused."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import encapsulate, generate_frames

from inference.baseline import segment
from inference.imaging.decoding import stored_frames
from inference.imaging.dicom import (
    SeriesRefused,
    SeriesVolume,
    read_header_group,
    volume_from_datasets,
    volume_from_files,
)
from inference.imaging.formats import read_mask, read_picture_masks, read_pictures, read_volume
from inference.imaging.grids import Grid, align_mask, align_picture_mask
from inference.imaging.reading import read_file
from inference.imaging.volume import Volume
from inference.measures.quantification import measure
from tests.dcmtk import dcmtk

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
    series = read(folder)
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    same_as_simpleitk(series.volume, reader.Execute())
    assert [warning.code for warning in series.warnings] == []
    paths = sorted(folder.iterdir())
    for z, place in enumerate(series.places):
        there = dcmread(paths[place.file], stop_before_pixels=True).ImagePositionPatient
        assert np.allclose(list(map(float, there)), (series.volume.affine_lps @ (0, 0, z, 1))[:3], atol=5e-3)


def same_as_simpleitk(volume: Volume, image: SimpleITK.Image) -> None:
    assert np.array_equal(SimpleITK.GetArrayFromImage(image), volume.hu)
    x, y, z = (n - 1 for n in image.GetSize())
    for index in ((0, 0, 0), (x, 0, 0), (0, y, 0), (0, 0, z), (x, y, z)):
        ours = (volume.affine_lps @ (*index, 1))[:3]
        assert np.allclose(image.TransformIndexToPhysicalPoint(index), ours, atol=1e-6)


@pytest.mark.parametrize("number", [0, 1])
def test_slices_of_minimal_headers_are_those_of_simpleitk(real_data: Path, number: int) -> None:
    folder = real_data / "dicom" / "two-slices-minimal-header"
    volume = read(folder).volume
    image = SimpleITK.ReadImage(str(folder / f"{number}.dcm"))
    [z] = [z for z in range(2) if np.allclose((volume.affine_lps @ (0, 0, z, 1))[:3], image.GetOrigin(), atol=1e-6)]
    assert np.array_equal(SimpleITK.GetArrayFromImage(image)[0], volume.hu[z])


def test_single_slices_in_lossless_syntaxes_are_those_of_simpleitk(real_data: Path) -> None:
    folder = real_data / "dicom" / "transfer-syntaxes"
    files = [path for path in sorted(folder.iterdir()) if any(word in path.name for word in LOSSLESS)]
    for path in [*files, folder / "CT1_J2KR", folder / "CT2_J2KR", folder / "CTImage.dcm"]:
        volume = volume_from_files([path]).volume
        image = SimpleITK.ReadImage(str(path))
        theirs = SimpleITK.GetArrayFromImage(image)
        # Padding of -32768 less 1024 does not fit 16 bits; it weighs nothing either way.
        assert np.array_equal(np.maximum(theirs, -32768), volume.hu), path.name
        for index in ((0, 0, 0), (511, 511, 0)):
            ours = (volume.affine_lps @ (*index, 1))[:3]
            assert np.allclose(image.TransformIndexToPhysicalPoint(index), ours, atol=1e-6)


def test_an_nrrd_scan_and_its_mask_are_those_of_simpleitk(real_data: Path) -> None:
    folder = real_data / "volumes"
    read_scan = read_volume(folder / "ct-64.nrrd")
    same_as_simpleitk(read_scan.volume, SimpleITK.ReadImage(str(folder / "ct-64.nrrd")))
    assert read_scan.volume.has_hu
    mask = read_mask(folder / "wholeLung-64.nrrd")
    assert mask.affine_lps is not None
    placed = align_mask(mask.labels, mask.affine_lps, Grid.of(read_scan.volume))
    theirs = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(folder / "wholeLung-64.nrrd")))
    assert np.array_equal(placed, theirs)
    assert read_scan.volume.hu[placed > 0].mean() < -600


@pytest.mark.parametrize("name", ["coronacases_001", "radiopaedia_10_85902_1"])
def test_picture_cases_and_their_masks_are_read_slice_by_slice(real_data: Path, name: str) -> None:
    folder = real_data / "covid20-slices" / name
    scan = read_pictures([(path.name, path) for path in (folder / "ct").iterdir()]).volume
    assert (scan.has_hu, scan.has_spacing) == (False, False)
    order = sorted((folder / "ct").iterdir(), key=lambda path: int(path.stem))
    for layer in ("lung", "lesion"):
        masks = read_picture_masks([(path.name, path) for path in (folder / layer).iterdir()])
        placed = align_picture_mask(masks.labels, scan)
        assert set(np.unique(placed)) <= {0, 1}
        for z in (0, len(order) // 2, len(order) - 1):
            assert np.array_equal(scan.hu[z], np.asarray(Image.open(order[z])))
            assert np.array_equal(placed[z], np.asarray(Image.open(folder / layer / order[z].name)))


def test_pictures_of_many_patients_and_sizes_are_refused_as_one_case_and_read_alone(real_data: Path) -> None:
    pictures = sorted((real_data / "medseg-slices" / "ct").iterdir())
    with pytest.raises(SeriesRefused, match="differ in size"):
        read_pictures([(path.name, path) for path in pictures])
    assert all(read_volume(path).volume.shape_zyx[0] == 1 for path in pictures[:5])


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


@pytest.mark.parametrize("syntax", ["50", "51", "53", "55"])
def test_lossy_jpeg_is_what_dcmtk_makes_of_it(real_data: Path, tmp_path: Path, syntax: str) -> None:
    """Two decoders may round the inverse cosine transform differently, by one (ISO/IEC 10918-2), and no further."""
    folder = real_data / "dicom" / "transfer-syntaxes"
    named = re.compile(rf"(4|_baseline)\.{syntax}\.dcm$")
    compressed = [path for path in folder.iterdir() if named.search(path.name)]
    assert len(compressed) == (2 if syntax == "51" else 1)
    for path in compressed:
        native = tmp_path / path.name
        subprocess.run([dcmtk("dcmdjpeg"), str(path), str(native)], check=True, capture_output=True)
        assert not dcmread(native).file_meta.TransferSyntaxUID.is_encapsulated
        frames = range(int(dcmread(native).get("NumberOfFrames", 1)))
        ours, theirs = (np.stack(list(stored_frames(read_file(one), frames))).astype(int) for one in (path, native))
        assert ours.shape == theirs.shape
        assert np.ptp(ours) > 100
        difference = np.abs(ours - theirs)
        assert difference.max() <= 1
        assert np.count_nonzero(difference) < 0.05 * difference.size


def test_a_real_frame_that_is_cut_is_refused_in_every_syntax(real_data: Path) -> None:
    compressed = 0
    for path in sorted((real_data / "dicom" / "transfer-syntaxes").glob("CTImage.dcm_*")):
        dataset = dcmread(path)
        if not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
            continue
        compressed += 1
        frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
        for kept in (0.3, 0.995):
            dataset.PixelData = encapsulate([frame[: int(kept * len(frame))]])
            with pytest.raises(SeriesRefused) as refusal:
                volume_from_datasets([dataset])
            assert refusal.value.code == "pixels"
    assert compressed == 11


@pytest.mark.slow
def test_real_frames_damaged_in_many_ways_give_voxels_or_a_sentence(real_data: Path) -> None:
    """Were a decoder to crash, this process would end here."""
    random = np.random.default_rng(5)
    for path in sorted((real_data / "dicom" / "transfer-syntaxes").glob("CTImage.dcm_*")):
        dataset = dcmread(path)
        if not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
            continue
        frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
        outcomes = set()
        for _ in range(60):
            damaged = np.frombuffer(frame, dtype=np.uint8).copy()
            reach = len(damaged) if random.random() < 0.5 else 600
            places = random.integers(0, reach, random.integers(1, 20))
            damaged[places] = random.integers(0, 256, len(places))
            dataset.PixelData = encapsulate([damaged.tobytes()])
            try:
                outcomes.add(volume_from_datasets([dataset]).volume.shape_zyx)
            except SeriesRefused as refusal:
                outcomes.add(refusal.code)
        assert outcomes <= {(1, 512, 512), "pixels"}
        assert "pixels" in outcomes, path.name


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
