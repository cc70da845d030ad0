"""A batch's originals: whole or not there, in the order they came, gone when they should be."""

import io
import os
import time

import pytest

from tests.factories.sites import a_person
from webapp.intake import quarantine
from webapp.intake.actions import open_batch
from webapp.intake.models import Batch
from webapp.intake.quarantine import Staging, TooLarge
from webapp.intake.receiving import Incoming, OutOfPlace, receive_all, receive_files, receive_piece
from webapp.intake.sealing import CHUNK
from webapp.intake.sources import Sent, Unusable

pytestmark = pytest.mark.django_db


@pytest.fixture
def clara(campaign):
    return a_person("clara", campaign, "coordinator")


@pytest.fixture
def batch(campaign, clara) -> Batch:
    return open_batch(campaign=campaign, by=clara, source="upload")


def files(batch: Batch) -> list[str]:
    folder = quarantine.folder_of(batch.pk)
    return sorted(path.suffix for path in folder.iterdir()) if folder.is_dir() else []


def staged_files() -> list[str]:
    folder = quarantine.root() / "incoming"
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


def send(batch: Batch, by, content: bytes, offset: int = 0, size: int | None = None, path: str = "a/Jane.dcm"):
    piece = Incoming(path, len(content) if size is None else size, "1", content, offset)
    return receive_piece(batch=batch, piece=piece, by=by)


def contents(batch: Batch) -> list[tuple[str, bytes]]:
    found = []
    for sent in quarantine.waiting(batch):
        assert isinstance(sent, Sent)
        with sent.open() as stream:
            found.append((sent.name, stream.read()))
    return found


def test_files_are_sealed_under_names_that_say_nothing(batch, clara):
    for name in ("c/Doe.dcm", "a/Doe.dcm", "b/Doe.dcm"):
        send(batch, clara, name.encode(), path=name)
    assert contents(batch) == [("c/Doe.dcm", b"c/Doe.dcm"), ("a/Doe.dcm", b"a/Doe.dcm"), ("b/Doe.dcm", b"b/Doe.dcm")]
    batch.refresh_from_db()
    assert (batch.file_count, batch.byte_count) == (3, 27)
    for path in quarantine.folder_of(batch.pk).iterdir():
        assert b"Doe" not in path.read_bytes()
        assert "Doe" not in path.name
    assert staged_files() == []


def test_same_file_again_changes_nothing(batch, clara):
    send(batch, clara, b"slice")
    send(batch, clara, b"slice")
    batch.refresh_from_db()
    assert (batch.file_count, batch.byte_count, files(batch)) == (1, 5, [".sealed"])


def test_large_file_comes_in_pieces_and_goes_on_where_it_was(batch, clara):
    content = os.urandom(2 * CHUNK + 7)
    send(batch, clara, content[:CHUNK], 0, len(content))
    assert files(batch) == [".part"]
    batch.refresh_from_db()
    assert (batch.file_count, batch.byte_count) == (0, CHUNK)
    with pytest.raises(OutOfPlace) as out:
        send(batch, clara, content[2 * CHUNK :], 2 * CHUNK, len(content))
    assert out.value.received == CHUNK
    send(batch, clara, content[CHUNK : 2 * CHUNK], CHUNK, len(content))
    send(batch, clara, content[2 * CHUNK :], 2 * CHUNK, len(content))
    assert contents(batch) == [("a/Jane.dcm", content)]
    batch.refresh_from_db()
    assert (batch.file_count, batch.byte_count, files(batch)) == (1, len(content), [".sealed"])


def test_file_whose_part_the_disk_lost_begins_anew(batch, clara):
    content = os.urandom(2 * CHUNK)
    send(batch, clara, content[:CHUNK], 0, len(content))
    next(quarantine.folder_of(batch.pk).iterdir()).unlink()
    with pytest.raises(OutOfPlace) as out:
        send(batch, clara, content[CHUNK:], CHUNK, len(content))
    assert out.value.received == 0
    send(batch, clara, content[:CHUNK], 0, len(content))
    send(batch, clara, content[CHUNK:], CHUNK, len(content))
    assert contents(batch) == [("a/Jane.dcm", content)]


