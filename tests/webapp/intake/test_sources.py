"""What was sent, file by file: hostile archives are refused before anything of them is read."""

import io
import stat
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


def test_too_many_bytes_are_refused(monkeypatch):
    monkeypatch.setattr(sources, "LARGEST_ARCHIVE_BYTES", 10)
    assert "unpacks to more than" in sentence(archive(lambda z: z.writestr("a.dcm", b"x" * 20)))


def test_overlapping_members_are_refused():
    content = bytearray(archive(lambda z: (z.writestr("a", b"x" * 100), z.writestr("b", b"y" * 100))))
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 4)
    content[second + 42 : second + 46] = content[first + 42 : first + 46]
    assert "overlap" in sentence(bytes(content))


@pytest.mark.parametrize("content", [b"PK\x03\x04 not a zip", archive(lambda z: z.writestr("a", b"x"))[:-10]])
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
        damaged.open()
    assert whole.open().read() == b"y" * 1000
