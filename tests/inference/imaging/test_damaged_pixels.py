"""Damaged and hostile pixel data: a sentence each time, never a crash, a hang or made-up voxels without a word."""

import base64
import copy
import io
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from inference.imaging.codestreams import claimed_size
from inference.imaging.dicom import SeriesRefused, read_file, volume_from_datasets, volume_from_files
from inference.imaging.reading import require_inflatable
from inference.imaging.volume import Volume
from inference.phantoms import Phantom, make_phantom, write_dicom_series
from inference.phantoms.enhanced import write_enhanced_series

SYNTAXES = [RLELossless, JPEG2000Lossless, JPEGLSLossless]
# Made once with OpenJPH: 24 rows of 32 columns, the value at (x, y) is 40 x + 2 y squared.
HTJ2K = base64.b64decode(
    "/0//UQApQAAAAAAgAAAAGAAAAAAAAAAAAAAAIAAAABgAAAAAAAAAAAABDwEB/1AACAACAAAACv9SAAwAAgABAAUEBEAB/1wAEyCIkJCQkJCQkJCQ"
    "kJCQiIiI/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAASsAAf+TwAAmnfsFB3QAwAATQAATALb9Aod0ALj8Aod0AMAAE8AAE4DatP0C"
    "AnQAW7f+AGI0AMAAFTAABaZsbGygYjGCdgD/f/9//y9UUaJE/QAAD3MkMbgAwAAVsAAF1wAymUwmk/3ninpxAncA/3//f/9//3//f/9//z/ge+B7"
    "4Hvge+B74Hvge+D7BCACCEIAMf16/WXzGzGwAcAALUgABe1AjuM4juM4juM4+f4Kenp6enCCewD/f/9//3//f/9//3//f/9//3//f/9/fyAbyAay"
    "gWwgG8gGsoFsIBvIBrKBbCAbyAaygex4CEACCIQAIIhAAgiEADH9ev16/Xr9Zf16/Xr9ev1l/Xr9ev16/WX9ev16/Xr9ZfMbMbMbMbcD/9k="
)


@pytest.fixture(scope="module")
def slice_of(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    phantom = make_phantom(3, shape_zyx=(1, 48, 64), spacing_zyx_mm=(2.5, 1.5, 1.25))
    [path] = write_dicom_series(phantom, tmp_path_factory.mktemp("one"))
    return dcmread(path)


def htj2k(slice_of: Dataset, frame: bytes = HTJ2K) -> Dataset:
    dataset = copy.deepcopy(slice_of)
    dataset.Rows, dataset.Columns, dataset.PixelRepresentation = 24, 32, 0
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].is_undefined_length = True
    return dataset


@pytest.mark.parametrize("last", ["201", "202", "203"])
def test_high_throughput_jpeg_2000_is_decoded_exactly(slice_of: Dataset, last: str) -> None:
    dataset = htj2k(slice_of)
    dataset.file_meta.TransferSyntaxUID = f"1.2.840.10008.1.2.4.{last}"
    y, x = np.mgrid[:24, :32]
    assert np.array_equal(volume_from_datasets([dataset]).volume.hu[0], 40 * x + 2 * y * y - 1024)


def volume_or_refusal(read: Callable[[], Volume]) -> Volume | SeriesRefused:
    """What was read, or why it was refused; anything else that is raised fails the test."""
    try:
        return read()
    except SeriesRefused as refusal:
        return refusal


damage = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=12)


def damaged(frame: bytes, flips: list[tuple[float, int]], cut: float) -> bytes:
    changed = bytearray(frame)
    for place, value in flips:
        changed[int(place * len(changed))] = value
    return bytes(changed[: max(1, int(cut * len(changed)))])


@pytest.mark.parametrize("syntax", [*SYNTAXES, "1.2.840.10008.1.2.4.201"])
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=damage, cut=st.sampled_from([1.0, 1.0, 0.99, 0.7, 0.1]))
def test_damaged_frames_give_voxels_or_a_sentence(
    slice_of: Dataset, syntax: str, flips: list[tuple[float, int]], cut: float
) -> None:
    dataset = copy.deepcopy(slice_of)
    if syntax in SYNTAXES:
        dataset.compress(syntax)
    else:
        dataset = htj2k(slice_of)
        dataset.file_meta.TransferSyntaxUID = syntax
    frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
    dataset.PixelData = encapsulate([damaged(frame, flips, cut)])
    dataset["PixelData"].is_undefined_length = True
    read = volume_or_refusal(lambda: volume_from_datasets([dataset]).volume)
    if isinstance(read, SeriesRefused):
        assert (read.code, "slice-0001.dcm" in read.sentence) == ("pixels", True)
    else:
        assert read.shape_zyx == (1, int(dataset.Rows), int(dataset.Columns))


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
def test_a_frame_that_was_cut_is_never_made_up(slice_of: Dataset, syntax: str, kept: float) -> None:
    dataset = copy.deepcopy(slice_of)
    dataset.compress(syntax)
    frame = next(generate_frames(dataset.PixelData, number_of_frames=1)).rstrip(b"\0")
    dataset.PixelData = encapsulate([frame[: int(kept * len(frame))]])
    dataset["PixelData"].is_undefined_length = True
    with pytest.raises(SeriesRefused, match="cannot be read"):
        volume_from_datasets([dataset])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=damage, cut=st.sampled_from([1.0, 1.0, 0.95, 0.5, 0.05]), enhanced=st.booleans())