def test_full_disk_in_the_middle_leaves_what_was_there_before(batch, clara, monkeypatch):
    send(batch, clara, b"first")

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("webapp.intake.sealing.os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            send(batch, clara, b"second", path="b.dcm")
    assert contents(batch) == [("a/Jane.dcm", b"first")]
    assert staged_files() == []
    batch.refresh_from_db()
    assert batch.file_count == 1


def test_too_large_a_file_leaves_nothing(settings):
    with pytest.raises(TooLarge):
        quarantine.stage("a", io.BytesIO(bytes(50)), 49)
    assert staged_files() == []


def test_sender_that_vanishes_leaves_nothing():
    class Vanishing(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError("client gone")

    with pytest.raises(OSError, match="client gone"):
        quarantine.stage("a", Vanishing(), 100)  # type: ignore[arg-type]
    assert staged_files() == []


def test_unreadable_original_is_a_line_and_no_crash(batch, clara, settings):
    send(batch, clara, b"slice")
    settings.QUARANTINE_KEY = "another"
    (found,) = quarantine.waiting(batch)
    assert isinstance(found, Unusable)
    assert "sealed with another key" in found.sentence


@pytest.mark.parametrize("forks", [True, False])
def test_everything_at_hand_is_sealed_in_order_with_what_cannot_be(batch, forks, monkeypatch):
    monkeypatch.setattr("webapp.intake.receiving.is_possible", lambda: forks)
    things = [Sent(f"{n}", 2, lambda n=n: io.BytesIO(f"{n:02}".encode())) for n in range(41)]
    sent = [Unusable("link", "It is a link."), *things]
    unusable = receive_all(batch=batch, things=sent, durable=True, in_second_process=True)
    assert [thing.label for thing in unusable] == ["link"]
    assert [content for _, content in contents(batch)] == [f"{n:02}".encode() for n in range(41)]
    batch.refresh_from_db()
    assert (batch.file_count, batch.byte_count) == (41, 82)
    assert staged_files() == []


@pytest.mark.parametrize("failing", [6, 7], ids=["here", "in the second process"])
def test_one_that_cannot_be_sealed_in_either_process_counts_none(batch, failing, monkeypatch):
    monkeypatch.setattr("webapp.intake.receiving.is_possible", lambda: True)

    def opened(number: int):
        if number == failing:
            raise OSError(28, "No space left on device")
        return io.BytesIO(b"slice")

    things = [Sent(f"{n}", 5, lambda n=n: opened(n)) for n in range(40)]
    with pytest.raises(OSError, match="No space") as raised:
        receive_all(batch=batch, things=things, durable=False, in_second_process=True)
    assert raised.value.errno == 28
    assert batch.originals.count() == 0
    assert staged_files() == []


def test_what_killed_processes_left_goes_and_what_is_held_stays(batch, clara):
    send(batch, clara, b"slice")
    with Staging("a", 10) as staging:
        staging.write(b"half")
        orphan = quarantine.made_folder(type(batch.pk)(int=7))
        (orphan / "x.sealed").write_bytes(b"x")
        assert quarantine.remove_left_behind() == 0
        assert quarantine.remove_left_behind(time.time() + 2 * quarantine.LEFT_BEHIND_AFTER_S) == 2
    assert not orphan.exists()
    assert staged_files() == []
    assert contents(batch) == [("a/Jane.dcm", b"slice")]


def test_files_of_a_bundle_come_all_or_none_and_once(batch, clara, monkeypatch):
    send(batch, clara, b"1", path="1")
    bundle = [Incoming(name, 1, "1", name.encode()) for name in ("0", "1", "2")]
    assert receive_files(batch=batch, files=bundle, by=clara) == 2
    assert receive_files(batch=batch, files=bundle, by=clara) == 0
    assert contents(batch) == [("1", b"1"), ("0", b"0"), ("2", b"2")]
    batch.refresh_from_db()
    assert (batch.file_count, batch.byte_count) == (3, 3)
    real, calls = os.replace, []

    def full(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return real(*arguments)

    monkeypatch.setattr("webapp.intake.quarantine.os.replace", full)
    with pytest.raises(OSError, match="No space"):
        receive_files(batch=batch, files=[Incoming(n, 1, "1", b"x") for n in "abc"], by=clara)
    assert len(contents(batch)) == 3
    assert staged_files() == []
