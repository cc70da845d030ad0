"""Training: both recipes to their end; killed and gone on with as if nothing had been; two processes as one."""

import csv
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from inference.cli import main
from inference.networks.weights import load_weights
from inference.training.augment import NONE
from inference.training.cases import TrainingCase, phantom_cases
from inference.training.checkpoints import RunRefused, epoch_path
from inference.training.finishing import best_epoch, chosen_epoch
from inference.training.loop import train
from inference.training.losses import loss_of
from inference.training.processes import World
from inference.training.recipes import Recipe, recipe_of
from inference.training.runs import Run
from inference.training.splits import whole

ALONE = World(0, 1, torch.device("cpu"))
TINY = ["--phantoms", "4", "--width", "2", "--size", "32", "--epochs", "2", "--batch", "4", "--device", "cpu"]
# A process that is killed with kill -9 in the middle of its second epoch.
KILLED = """
import os, signal, sys, torch
from inference.cli import main
from inference.training import loop
torch.set_num_threads(1)
whole, calls = loop.loss_of, []
def dying(*given):
    calls.append(given)
    if os.path.exists(sys.argv[1]) and len(calls) > {steps} + 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(*given)
loop.loss_of = dying
main(sys.argv[2:])
"""


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def tiny(name: str = "default") -> Recipe:
    return recipe_of(name, width=2, size=32, epochs=2, batch=4)


def a_run(out: Path, recipe: Recipe | None = None, seed: int = 0) -> Run:
    chosen = recipe or tiny()
    cases = phantom_cases(4, chosen.look, side=32)
    return Run(cases, whole(cases, seed), chosen, seed, out, "tiny", quiet=True)


def figures(out: Path) -> list[dict[str, str]]:
    with (out / "curves.csv").open(newline="") as stream:
        return [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(stream)]