def test_damaged_files_give_a_volume_or_a_sentence(
    whole_files: dict[bool, bytes], tmp_path: Path, flips: list[tuple[float, int]], cut: float, enhanced: bool
) -> None:
    whole = whole_files[enhanced]
    # Headers are where structure is: most of the damage goes there.
    header = [(place * 0.4, value) for place, value in flips]
    path = tmp_path / "damaged.dcm"
    path.write_bytes(damaged(whole, header, cut))
    read = volume_or_refusal(lambda: volume_from_files([path]).volume)
    assert isinstance(read, Volume) or read.sentence.endswith(".")


@pytest.fixture(scope="module")
def whole_files(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    phantom = make_phantom(3, shape_zyx=(2, 8, 8), spacing_zyx_mm=(2.5, 1.5, 1.25))
    [enhanced] = write_enhanced_series(phantom, folder / "enhanced")
    return {False: write_dicom_series(phantom, folder)[0].read_bytes(), True: enhanced.read_bytes()}


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless])
def test_a_codestream_may_not_claim_another_size_than_its_header(slice_of: Dataset, syntax: str) -> None:
    dataset = copy.deepcopy(slice_of)
    dataset.compress(syntax)
    frame = bytearray(next(generate_frames(dataset.PixelData, number_of_frames=1)))
    assert claimed_size(bytes(frame)) == (48, 64, 1)
    at = frame.index((64).to_bytes(4, "big")) if syntax == JPEG2000Lossless else frame.index((64).to_bytes(2, "big"))
    frame[at : at + 2] = b"\x7f\xff"
    dataset.PixelData = encapsulate([bytes(frame)])
    with pytest.raises(SeriesRefused, match="cannot be read"):
        volume_from_datasets([dataset])


def test_what_is_no_codestream_claims_nothing() -> None:
    assert claimed_size(b"") is None
    assert claimed_size(b"\xff\xd8\xff") is None
    assert claimed_size(b"\xff\xd8no marker follows") is None
    assert claimed_size(b"\xff\x4f\xff\x51\0\0") is None


def test_a_deflated_bomb_is_not_unpacked() -> None:
    head = deflated_head()
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(64)) + packer.flush()
    assert len(body) < 1024 * 1024
    with pytest.raises(ValueError, match="suspiciously large"):
        require_inflatable(io.BytesIO(head + body), most=32 * 1024 * 1024)
    stream = io.BytesIO(head + body)
    require_inflatable(stream, most=64 * 1024 * 1024)
    assert stream.tell() == 0


def deflated_head() -> bytes:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3"
    from pydicom.dataset import FileMetaDataset

    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    whole = stream.getvalue()
    length = int.from_bytes(whole[140:144], "little")
    return whole[: 144 + length]


def test_after_ten_damaged_files_no_more_are_looked_at(small_phantom: Phantom, tmp_path: Path) -> None:
    paths = write_dicom_series(small_phantom, tmp_path)
    for path in paths:
        dataset = dcmread(path)
        dataset.PixelData = dataset.PixelData[:-2]
        dataset.save_as(path)
    with pytest.raises(SeriesRefused, match="At least 10 of 12 files cannot be used") as refusal:
        volume_from_files(paths)
    assert len(refusal.value.details) == 10


def test_pixels_are_read_as_bits_and_sign_say(slice_of: Dataset) -> None:
    """12 bits in 16, signed, with an overlay's leftovers above them."""
    dataset = copy.deepcopy(slice_of)
    values = np.arange(48 * 64, dtype=np.int32).reshape(48, 64) % 4096 - 2048
    dataset.PixelData = ((values & 0xFFF) | 0x5000).astype("<u2").tobytes()
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, 11, 1
    assert np.array_equal(volume_from_datasets([dataset]).volume.hu[0], values - 1024)
    dataset.PixelRepresentation = 0
    assert np.array_equal(volume_from_datasets([dataset]).volume.hu[0], (values & 0xFFF) - 1024)


def test_eight_bits_are_read(slice_of: Dataset) -> None:
    dataset = copy.deepcopy(slice_of)
    values = np.arange(48 * 64, dtype=np.int32).reshape(48, 64) % 256
    dataset.PixelData = values.astype(np.uint8).tobytes()
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    assert np.array_equal(volume_from_datasets([dataset]).volume.hu[0], values - 1024)


def test_a_file_may_be_read_from_where_it_lies(small_phantom: Phantom, tmp_path: Path) -> None:
    [first, *_] = write_dicom_series(small_phantom, tmp_path)
    assert read_file(first).Rows == 48
