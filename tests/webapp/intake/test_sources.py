"""What was sent, file by file: hostile archives are refused before anything of them is read."""

import io
import stat
import struct
import zipfile
from collections.abc import Callable

import pytest

from webapp.intake import sources
from webapp.intake.sources import Found, Sent, Unusable, files_in

BOMB = "The zip archive unpacks to a suspiciously large size (a zip bomb)."


def sent(content: bytes, name: str = "scan.zip") -> Sent:
    return Sent(name, len(content), lambda: io.BytesIO(content))


def archive(fill: Callable[[zipfile.ZipFile], None]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        fill(packed)
    return buffer.getvalue()


def only(content: bytes) -> Found | Unusable:
    (found,) = files_in([sent(content)])
    return found


def sentence(content: bytes) -> str:
    found = only(content)
    assert isinstance(found, Unusable)
    return found.sentence


def test_members_are_found_under_numbered_labels():
    content = archive(lambda z: (z.writestr("a/slice-1.dcm", b"one"), z.writestr("__MACOSX/a", b"x")))
    found = only(content)
    assert isinstance(found, Found)
    assert found.label == "file 1 (scan.zip), its file 1 (slice-1.dcm)"
    assert (found.open().read(), found.head()) == (b"one", b"one")


@pytest.mark.parametrize("name", ["../evil.dcm", "/etc/evil.dcm", "a/../../evil.dcm", "..\\evil.dcm", "C:\\evil.dcm"])
def test_names_that_lead_outside_are_refused(name):
    assert "outside itself" in sentence(archive(lambda z: z.writestr(zipfile.ZipInfo(name), b"x")))


def test_links_in_archives_are_refused():
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "symbolic links" in sentence(archive(lambda z: z.writestr(link, b"/etc/passwd")))


def test_one_file_of_a_suspicious_ratio_is_refused():
    assert sentence(archive(lambda z: z.writestr("zeros.dcm", bytes(40 * sources.MIB)))) == BOMB


def test_many_files_of_a_suspicious_ratio_in_all_are_refused():
    def fill(packed: zipfile.ZipFile) -> None:
        for number in range(6):
            packed.writestr(f"{number}.dcm", bytes(15 * sources.MIB))

    assert sentence(archive(fill)) == BOMB


def test_too_many_files_are_refused(monkeypatch):
    monkeypatch.setattr(sources, "MOST_FILES", 3)
    content = archive(lambda z: [z.writestr(f"{n}.dcm", b"x") for n in range(4)])
    assert "more than 3 files" in sentence(content)
    *_, last = files_in([sent(b"x", "a.dcm")] * 5)
    assert isinstance(last, Unusable)
    assert "More than 3 files" in last.sentence


@pytest.mark.parametrize("wide", [False, True])
def test_a_list_without_end_is_refused_before_it_is_read(wide, monkeypatch):
    def listed(*_: object) -> None:
        raise AssertionError("its members were listed")

    content = archive(lambda z: z.writestr("a.dcm", b"x"))
    end = content.index(b"PK\x05\x06")
    if wide:  # the 64-bit end record says the count, APPNOTE 4.3.14
        record = b"PK\x06\x06" + struct.pack("<QHHLLQQQQ", 44, 45, 45, 0, 0, 10**7, 10**7, 10**9, 0)
        content = content[:end] + record + content[end:]
        end += len(record)
        content = content[: end + 8] + b"\xff" * 12 + content[end + 20 :]
    else:
        monkeypatch.setattr(sources, "MOST_FILES", 3)
        content = content[: end + 8] + struct.pack("<HH", 4, 4) + content[end + 12 :]
    monkeypatch.setattr(zipfile.ZipFile, "infolist", listed)
    monkeypatch.setattr(zipfile.ZipFile, "_RealGetContents", listed)
    assert "holds more than" in sentence(content)


def test_files_of_all_archives_count_together(monkeypatch):
    monkeypatch.setattr(sources, "MOST_FILES", 7)
    content = archive(lambda z: [z.writestr(f"{n}.dcm", b"x") for n in range(3)])
    *_, last = files_in([sent(content)] * 3)
    assert isinstance(last, Unusable)
    assert "More than 7 files" in last.sentence
    monkeypatch.undo()
    monkeypatch.setattr(sources, "LARGEST_UNPACKED_BYTES", 7)
    *_, last = files_in([sent(content)] * 3)
    assert isinstance(last, Unusable)
    assert "unpack to more than" in last.sentence


def test_an_archive_lists_its_members_once_however_often_they_are_read(monkeypatch):
    listed: list[object] = []
    really = zipfile.ZipFile.__init__
    monkeypatch.setattr(zipfile.ZipFile, "__init__", lambda self, *args: (listed.append(1), really(self, *args))[1])
    monkeypatch.setattr(sources, "MOST_OPEN", 2)
    contents = [
        archive(lambda z, k=k: [z.writestr(f"{n}.dcm", b"%d %d" % (k, n)) for n in range(50)]) for k in range(3)
    ]
    listed.clear()
    found = list(files_in([sent(content) for content in contents]))
    assert len(listed) == 3
    # The first one had to make room for the third, and is opened once more.
    assert [one.open().read() for one in found] == [b"%d %d" % (k, n) for k in range(3) for n in range(50)]  # type: ignore[union-attr]
    assert len(listed) <= 6
    # One that is being read goes on although its archive made room.
    streams = [one.open() for one in found[::50]]  # type: ignore[union-attr]
    assert [stream.read() for stream in streams] == [b"0 0", b"1 0", b"2 0"]


def test_a_member_is_read_from_anywhere():
    content = archive(lambda z: z.writestr("a.dcm", bytes(range(256)) * 1000))
    found = only(content)
    assert isinstance(found, Found)
    with found.open() as stream:
        stream.seek(200_003)
        assert stream.read(2) == bytes([200_003 % 256, 200_004 % 256])
        assert stream.tell() == 200_005
        stream.seek(0)
        assert stream.read() == bytes(range(256)) * 1000


def test_too_many_bytes_are_refused(monkeypatch):
    monkeypatch.setattr(sources, "LARGEST_ARCHIVE_BYTES", 10)
    assert "unpacks to more than" in sentence(archive(lambda z: z.writestr("a.dcm", b"x" * 20)))


def test_overlapping_members_are_refused():
    content = bytearray(archive(lambda z: (z.writestr("a", b"x" * 100), z.writestr("b", b"y" * 100))))
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 4)
    content[second + 42 : second + 46] = content[first + 42 : first + 46]
    assert "overlap" in sentence(bytes(content))


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04 not a zip", archive(lambda z: z.writestr("a", b"x"))[:-10]], ids=["no zip", "cut short"]
)
def test_damaged_archives_are_refused(content):
    assert "damaged or incomplete zip" in sentence(content)


def test_empty_archive_is_refused():
    assert sentence(archive(lambda z: None)) == "The zip archive is empty."


def test_damaged_member_is_an_error_of_that_file_alone():
    content = bytearray(archive(lambda z: (z.writestr("a.dcm", b"x" * 1000), z.writestr("b.dcm", b"y" * 1000))))
    content[40] ^= 0xFF
    damaged, whole = files_in([sent(bytes(content))])
    assert isinstance(damaged, Found)
    assert isinstance(whole, Found)
    with pytest.raises(OSError, match="damaged member"):
        damaged.open().read()
    assert whole.open().read() == b"y" * 1000
