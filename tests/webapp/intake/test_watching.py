"""A watched folder: what lies still is taken and removed, what grows waits, and links stay."""

import pytest
from django.core.management import CommandError, call_command

from webapp.archive.models import Scan
from webapp.intake import quarantine
from webapp.intake.models import Batch
from webapp.intake.watching import Watch

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "inbox"
    path.mkdir()
    return path


@pytest.fixture
def watch(folder, campaign):
    lines: list[str] = []
    watch = Watch(folder, campaign, 10, lines.append)
    watch.lines = lines  # type: ignore[attr-defined]
    return watch


def put(folder, paths) -> None:
    folder.mkdir(exist_ok=True)
    for path in paths:
        (folder / path.name).write_bytes(path.read_bytes())


def test_still_folder_becomes_a_batch_and_is_emptied(watch, folder, series, run_jobs):
    put(folder / "Doe Jane", series())
    assert [watch.look(now) for now in (0, 9, 10)] == [0, 0, 1]
    batch = Batch.objects.get()
    assert (batch.source, batch.state, batch.file_count) == ("watch", "waiting", 8)
    assert list(folder.iterdir()) == []
    run_jobs()
    assert Scan.objects.count() == 1
    assert watch.lines == [f"Batch {batch.code}: 8 files taken."]
    assert watch.look(30) == 0


def test_folder_that_still_grows_waits(watch, folder, series):
    paths = series()
    put(folder / "a", paths[:4])
    assert watch.look(0) == 0
    put(folder / "a", paths[4:])
    assert [watch.look(now) for now in (10, 19)] == [0, 0]
    assert watch.look(20) == 1
    assert Batch.objects.get().file_count == 8


def test_loose_files_are_one_batch_and_folders_each_their_own(watch, folder, series):
    put(folder, series("loose"))
    put(folder / "a", series("a", uid_seed="a"))
    put(folder / "b", series("b", uid_seed="b"))
    watch.look(0)
    assert watch.look(10) == 3
    assert Batch.objects.count() == 3
    assert list(folder.iterdir()) == []


def test_links_are_not_followed_and_stay(watch, folder, series):
    paths = series()
    put(folder / "a", paths[1:])
    (folder / "a" / "link.dcm").symlink_to(paths[0])
    (folder / "linked").symlink_to(paths[0].parent)
    watch.look(0)
    assert watch.look(10) == 1
    assert Batch.objects.get().file_count == 7
    assert sorted(path.name for path in folder.rglob("*")) == ["a", "link.dcm", "linked"]
    assert all(path.exists() for path in paths)


def test_file_that_changes_while_it_is_taken_waits_again(watch, folder, series, monkeypatch):
    put(folder / "a", series())
    watch.look(0)
    real = quarantine.stage

    def touched(name, stream, limit, **options):
        with open(folder / "a" / "slice-0001.dcm", "ab") as growing:
            growing.write(b"x")
        return real(name, stream, limit, **options)

    with monkeypatch.context() as patch:
        patch.setattr("webapp.intake.receiving.quarantine.stage", touched)
        assert watch.look(10) == 0
    assert Batch.objects.get().state == "discarded"
    assert len(list((folder / "a").iterdir())) == 8
    watch.look(11)
    assert watch.look(21) == 1


def test_full_disk_leaves_the_folder_as_it_is(watch, folder, series, monkeypatch):
    put(folder / "a", series())
    watch.look(0)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("webapp.intake.sealing.os.fsync", full)
        assert watch.look(10) == 0
    assert len(list((folder / "a").iterdir())) == 8
    assert "they stay in the folder" in watch.lines[-1]
    assert not quarantine.folder_of(Batch.objects.get().pk).exists()


def test_command_says_what_is_wrong(campaign, folder, tmp_path):
    with pytest.raises(CommandError, match="no folder"):
        call_command("watch_folder", str(tmp_path / "absent"), campaign="covid")
    with pytest.raises(CommandError, match="no campaign"):
        call_command("watch_folder", str(folder), campaign="nowhere")
