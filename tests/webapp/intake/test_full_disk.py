"""A file system that really is full: nothing half-written stays, the sentence says so, and room is all it needs."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError

from webapp.archive.models import Scan
from webapp.intake import quarantine
from webapp.intake.models import Batch

pytestmark = pytest.mark.django_db
# Enough for some of the files of a series and not for all.
TOO_SMALL, ENOUGH = "40k", "8m"


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def disk(tmp_path) -> Iterator[Callable[[str], Path]]:
    """A file system of its own; called with a size, it has that from then on."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", f"size={TOO_SMALL}", "groundglass-test", str(folder)]
    if subprocess.run(options, capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount a file system")

    def sized(size: str) -> Path:
        subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True, capture_output=True)
        return folder

    yield sized
    subprocess.run(["umount", str(folder)], check=True, capture_output=True)


@pytest.fixture(params=[True, False], ids=["two processes", "one process"])
def processes(request, monkeypatch) -> bool:
    for part in ("archive.writing", "intake.receiving"):
        monkeypatch.setattr(f"webapp.{part}.is_possible", lambda: request.param)
    return request.param


def test_full_archive_keeps_nothing_of_a_series_until_there_is_room(ingest, series, settings, disk, processes):
    folder = disk(TOO_SMALL)
    place = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder)}}
    settings.STORAGES = {**settings.STORAGES, "default": place}
    paths = series()
    out, status = ingest(paths[0].parent)
    assert status == 1
    assert "The disk is full. Nothing of it was kept; send it again." in out
    assert files_under(folder) == []
    assert Scan.objects.count() == 0
    disk(ENOUGH)
    assert ingest(paths[0].parent)[1] == 0
    assert Scan.objects.count() == 1
    assert len(files_under(folder)) > len(paths)


def test_full_quarantine_keeps_nothing_until_there_is_room(ingest, series, settings, disk, processes):
    settings.GROUNDGLASS_HOME = disk("20k")
    paths = series()
    with pytest.raises(CommandError, match="The disk is full: nothing was kept"):
        ingest(paths[0].parent)
    assert files_under(quarantine.root()) == []
    assert Batch.objects.get().state == "discarded"
    disk(ENOUGH)
    assert ingest(paths[0].parent)[1] == 0
    assert Scan.objects.count() == 1