@pytest.mark.parametrize("recipe", ["default", "study"])
def test_two_epochs_killed_in_the_second_and_gone_on_with_are_those_of_an_unbroken_run(
    recipe: str, tmp_path: Path
) -> None:
    assert main(["train", "--recipe", recipe, "--out", str(tmp_path / "whole"), *TINY]) == 0
    steps = -(-int(figures(tmp_path / "whole")[0]["slices"]) // 4)
    broken = ["train", "--recipe", recipe, "--out", str(tmp_path / "broken"), *TINY]
    last = tmp_path / "broken" / "last.pt"
    died = subprocess.run([sys.executable, "-c", KILLED.format(steps=steps), str(last), *broken], check=False)
    assert died.returncode == -signal.SIGKILL
    assert len(figures(tmp_path / "broken")) == 1
    first = epoch_path(tmp_path / "broken", 1).stat().st_mtime_ns
    assert main(broken) == 0
    assert epoch_path(tmp_path / "broken", 1).stat().st_mtime_ns == first
    assert figures(tmp_path / "broken") == figures(tmp_path / "whole")
    for name in ("epochs/epoch-002.safetensors", f"groundglass-{recipe}.safetensors", f"groundglass-{recipe}.json"):
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    card, _ = load_weights(tmp_path / "broken" / f"groundglass-{recipe}.json")
    assert card.labels == (("lung", "lesion") if recipe == "default" else ("lesion",))
    assert (card.training["epochs"], card.training["device"].split(",")[0]) == (2, "processor")
    split = card.training["split"]
    # What takes the last epoch has nothing to choose: no patient is missed in training.
    assert bool(split["tune"]) == (recipe == "study")
    row = figures(tmp_path / "whole")[-1]
    assert 0 <= float(row["train_lesion_dice"]) < 1
    assert bool(row["tune_loss"]) == bool(row["tune_lesion_dice"]) == (recipe == "study")
    assert card.metrics.keys() == ({"tune_loss", "tune_lesion_dice"} if recipe == "study" else set())
    assert {(one["case"], one["role"]) for one in card.training["scans"]} == {
        *((name, "train") for name in split["train"]),
        *((name, "tune") for name in split["tune"]),
    }
    assert len({one["voxels_sha256"] for one in card.training["scans"]}) == len(card.training["scans"])
    assert card.look.lung_alone == (recipe == "study")
    with Image.open(tmp_path / "broken" / "curves.png") as picture:
        assert len(set(picture.convert("RGB").get_flattened_data())) > 3
    assert not list(tmp_path.rglob("*.part"))


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Compute in so many threads: sums over a batch are rounded in the order that threads share it out in.

    As measured, one thread and two of one process part by 3e-5 of the loss in the first epoch, 1.5e-3 in the second.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    yield
    torch.set_num_threads(before)


def test_two_processes_have_the_losses_of_one(tmp_path: Path) -> None:
    arguments = ["train", *TINY, "--full-precision", "--tuning-share", "0.25"]
    with threads(2):
        assert main([*arguments, "--out", str(tmp_path / "one")]) == 0
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    subprocess.run([*torchrun, "-m", "inference.cli", *arguments, "--out", str(tmp_path / "two")], check=True)
    for one, two in zip(figures(tmp_path / "one"), figures(tmp_path / "two"), strict=True):
        for name in ("train_loss", "tune_loss"):
            assert float(two[name]) == pytest.approx(float(one[name]), rel=2e-4)
        for name in ("train_lung_dice", "train_lesion_dice"):
            assert float(two[name]) == pytest.approx(float(one[name]), abs=2e-3)
        assert (one["slices"], one["learning_rate"]) == (two["slices"], two["learning_rate"])


def test_training_learns(tmp_path: Path) -> None:
    recipe = recipe_of("default", width=4, size=32, epochs=12, batch=4)
    recipe = replace(recipe, mixed_precision=False, augmentation=NONE, learning_rate=0.005)
    history = train(a_run(tmp_path, recipe), ALONE)
    assert history[-1]["train_loss"] < 0.8 * history[0]["train_loss"]
    for name in ("train_lung_dice", "tune_lung_dice"):
        assert history[-1][name] > 0.6


def test_patients_set_aside_to_watch_the_training_are_asked_for(tmp_path: Path) -> None:
    arguments = ["train", *TINY, "--epochs", "1", "--out", str(tmp_path), "--tuning-share", "0.25"]
    assert main([*arguments, "--weights-version", "2"]) == 0
    card, _ = load_weights(tmp_path / "groundglass-default.json")
    assert card.training["split"]["tune"]
    assert card.version == "2"
    assert figures(tmp_path)[0]["tune_lung_dice"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--tuning-share", "1"], "--tuning-share must be 0 or more, and less than 1."),
        (["--tuning-share", "nan"], "--tuning-share must be 0 or more, and less than 1."),
        (["--recipe", "study", "--tuning-share", "0"], "takes the epoch that is best on the tuning set"),
        (["--name", "../elsewhere"], "--name takes small letters, digits, dots and hyphens, 64 at most, not"),
        (["--weights-version", "Two"], "--weights-version takes small letters"),
    ],
)
@pytest.mark.parametrize("command", ["train", "crossvalidate"])
def test_what_no_run_can_follow_is_refused_before_it_begins(
    command: str, given: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, *TINY, "--out", str(tmp_path / "run"), *given]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_run_begun_before_training_was_scored_goes_on(tmp_path: Path) -> None:
    train(a_run(tmp_path), ALONE)
    state = torch.load(tmp_path / "last.pt", weights_only=True)
    for row in state["history"]:
        del row["train_lung_dice"], row["train_lesion_dice"]
    torch.save(state, tmp_path / "last.pt")
    train(a_run(tmp_path), ALONE)
    assert [row["train_lung_dice"] for row in figures(tmp_path)] == ["", ""]
    assert all(row["train_loss"] for row in figures(tmp_path))


def test_a_finished_run_is_only_looked_at_again(tmp_path: Path) -> None:
    history = train(a_run(tmp_path), ALONE)
    before = (tmp_path / "last.pt").stat().st_mtime_ns
    assert train(a_run(tmp_path), ALONE) == history
    assert (tmp_path / "last.pt").stat().st_mtime_ns == before


