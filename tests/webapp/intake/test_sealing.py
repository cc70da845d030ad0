"""Originals lie encrypted, can be read in place from anywhere, grow piece by piece, and damage to them is noticed."""

import random
from pathlib import Path

import pytest

from webapp.intake.sealing import CHUNK, OVERHEAD, Sealed, SealedFile, Sealer, opened


def seal(path: Path, content: bytes, name: str = "Jane Doe.dcm") -> Path:
    sealer = Sealer.begin(path, name)
    sealer.write(content)
    sealer.finish()
    return path


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 77])
def test_what_was_sealed_comes_back(tmp_path, size):
    content = random.Random(size).randbytes(size)
    path = seal(tmp_path / "a", content)
    with SealedFile(path) as sealed:
        assert (sealed.name, sealed.size) == ("Jane Doe.dcm", size)
    with opened(path) as stream:
        assert stream.read() == content
        for place in (0, size // 2, max(0, size - 3)):
            stream.seek(place)
            assert stream.read(5) == content[place : place + 5]
    assert b"Jane" not in path.read_bytes()
    if size > 20:
        assert content[:20] not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("start", [0, 1, CHUNK - 1, CHUNK, CHUNK + 7, 3 * CHUNK - 1, 3 * CHUNK])
def test_the_rest_is_read_at_once_from_anywhere(tmp_path, start):
    content = random.Random(start).randbytes(3 * CHUNK)
    with opened(seal(tmp_path / "a", content)) as stream:
        assert stream.read(2) == content[:2]
        stream.seek(start)
        assert stream.read() == content[start:]
        assert stream.read() == b""
        stream.seek(5)
        assert stream.read(9) == content[5:14]


@pytest.mark.parametrize("tail", [1, CHUNK, CHUNK + 9])
def test_file_that_grew_in_pieces_is_the_same(tmp_path, tail):
    content = random.Random(tail).randbytes(3 * CHUNK + tail)
    path = tmp_path / "a"
    sealer = Sealer.begin(path, "big.zip")
    sealer.write(content[: 2 * CHUNK])
    sealer.pause()
    sealer = Sealer.go_on(path, 2 * CHUNK)
    sealer.write(content[2 * CHUNK : 3 * CHUNK])
    sealer.pause()
    sealer = Sealer.go_on(path, 3 * CHUNK)
    sealer.write(content[3 * CHUNK :])
    sealer.finish()
    with opened(path) as stream:
        assert stream.read() == content


def test_what_a_killed_process_wrote_behind_the_last_piece_is_cut_off(tmp_path):
    path = tmp_path / "a"
    sealer = Sealer.begin(path, "big.zip")
    sealer.write(bytes(CHUNK))
    sealer.pause()
    with open(path, "ab") as half:
        half.write(b"half of a chunk")
    sealer = Sealer.go_on(path, CHUNK)
    sealer.write(b"end")
    sealer.finish()
    with opened(path) as stream:
        assert stream.read() == bytes(CHUNK) + b"end"


def test_file_with_less_than_was_received_is_noticed(tmp_path):
    path = tmp_path / "a"
    sealer = Sealer.begin(path, "big.zip")
    sealer.write(bytes(CHUNK))
    sealer.pause()
    with pytest.raises(Sealed):
        Sealer.go_on(path, 2 * CHUNK)


def test_part_of_a_file_cannot_be_read_to_its_end(tmp_path):
    path = tmp_path / "a"
    sealer = Sealer.begin(path, "big.zip")
    sealer.write(bytes(2 * CHUNK))
    sealer.pause()
    with pytest.raises(Sealed), opened(path) as stream:
        stream.read()


def test_altered_bytes_are_noticed(tmp_path):
    path = seal(tmp_path / "a", b"x" * 1000)
    content = bytearray(path.read_bytes())
    content[-30] ^= 1
    path.write_bytes(content)
    with pytest.raises(Sealed), SealedFile(path) as sealed:
        sealed.read(10)


def test_file_cut_at_a_chunk_is_noticed(tmp_path):
    path = seal(tmp_path / "a", bytes(2 * CHUNK + 5))
    path.write_bytes(path.read_bytes()[: -(5 + OVERHEAD)])
    sealed = SealedFile(path)
    sealed.seek(CHUNK)
    with sealed, pytest.raises(Sealed):
        sealed.read(10)


def test_chunks_in_another_order_are_noticed(tmp_path):
    path = seal(tmp_path / "a", b"a" * CHUNK + b"b" * CHUNK + b"c")
    content = path.read_bytes()
    with SealedFile(path) as sealed:
        start, step = sealed.start, CHUNK + OVERHEAD
    swapped = content[start + step : start + 2 * step] + content[start : start + step]
    path.write_bytes(content[:start] + swapped + content[start + 2 * step :])
    with pytest.raises(Sealed), opened(path) as stream:
        stream.read(10)


def test_another_key_opens_nothing(tmp_path, settings):
    path = seal(tmp_path / "a", b"x")
    settings.QUARANTINE_KEY = "another"
    with pytest.raises(Sealed):
        SealedFile(path)


@pytest.mark.parametrize("content", [b"", b"GGQ2", b"GGQ2" + bytes(20), b"not sealed at all, only long enough"])
def test_what_is_no_sealed_file_is_said_to_be_none(tmp_path, content):
    path = tmp_path / "a"
    path.write_bytes(content)
    with pytest.raises(Sealed):
        SealedFile(path)
