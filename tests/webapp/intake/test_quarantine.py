"""Originals wait encrypted, can be read in place from anywhere, and damage to them is noticed."""

import io
import random
import uuid
from pathlib import Path

import pytest

from webapp.intake import quarantine
from webapp.intake.quarantine import CHUNK, Sealed, SealedFile, TooLarge


@pytest.fixture
def batch_id(settings, tmp_path) -> uuid.UUID:
    settings.GROUNDGLASS_HOME = tmp_path
    return uuid.uuid4()


def seal(batch_id: uuid.UUID, content: bytes, name: str = "Jane Doe.dcm") -> Path:
    assert quarantine.seal(batch_id, name, io.BytesIO(content), 10 * CHUNK) == len(content)
    (path,) = quarantine.folder_of(batch_id).iterdir()
    return path


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 77])
def test_what_was_sealed_comes_back(batch_id, size):
    content = random.Random(size).randbytes(size)
    path = seal(batch_id, content)
    (waiting,) = quarantine.waiting(batch_id)
    assert (waiting.name, waiting.size) == ("Jane Doe.dcm", size)
    with waiting.open() as stream:
        assert stream.read() == content
        for place in (0, size // 2, max(0, size - 3)):
            stream.seek(place)
            assert stream.read(5) == content[place : place + 5]
    assert b"Jane" not in path.read_bytes()
    assert "Jane" not in path.name
    if size > 20:
        assert content[:20] not in path.read_bytes()


def test_files_come_in_the_order_of_their_arrival(batch_id):
    for name in ("c", "a", "b"):
        quarantine.seal(batch_id, name, io.BytesIO(b"x"), 10)
    assert [sent.name for sent in quarantine.waiting(batch_id)] == ["c", "a", "b"]


def test_altered_bytes_are_noticed(batch_id):
    path = seal(batch_id, b"x" * 1000)
    content = bytearray(path.read_bytes())
    content[-30] ^= 1
    path.write_bytes(content)
    with pytest.raises(Sealed), SealedFile(path) as sealed:
        sealed.read(10)


def test_file_cut_at_a_chunk_is_noticed(batch_id):
    path = seal(batch_id, bytes(2 * CHUNK + 5))
    path.write_bytes(path.read_bytes()[: -(5 + quarantine.TAG)])
    sealed = SealedFile(path)
    sealed.seek(CHUNK)
    with sealed, pytest.raises(Sealed):
        sealed.read(10)


def test_another_key_opens_nothing(batch_id, settings):
    seal(batch_id, b"x")
    settings.QUARANTINE_KEY = "another"
    with pytest.raises(Sealed):
        list(quarantine.waiting(batch_id))


def test_too_large_a_file_leaves_nothing(batch_id):
    with pytest.raises(TooLarge):
        quarantine.seal(batch_id, "a", io.BytesIO(bytes(50)), 49)
    assert list(quarantine.folder_of(batch_id).iterdir()) == []


def test_sender_that_vanishes_leaves_nothing(batch_id):
    class Vanishing(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError("client gone")

    with pytest.raises(OSError, match="client gone"):
        quarantine.seal(batch_id, "a", Vanishing(), 100)  # type: ignore[arg-type]
    assert list(quarantine.folder_of(batch_id).iterdir()) == []
