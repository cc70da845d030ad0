"""Volume files of every kind: 48 orientations come out right way round, hostile ones get a sentence."""

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import nrrd
import numpy as np
import pytest
import SimpleITK
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.imaging import axes
from inference.imaging.dicom import SeriesRefused
from inference.imaging.formats import read_mask, read_volume
from inference.imaging.gate import GateTolerances
from tests.factories.volume_files import FORMATS, write
from tests.inference.imaging.orientations import ORIENTATIONS, letter_f, turned, upright_affine


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(("order", "signs"), ORIENTATIONS)
def test_every_orientation_of_every_format_is_read_upright(
    order: tuple, signs: tuple, name: str, tmp_path: Path
) -> None:
    array, affine = turned(order, signs)
    read = read_volume(write(tmp_path / name, array, affine))
    assert np.array_equal(read.volume.hu, letter_f())
    assert np.allclose(read.volume.affine_lps, upright_affine(), atol=1e-5)
    assert read.volume.has_hu
    assert [*read.warnings, *read.notes] == []


@pytest.mark.parametrize("name", FORMATS)
def test_masks_of_every_format_keep_their_values(name: str, tmp_path: Path) -> None:
    array, affine = turned((2, 0, 1), (-1, 1, -1))
    labels = np.where(array == 300, 7, array > 0).astype(np.uint8)
    read = read_mask(write(tmp_path / name, labels, affine))
    assert np.array_equal(read.labels, np.where(letter_f() == 300, 7, letter_f() > 0))
    assert read.affine_lps is not None
    assert np.allclose(read.affine_lps, upright_affine(), atol=1e-5)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "two.nii"])  # ITK reads no NIfTI-2
def test_voxels_and_places_are_those_of_simpleitk(name: str, tmp_path: Path) -> None:
    array, affine = turned((0, 1, 2), (1, 1, 1))
    path = write(tmp_path / name, array, affine)
    image = SimpleITK.ReadImage(str(path))
    read = read_volume(path).volume
    assert np.array_equal(SimpleITK.GetArrayFromImage(image), read.hu)
    where = (read.affine_lps @ (6, 5, 4, 1))[:3]
    assert np.allclose(image.TransformIndexToPhysicalPoint((6, 5, 4)), where, atol=1e-5)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("name", ["a.nii", "a.nrrd", "a.mha"])
def test_every_number_type_is_read(kind: type, name: str, tmp_path: Path) -> None:
    values = np.arange(60).reshape(3, 4, 5).astype(kind)
    read = read_volume(write(tmp_path / name, values, upright_affine()))
    assert np.array_equal(read.volume.hu, values.transpose(2, 1, 0))
    assert [warning.code for warning in read.warnings] == ["no_hu"]


@pytest.mark.parametrize("name", ["a.nii", "a.nrrd", "a.mha"])
def test_fractions_are_rounded_and_said(name: str, tmp_path: Path) -> None:
    values = letter_f().transpose(2, 1, 0).astype(np.float32) + np.float32(0.4)
    read = read_volume(write(tmp_path / name, values, upright_affine()))
    assert np.array_equal(read.volume.hu, letter_f())
    assert [warning.code for warning in read.warnings] == ["rounded"]