def test_a_folder_with_another_run_is_refused(tmp_path: Path) -> None:
    train(a_run(tmp_path), ALONE)
    with pytest.raises(RunRefused, match="another recipe, seed, split or data"):
        train(a_run(tmp_path, seed=1), ALONE)
    (tmp_path / "last.pt").write_bytes(b"nonsense")
    with pytest.raises(RunRefused, match="is damaged"):
        train(a_run(tmp_path), ALONE)


def test_nothing_to_train_on_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = a_run(tmp_path)
    healthy = [replace(case, lesion=np.zeros_like(case.lesion)) for case in run.cases]
    with pytest.raises(RunRefused, match="no slice with lesion"):
        train(replace(run, cases=healthy), ALONE)
    assert main(["train", "--recipe", "alchemy", "--out", str(tmp_path)]) == 2
    assert "There is no recipe 'alchemy'. There are: default, study." in capsys.readouterr().err
    assert main(["train", "--phantoms", "4", "--size", "40", "--out", str(tmp_path)]) == 2
    assert "multiple of 16" in capsys.readouterr().err


def test_the_loss_is_what_its_definition_says() -> None:
    logits, truth = torch.zeros(2, 2, 4, 4), torch.zeros(2, 2, 4, 4)
    truth[0, 1, 0] = 1
    known = torch.tensor([[1.0, 1.0], [0.0, 1.0]])
    # Three of four masks are known, each with an entropy of ln 2 at a probability of one half.
    assert float(loss_of(logits, truth, known, 0.0)) == pytest.approx(0.75 * np.log(2))
    lung, lesion = 1 - (0 + 10) / (8 + 10), 1 - (2 * 2 + 10) / (16 + 4 + 10)
    assert float(loss_of(logits, truth, known, 1.0)) == pytest.approx(0.75 * np.log(2) + (lung + lesion) / 2)


def test_what_nobody_drew_moves_nothing() -> None:
    logits = torch.randn(1, 2, 4, 4, requires_grad=True)
    loss_of(logits, torch.zeros(1, 2, 4, 4), torch.tensor([[0.0, 1.0]]), 1.0).backward()
    assert logits.grad is not None
    assert not logits.grad[0, 0].any()
    assert logits.grad[0, 1].all()


def test_the_best_epoch_is_the_first_with_the_highest_lesion_dice() -> None:
    def row(dice: float | None, loss: float) -> dict[str, float | None]:
        return {"tune_lesion_dice": dice, "tune_loss": loss}

    assert best_epoch([row(0.2, 1), row(0.5, 3), row(0.5, 3), row(0.4, 0)]) == 2
    assert best_epoch([row(None, 2), row(None, 1)]) == 2


def test_a_recipe_takes_the_best_epoch_or_the_last() -> None:
    history: list[dict[str, float | None]] = [{"tune_lesion_dice": dice, "tune_loss": 1.0} for dice in (0.2, 0.5, 0.4)]
    assert (chosen_epoch("best", history), chosen_epoch("last", history)) == (2, 3)


def test_the_study_is_trained_as_the_paper_says() -> None:
    study = recipe_of("study")
    assert (study.optimiser, study.soft_dice, study.labels, study.negatives_per_positive) == ("sgd", 0, ("lesion",), 1)
    assert (study.look.size, study.look.level_hu, study.look.width_hu, study.look.lung_alone) == (512, -600, 1500, True)
    rates = [recipe_of("default").learning_rate_at(step, 100) for step in range(100)]
    assert max(rates) == rates[20] == recipe_of("default").learning_rate
    assert rates[0] < 0.05 * rates[20]
    assert rates[99] < 0.001 * rates[20]


def test_cases_are_refused_where_slices_do_not_fit() -> None:
    with pytest.raises(ValueError, match="must be uint8"):
        TrainingCase("x", "x", "x", np.zeros((1, 32, 32)), np.zeros((1, 32, 32), np.uint8), None)
