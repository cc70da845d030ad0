"""What lies beside the values of pixels goes, and the values stay, bit for bit."""

import io
import struct

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames, get_frame
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless, RLELossless

from inference.imaging.decoding import stored_frames
from inference.imaging.findings import SeriesRefused
from webapp.archive.models import Scan
from webapp.archive.queries import files_of
from webapp.intake.pixels import clear_beside_values
from webapp.intake.reading import transfer_syntax_of

NATIVE = "1.2.840.10008.1.2.1"
HIDDEN = b"Smith 12.03.1948"


def an_image(values: np.ndarray, *, stored: int = 16, signed: bool = False, highest: int | None = None) -> Dataset:
    """An image of one or more frames, native."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.set_original_encoding(False, True)
    frames = values.reshape(-1, *values.shape[-2:])
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3"
    dataset.NumberOfFrames, (dataset.Rows, dataset.Columns) = len(frames), values.shape[-2:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored = 8 * values.itemsize, stored
    dataset.HighBit, dataset.PixelRepresentation = stored - 1 if highest is None else highest, int(signed)
    dataset.add_new("PixelData", "OW", values.tobytes())
    return dataset


def values_of(dataset: Dataset) -> list[np.ndarray]:
    return [frame.copy() for frame in stored_frames(dataset, range(int(dataset.get("NumberOfFrames", 1))))]


def cleared(dataset: Dataset) -> bytes:
    """The pixels afterwards; their values must be what they were."""
    before = values_of(dataset)
    clear_beside_values(dataset, transfer_syntax_of(dataset))
    assert np.array_equal(before, values_of(dataset))
    return dataset.PixelData


def some_values(rows: int = 16, columns: int = 16, *, frames: int = 1, bits: int = 12) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 1 << bits, (frames, rows, columns), dtype=np.uint16)


def test_bytes_behind_the_last_frame_are_cut():
    dataset = an_image(some_values(frames=2))
    exact = dataset.PixelData
    dataset.PixelData = exact + HIDDEN
    assert cleared(dataset) == exact


def test_an_odd_number_of_bytes_keeps_one_of_padding_and_nothing_in_it():
    dataset = an_image(some_values(5, 5, bits=8).astype(np.uint8), stored=8)
    exact = dataset.PixelData
    dataset.PixelData = exact + HIDDEN
    assert cleared(dataset) == exact + b"\0"
    dataset.PixelData = exact + b"S"
    assert cleared(dataset) == exact + b"\0"


def test_pixels_that_hold_nothing_else_are_not_even_copied():
    dataset = an_image(some_values(), stored=12)
    before = dataset.PixelData
    assert cleared(dataset) is before


@pytest.mark.parametrize("stored", [1, 7, 12, 15])
def test_bits_above_unsigned_values_are_cleared(stored):
    values = some_values(bits=stored)
    dataset = an_image(values | np.uint16(0xFFFF ^ ((1 << stored) - 1)), stored=stored)
    assert cleared(dataset) == values.tobytes()


@pytest.mark.parametrize("stored", [2, 12, 15])
def test_bits_above_signed_values_become_their_sign(stored):
    values = some_values(bits=stored).astype(np.int16) - np.int16(1 << (stored - 1))
    plain = an_image(values, stored=stored, signed=True)
    before = plain.PixelData
    assert cleared(plain) is before
    hidden = (values.view(np.uint16) & np.uint16((1 << stored) - 1)) | np.uint16(0x5555 << stored & 0xFFFF)
    assert cleared(an_image(hidden, stored=stored, signed=True)) == values.tobytes()


@pytest.mark.parametrize("signed", [False, True])
def test_bits_below_values_are_cleared(signed):
    values = (some_values(bits=12) << 4).astype(np.uint16)
    dataset = an_image(values | np.uint16(0x000A), stored=12, highest=15, signed=signed)
    assert cleared(dataset) == values.tobytes()


@pytest.mark.django_db
def test_an_overlay_in_unused_bits_goes_whether_or_not_the_file_says_so(series, ingest):
    paths = series()
    for path in paths:
        dataset = pydicom.dcmread(path)
        words = np.frombuffer(dataset.PixelData, "<u2").copy() & 0x0FFF
        words[::3] |= 0x8000
        dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, 11, 0
        dataset.PixelData = words.tobytes() + HIDDEN
        dataset.save_as(path)
    out, status = ingest(paths[0].parent)
    assert status == 0, out
    for content in files_of(Scan.objects.get()):
        filed = pydicom.dcmread(io.BytesIO(content))
        assert len(filed.PixelData) == 2 * filed.Rows * filed.Columns
        assert int(np.frombuffer(filed.PixelData, "<u2").max()) < 0x1000


def jpeg(marker: int, payload: bytes = HIDDEN) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", 2 + len(payload)) + payload


def with_jpeg_segments(frame: bytes) -> bytes:
    """Comments and application data in front and behind the tables, garbage between segments and behind the end."""
    end = frame.rindex(b"\xff\xd9")
    first = 4 + struct.unpack(">H", frame[4:6])[0]
    inside = jpeg(0xFE) + jpeg(0xE1) + jpeg(0xEE, b"Adobe" + HIDDEN) + jpeg(0xE8, b"mrfx" + HIDDEN)
    return frame[:2] + jpeg(0xE0) + frame[2:first] + inside + frame[first:end] + frame[end : end + 2] + HIDDEN


def with_j2k_segments(frame: bytes) -> bytes:
    """Comments in the main header and in the first tile's, with the tile's length corrected; more behind the end."""
    comment = b"\xff\x64" + struct.pack(">HH", 4 + len(HIDDEN), 1) + HIDDEN
    tile = frame.index(b"\xff\x90")
    (length,) = struct.unpack_from(">I", frame, tile + 6)
    header = (
        frame[tile : tile + 6]
        + struct.pack(">I", length + len(comment) if length else 0)
        + frame[tile + 10 : tile + 12]
    )
    return frame[:tile] + comment + header + comment + frame[tile + 12 :] + HIDDEN


def with_rle_remains(frame: bytes) -> bytes:
    """In the unused half of the header, between two segments and behind the last."""
    count, first, second, *_ = struct.unpack_from("<16I", frame)
    assert (count, first) == (2, 64)
    header = struct.pack("<3I", count, first + len(HIDDEN), second + 2 * len(HIDDEN)) + HIDDEN.ljust(52, b"\0")
    return header + HIDDEN + frame[first:second] + HIDDEN + frame[second:] + HIDDEN


def compressed(syntax: str, frames: int) -> Dataset:
    """An image in a syntax, with hidden text wherever it may stand."""
    if syntax == JPEGBaseline8Bit:
        values = some_values(32, 24, frames=frames, bits=8).astype(np.uint8)
        dataset = an_image(values, stored=8)
        packed = []
        for frame in values:
            out = io.BytesIO()
            Image.fromarray(frame).save(out, "JPEG", comment=HIDDEN)
            packed.append(out.getvalue())
        dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    else:
        dataset = an_image(some_values(64, 48, frames=frames), stored=12)
        dataset.compress(syntax, generate_instance_uid=False)
        packed = list(generate_frames(dataset.PixelData, number_of_frames=frames))
    hide = with_j2k_segments if syntax == JPEG2000Lossless else with_jpeg_segments
    if syntax == RLELossless:
        hide = with_rle_remains
    dataset.PixelData = encapsulate([hide(frame) for frame in packed], has_bot=frames > 1)
    return dataset


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGLSLossless, JPEG2000Lossless, RLELossless])
def test_text_in_codestreams_goes_and_values_stay(syntax, frames):
    dataset = compressed(syntax, frames)
    assert dataset.PixelData.count(HIDDEN) >= 3 * frames
    before = len(dataset.PixelData)
    pixels = cleared(dataset)
    assert b"Smith" not in pixels
    assert len(pixels) == before
    assert cleared(dataset) is pixels, "nothing is left to clear"


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGLSLossless, JPEG2000Lossless])
@pytest.mark.parametrize("fragments", [2, 7])
def test_text_that_lies_across_fragments_goes(syntax, fragments):
    dataset = compressed(syntax, 1)
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    dataset.PixelData = encapsulate([frame], fragments_per_frame=fragments, has_bot=False)
    pixels = cleared(dataset)
    joined = get_frame(pixels, 0, number_of_frames=1)
    assert b"Smith" not in joined
    assert len(joined) == len(get_frame(dataset.PixelData, 0, number_of_frames=1))


def test_a_basic_offset_table_that_is_none_becomes_one():
    dataset = compressed(JPEGLSLossless, 1)
    good = cleared(dataset)
    dataset.PixelData = good[:4] + struct.pack("<II", 4 + len(HIDDEN), 0) + HIDDEN + good[8:]
    assert cleared(dataset) == good[:4] + struct.pack("<II", 4, 0) + good[8:]


def test_a_codestream_that_is_none_is_refused():
    dataset = compressed(JPEGLSLossless, 1)
    dataset.PixelData = encapsulate([b"\xff\xd8\xff\xfe\x00\x40Smith"], has_bot=False)
    with pytest.raises(SeriesRefused, match="not built as their standard says"):
        clear_beside_values(dataset, JPEGLSLossless)


def test_values_of_every_transfer_syntax_stay(data_folder):
    for path in sorted((data_folder / "dicom" / "transfer-syntaxes").iterdir()):
        if path.is_file():
            dataset = pydicom.dcmread(path, force=True)
            dataset.file_meta.TransferSyntaxUID = transfer_syntax_of(dataset)
            cleared(dataset)