def test_scaled_nifti_is_scaled_and_meters_become_mm(tmp_path: Path) -> None:
    affine = axes.lps_to_ras(np.diag([0.001, 0.001, 0.001, 1]) @ upright_affine())
    image = nib.Nifti1Image(letter_f().transpose(2, 1, 0) // 2 + 500, affine)
    image.header.set_slope_inter(2.0, -1000.0)
    image.header.set_xyzt_units("meter")
    nib.save(image, tmp_path / "a.nii")
    read = read_volume(tmp_path / "a.nii").volume
    assert np.array_equal(read.hu, letter_f())
    assert np.allclose(read.affine_lps, upright_affine(), atol=1e-4)


@pytest.mark.parametrize(
    ("space", "signs"),
    [
        ("right-anterior-superior", (-1, -1, 1)),
        ("left-anterior-superior", (1, -1, 1)),
        ("LPS", (1, 1, 1)),
        ("RAS", (-1, -1, 1)),
    ],
)
@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2", "ascii"])
def test_nrrd_spaces_and_encodings_are_understood(space: str, signs: tuple, encoding: str, tmp_path: Path) -> None:
    affine = np.diag([*signs, 1]) @ upright_affine()
    header = {"space": space, "space directions": affine[:3, :3].T, "space origin": affine[:3, 3], "encoding": encoding}
    nrrd.write(str(tmp_path / "a.nrrd"), letter_f().transpose(2, 1, 0), header)
    read = read_volume(tmp_path / "a.nrrd").volume
    assert np.array_equal(read.hu, letter_f())
    assert np.allclose(read.affine_lps, upright_affine())


def test_names_that_a_slicer_segmentation_gives_are_kept(tmp_path: Path) -> None:
    affine = upright_affine()
    header = {
        "space": "left-posterior-superior",
        "space directions": affine[:3, :3].T,
        "space origin": affine[:3, 3],
        "Segment0_Name": "Left lung",
        "Segment0_LabelValue": "1",
        "Segment1_Name": "Opacity",
        "Segment1_LabelValue": "4",
    }
    nrrd.write(str(tmp_path / "a.seg.nrrd"), np.ones((3, 4, 5), dtype=np.uint8), header)
    assert read_mask(tmp_path / "a.seg.nrrd").names == {1: "Left lung", 4: "Opacity"}


@pytest.mark.parametrize("name", ["scan.nhdr", "scan.mhd"])
def test_detached_headers_are_read_from_a_zip(name: str, tmp_path: Path) -> None:
    write(tmp_path / name, letter_f().transpose(2, 1, 0), upright_affine())
    archive = tmp_path / "both.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in tmp_path.glob("scan.*"):
            packed.write(path, path.name)
    asked = []
    with zipfile.ZipFile(archive) as packed:

        def companion(other: str) -> io.BytesIO:
            asked.append(other)
            return io.BytesIO(packed.read(other))

        read = read_volume(io.BytesIO(packed.read(name)), "the scan", companions=companion)
    assert np.array_equal(read.volume.hu, letter_f())
    assert len(asked) == 1


@pytest.mark.parametrize("named", ["../scan.raw", "/etc/passwd", "a/b.raw", "..\\scan.raw", "C:scan.raw", ".hidden"])
def test_a_header_never_makes_another_folders_file_be_read(named: str, tmp_path: Path) -> None:
    path = write(tmp_path / "scan.mhd", letter_f().transpose(2, 1, 0), upright_affine())
    path.write_text(path.read_text().replace("scan.raw", named))
    with pytest.raises(SeriesRefused) as refusal:
        read_volume(path)
    assert refusal.value.code == "companion"


def test_a_companion_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    path = write(tmp_path / "scan.mhd", letter_f().transpose(2, 1, 0), upright_affine())
    (tmp_path / "elsewhere").write_bytes((tmp_path / "scan.raw").read_bytes())
    (tmp_path / "scan.raw").unlink()
    (tmp_path / "scan.raw").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SeriesRefused) as refusal:
        read_volume(path)
    assert refusal.value.code == "detached"


