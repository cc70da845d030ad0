"""`groundglass train` and `groundglass crossvalidate`: their arguments. torch is imported where they run."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from inference.networks.cards import NAME
from inference.training.cases import TrainingCase, phantom_cases
from inference.training.public_sets import MEDSEG, VARIABLE, DataMissing, data_folder, public_cases
from inference.training.recipes import BEST, DEFAULT, LAST, RECIPES, Recipe, recipe_of
from inference.training.splits import BY_PATIENT, BY_SCAN, TUNING_SHARE, Split, cross_validation, whole

PHANTOM_SIDE, PHANTOM_SLICES = 256, 16

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_commands(commands: "Commands") -> None:
    """Add both commands to the command line."""
    train = commands.add_parser(
        "train",
        help="train a network",
        description="Train a network. The same command goes on with what was stopped; torchrun starts "
        "several processes.",
    )
    _add_shared(train)
    train.add_argument("--fold", type=int, help="leave out this fold (from 1) of --folds")
    train.add_argument("--folds", type=int, default=5, help="how many folds --fold counts (%(default)s)")
    train.set_defaults(run=_train)
    across = commands.add_parser(
        "crossvalidate",
        help="train and judge on patients kept apart, fold by fold",
        description="Train a network for each fold of patients, judge it on the patients kept apart, and say how well "
        "the recipe does. The same command goes on with what was stopped.",
    )
    _add_shared(across)
    across.add_argument("--folds", type=int, default=5, help="how many folds (%(default)s)")
    across.add_argument(
        "--then-all", action="store_true", help="then train on all patients, and put the figures on the weights' card"
    )
    across.set_defaults(run=_crossvalidate)


def _add_shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--recipe", default=DEFAULT.name, help=f"one of: {', '.join(RECIPES)} (%(default)s)")
    parser.add_argument("--data", type=Path, help=f"folder of the training data (else {VARIABLE} names it)")
    parser.add_argument("--phantoms", type=int, help="train on this many synthetic chests instead")
    parser.add_argument("--width", type=int, help="channels of the network's first level")
    parser.add_argument("--size", type=int, help="side of the slices in pixels")
    parser.add_argument("--epochs", type=int, help="how many epochs")
    parser.add_argument("--batch", type=int, help="slices a step, of all processes together")
    parser.add_argument("--seed", type=int, default=0, help="what chance follows from (%(default)s)")
    parser.add_argument("--split-by", choices=(BY_PATIENT, BY_SCAN), default=BY_PATIENT, help="(%(default)s)")
    parser.add_argument(
        "--tuning-share",
        type=float,
        help=f"share of the slices with lesion that is set aside to watch the training, as whole patients "
        f"({TUNING_SHARE}; 0 where no patient is kept apart and the recipe takes the last epoch)",
    )
    parser.add_argument("--name", help="what the weights are called")
    parser.add_argument("--weights-version", default="1", help="which version of that name they are (%(default)s)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (%(default)s)")
    parser.add_argument("--full-precision", action="store_true", help="compute in 32 bits where the recipe has fewer")
    parser.add_argument("--threads", type=int, default=1, help="threads that make slices ready (%(default)s)")


def cases_of(chosen: argparse.Namespace, recipe: Recipe, tell: Callable[[str], None]) -> list[TrainingCase]:
    """The cases that a command trains on; raises DataMissing, SeriesRefused."""
    if chosen.phantoms is not None:
        return phantom_cases(chosen.phantoms, recipe.look, seed=1000, side=recipe.look.size)
    folder = data_folder() if chosen.data is None else chosen.data
    cases = public_cases(folder, recipe.look, tell)
    return cases + phantom_cases(recipe.phantoms, recipe.look, side=PHANTOM_SIDE, slices=PHANTOM_SLICES, dense=True)


def always(cases: list[TrainingCase]) -> list[str]:
    """The cases that train in every fold: sets whose patients are not told apart, and phantoms beside real scans."""
    sources = {case.source for case in cases}
    return [case.name for case in cases if case.source == MEDSEG or (case.source == "phantoms" and len(sources) > 1)]


def splits_of(chosen: argparse.Namespace, cases: list[TrainingCase]) -> list[Split]:
    """The splits of a cross-validation; raises ValueError."""
    share = TUNING_SHARE if chosen.tuning_share is None else chosen.tuning_share
    return cross_validation(
        cases, chosen.folds, chosen.seed, always=always(cases), tuning_share=share, by=chosen.split_by
    )


def split_of_all(chosen: argparse.Namespace, cases: list[TrainingCase], recipe: Recipe) -> Split:
    """The split of weights to use, which keeps no patient apart; raises ValueError.

    Where nothing is chosen by a tuning set, patients set aside would only be missed in training.
    """
    share = (0.0 if recipe.choice == LAST else TUNING_SHARE) if chosen.tuning_share is None else chosen.tuning_share
    return whole(cases, chosen.seed, always=always(cases), tuning_share=share, by=chosen.split_by)


def recipe_chosen(chosen: argparse.Namespace) -> Recipe:
    """The recipe with what the command line changes; raises ValueError."""
    recipe = recipe_of(chosen.recipe, width=chosen.width, size=chosen.size, epochs=chosen.epochs, batch=chosen.batch)
    if chosen.threads < 1 or chosen.seed < 0:
        raise ValueError("--threads must be 1 or more, and --seed 0 or more.")
    for argument, given in (("--name", chosen.name), ("--weights-version", chosen.weights_version)):
        if given is not None and not NAME.fullmatch(given):
            raise ValueError(f"{argument} takes small letters, digits, dots and hyphens, 64 at most, not {given!r}.")
    if chosen.tuning_share is not None and not 0 <= chosen.tuning_share < 1:
        raise ValueError("--tuning-share must be 0 or more, and less than 1.")
    if chosen.tuning_share == 0 and recipe.choice == BEST:
        raise ValueError(f"The recipe {recipe.name} takes the epoch that is best on the tuning set: it needs one.")
    return replace(
        recipe,
        mixed_precision=recipe.mixed_precision and not chosen.full_precision,
        phantoms=recipe.phantoms if chosen.phantoms is None else 0,
    )


def _split(chosen: argparse.Namespace, cases: list[TrainingCase], recipe: Recipe) -> Split:
    if chosen.fold is None:
        return split_of_all(chosen, cases, recipe)
    splits = splits_of(chosen, cases)
    if not 1 <= chosen.fold <= len(splits):
        raise ValueError(f"--fold must be 1 to {len(splits)}, not {chosen.fold}.")
    return splits[chosen.fold - 1]


def _train(chosen: argparse.Namespace) -> int:
    from inference.training.runs import Run

    def work() -> None:
        from inference.training.finishing import card_path
        from inference.training.loop import train
        from inference.training.processes import joined

        recipe = recipe_chosen(chosen)
        with joined(chosen.device) as world:
            tell = _say if world.leads else _nothing
            cases = cases_of(chosen, recipe, tell)
            split = _split(chosen, cases, recipe)
            named = _name(chosen), chosen.threads, chosen.weights_version
            run = Run(cases, split, recipe, chosen.seed, chosen.out, *named)
            for warning in split.warnings:
                tell(f"Warning: {warning}")
            history = train(run, world)
            tell(f"{len(history)} epochs; its weights are at {card_path(run).with_suffix('.safetensors')}.")

    return _saying_why(work)


def _crossvalidate(chosen: argparse.Namespace) -> int:
    def work() -> None:
        from inference.training.crossvalidation import cross_validate, runs_of
        from inference.training.processes import joined
        from inference.training.runs import Run

        recipe = recipe_chosen(chosen)
        with joined(chosen.device) as world:
            tell = _say if world.leads else _nothing
            cases = cases_of(chosen, recipe, tell)
            splits = splits_of(chosen, cases)
            named = _name(chosen), chosen.threads, chosen.weights_version
            runs = runs_of(cases, splits, recipe, chosen.seed, chosen.out, *named)
            folder = None if chosen.phantoms is not None else (chosen.data or data_folder())
            of_all = None
            if chosen.then_all:
                split = split_of_all(chosen, cases, recipe)
                of_all = Run(cases, split, recipe, chosen.seed, chosen.out / "all", *named)
            cross_validate(runs, world, folder, tell, of_all)

    return _saying_why(work)


def _saying_why(work: Callable[[], None]) -> int:
    from inference.imaging.findings import SeriesRefused
    from inference.networks.devices import DeviceRefused
    from inference.training.checkpoints import RunRefused

    try:
        work()
    except (DataMissing, SeriesRefused, DeviceRefused, RunRefused, ValueError) as refusal:
        print(refusal, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"Cannot write the run: {error.strerror or error}.", file=sys.stderr)
        return 1
    return 0


def _name(chosen: argparse.Namespace) -> str:
    return chosen.name or f"groundglass-{chosen.recipe}"


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _nothing(sentence: str) -> None:
    pass
