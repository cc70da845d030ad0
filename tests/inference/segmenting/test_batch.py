"""Many scans: what was done is skipped, a killed process costs its scan alone, jobs change nothing in the results."""

import os
import signal
from pathlib import Path

import pytest

from inference.imaging.nifti import write_volume
from inference.phantoms import make_phantom
from inference.segmenting import batch
from inference.segmenting.batch import KILLED, Outcome, Work, plan, run


@pytest.fixture
def scans(tmp_path: Path) -> list[Path]:
    paths = []
    for seed in (1, 2, 3):
        phantom = make_phantom(seed, shape_zyx=(12, 48, 48), spacing_zyx_mm=(20.0, 7.0, 7.0))
        paths.append(tmp_path / f"scan{seed}.nii")
        write_volume(paths[-1], phantom.volume)
    return paths


def test_folders_are_called_after_scans_or_after_their_parents_too(tmp_path: Path) -> None:
    assert plan([tmp_path / "a.nii.gz"], tmp_path) == [Work(tmp_path / "a.nii.gz", tmp_path)]
    works = plan([tmp_path / "a.nii.gz", tmp_path / "one" / "ct", tmp_path / "two" / "ct"], tmp_path / "out")
    assert [work.out.name for work in works] == ["a", "one-ct", "two-ct"]
    assert len(plan([tmp_path / "a", tmp_path / "b", tmp_path / "a"], tmp_path)) == 2


def test_a_second_run_does_only_what_is_missing_or_has_changed(scans: list[Path], tmp_path: Path) -> None:
    works = plan(scans, tmp_path / "out")
    assert [outcome.again for outcome in run(works, "classical-baseline", "auto")] == [False] * 3
    (works[1].out / "measurements.json").unlink()
    os.utime(scans[2], ns=(1, 1))
    told: list[Outcome] = []
    outcomes = run(works, "classical-baseline", "auto", tell=told.append)
    assert [outcome.again for outcome in outcomes] == [True, False, False]
    assert sorted(str(one.work.scan) for one in told) == sorted(map(str, scans))
    assert all(not outcome.again for outcome in run(works, "classical-baseline", "auto", again=True))


def test_jobs_give_the_same_results_as_one_after_the_other(scans: list[Path], tmp_path: Path) -> None:
    one = run(plan(scans, tmp_path / "a"), "classical-baseline", "auto")
    two = run(plan(scans, tmp_path / "b"), "classical-baseline", "auto", jobs=2)
    assert [outcome.report["measurements"] for outcome in one] == [outcome.report["measurements"] for outcome in two]
    for ours, theirs in zip(one, two, strict=True):
        for name in ("lung.nii.gz", "lesion.nii.gz"):
            assert (ours.work.out / name).read_bytes() == (theirs.work.out / name).read_bytes()


class _Deadly(type(Path())):
    """A path that kills whoever looks whether it is a folder: in the process that reads the scan."""

    def is_dir(self, **options: bool) -> bool:
        if os.environ.get("PYTEST_MAIN_PID") != str(os.getpid()):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().is_dir(**options)


def test_a_process_that_is_killed_costs_its_scan_alone(
    scans: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_MAIN_PID", str(os.getpid()))
    works = plan([scans[0], _Deadly(scans[1]), scans[2]], tmp_path / "out")
    outcomes = batch.run(works, "classical-baseline", "auto", jobs=2)
    assert [outcome.reasons for outcome in outcomes] == [(), (KILLED,), ()]
    assert all(outcome.report for outcome in (outcomes[0], outcomes[2]))