def test_a_stream_is_read_and_called_by_the_name_that_is_given(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.nii.gz", letter_f().transpose(2, 1, 0), upright_affine()).read_bytes()
    assert np.array_equal(read_volume(io.BytesIO(whole), "file 3").volume.hu, letter_f())
    with pytest.raises(SeriesRefused, match="file 3 is a broken NIfTI file"):
        read_volume(io.BytesIO(whole[:-40]), "file 3")


def test_a_nifti_pair_asks_for_its_other_half(tmp_path: Path) -> None:
    pair = nib.Nifti1Pair(letter_f().transpose(2, 1, 0), axes.lps_to_ras(upright_affine()))
    nib.save(pair, tmp_path / "scan.hdr")
    with pytest.raises(SeriesRefused) as refusal:
        read_volume(tmp_path / "scan.hdr")
    assert refusal.value.code == "detached"


def test_a_bomb_unpacks_to_no_more_than_its_header_announces(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.nii", letter_f().transpose(2, 1, 0), upright_affine()).read_bytes()
    bomb = gzip.compress(whole + bytes(64 * 1024 * 1024))
    assert np.array_equal(read_volume(io.BytesIO(bomb)).volume.hu, letter_f())
    nrrd_file = write(tmp_path / "a.nrrd", letter_f().transpose(2, 1, 0), upright_affine()).read_bytes()
    header, _, body = nrrd_file.partition(b"\n\n")
    bomb = header + b"\n\n" + gzip.compress(gzip.decompress(body) + bytes(64 * 1024 * 1024))
    assert np.array_equal(read_volume(io.BytesIO(bomb)).volume.hu, letter_f())


REFUSED: list[tuple[str, str, Callable[[bytes], bytes], str]] = [
    ("no space", "a.nrrd", lambda b: b.replace(b"space: left-posterior-superior\n", b""), "no_place"),
    ("scanner space", "a.nrrd", lambda b: b.replace(b"left-posterior-superior", b"scanner-xyz"), "no_place"),
    ("no origin", "a.nrrd", lambda b: b.replace(b"space origin", b"space  origin"), "no_place"),
    ("many files", "a.nrrd", lambda b: b.replace(b"\n\n", b"\ndata file: s%03d.raw 1 5 1\n\n", 1), "encoding"),
    ("no end", "a.nrrd", lambda b: b.split(b"\n\n")[0], "broken_file"),
    ("cut", "a.nrrd", lambda b: b[:-8], "broken_file"),
    ("hostile skip", "a.nrrd", lambda b: b.replace(b"\n\n", b"\nbyte skip: 99999999999\n\n", 1), "broken_file"),
    ("hostile lines", "a.nrrd", lambda b: b.replace(b"\n\n", b"\nline skip: 99999999999\n\n", 1), "broken_file"),
    ("huge", "a.nrrd", lambda b: b.replace(b"sizes: 7 6 5", b"sizes: 4096 4096 4096"), "volume_size"),
    ("negative", "a.nrrd", lambda b: b.replace(b"sizes: 7 6 5", b"sizes: -7 -6 5"), "volume_size"),
    ("blocks", "a.nrrd", lambda b: b.replace(b"type: short", b"type: block").replace(b"int16", b"block"), "numbers"),
    ("no matrix", "a.mha", lambda b: b.replace(b"TransformMatrix", b"Matrix"), "no_place"),
    ("no spacing", "a.mha", lambda b: b.replace(b"ElementSpacing", b"Spacing"), "volume_spacing"),
    (
        "zero spacing",
        "a.mha",
        lambda b: b.replace(b"ElementSpacing = 0.625", b"ElementSpacing = 0.0"),
        "volume_spacing",
    ),
    ("channels", "a.mha", lambda b: b.replace(b"ElementType", b"ElementNumberOfChannels = 3\nElementType"), "numbers"),
    ("text", "a.mha", lambda b: b.replace(b"BinaryData = True", b"BinaryData = False"), "encoding"),
    ("a list", "a.mha", lambda b: b.replace(b"= LOCAL", b"= LIST"), "encoding"),
    ("cut", "a.mha", lambda b: b[:-8], "broken_file"),
    ("no end", "a.mha", lambda b: b.split(b"ElementDataFile")[0], "broken_file"),
    ("huge", "a.mha", lambda b: b.replace(b"DimSize = 7 6 5", b"DimSize = 4096 4096 4096"), "volume_size"),
    ("unlike sizes", "a.mha", lambda b: b.replace(b"DimSize = 7 6 5", b"DimSize = 7 6"), "broken_file"),
    ("far voxels", "a.nii", lambda b: b[:108] + np.float32(1e12).tobytes() + b[112:], "broken_file"),
    ("no magic", "a.nii", lambda b: b[:344] + b"\0\0\0\0" + b[348:], "analyze"),
    ("not a scan", "a.nii", lambda b: b"plain text", "unknown_format"),
    ("empty", "a.nii", lambda b: b"", "empty_file"),
]


@pytest.mark.parametrize(("name", "change", "code"), [row[1:] for row in REFUSED], ids=[r[0] + r[1] for r in REFUSED])
def test_hostile_volumes_are_refused_with_a_sentence(
    name: str, change: Callable[[bytes], bytes], code: str, tmp_path: Path
) -> None:
    whole = write(tmp_path / name, letter_f().transpose(2, 1, 0), upright_affine()).read_bytes()
    assert change(whole) != whole
    with pytest.raises(SeriesRefused) as refusal:
        read_volume(io.BytesIO(change(whole)), name)
    assert refusal.value.code == code
    assert name in refusal.value.sentence


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "two.nii", "a.nrrd", "a.mha", "packed.mha"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8),
    kept=st.sampled_from([1.0, 1.0, 0.9, 0.3]),
)
def test_damaged_volumes_give_a_volume_or_a_sentence(
    name: str, flips: list[tuple[float, int]], kept: float, whole_volumes: dict[str, bytes]
) -> None:
    whole = bytearray(whole_volumes[name])
    for place, value in flips:
        whole[int(place * min(len(whole), 500))] = value
    data = bytes(whole[: max(1, int(kept * len(whole)))])
    try:
        read = read_volume(io.BytesIO(data), name)
    except SeriesRefused as refusal:
        told = refusal.sentence
    else:
        told = f"{read.volume.hu.size} voxels."
    assert told.endswith(".")


@pytest.fixture(scope="module")
def whole_volumes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    names = ("a.nii", "a.nii.gz", "two.nii", "a.nrrd", "a.mha", "packed.mha")
    return {name: write(folder / name, letter_f().transpose(2, 1, 0), upright_affine()).read_bytes() for name in names}


def test_an_oblique_volume_is_refused_by_the_tolerance_that_is_given(tmp_path: Path) -> None:
    c, s = np.cos(0.03), np.sin(0.03)
    turn = np.array([[1, 0, 0, 0], [0, c, -s, 0], [0, s, c, 0], [0, 0, 0, 1]])
    path = write(tmp_path / "a.nii", letter_f().transpose(2, 1, 0), turn @ upright_affine())
    assert read_volume(path).volume.shape_zyx == letter_f().shape
    with pytest.raises(SeriesRefused, match=r"tilted by 1\.7 degrees"):
        read_volume(path, tolerances=GateTolerances(oblique_degrees=1.0))
