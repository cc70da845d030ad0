"""Cross-validation: a network for each fold of patients, judged on the patients kept apart."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inference.networks.weights import write_whole
from inference.predict import Predictor
from inference.training.cases import TrainingCase
from inference.training.finishing import card_path
from inference.training.judging import judge
from inference.training.loop import train
from inference.training.processes import World
from inference.training.recipes import Recipe
from inference.training.runs import Run
from inference.training.shipping import put_on_card
from inference.training.splits import Split

RESULT, RESULTS, TABLE = "result.json", "crossvalidation.json", "crossvalidation.md"
SHEETS = "sheets"
SUMMARISED = ("lung_dice", "lesion_dice", "lesion_sensitivity", "lesion_ppv")


def cross_validate(
    runs: Sequence[Run], world: World, data: Path | None, tell: Callable[[str], None], of_all: Run | None = None
) -> None:
    """Train and judge each fold's run, then write crossvalidation.json and .md beside the folds' folders.

    A fold that was judged before is read again where its weights are the same; one that was stopped goes on from its
    last epoch. `data` is the data folder with the HU scans, or None. With `of_all`, a run that keeps no patient apart,
    that one is trained after them, and the figures go on its card. Raises RunRefused.
    """
    for number, run in enumerate(runs, start=1):
        tell(f"Fold {number} of {len(runs)}: kept apart are {', '.join(run.split.validate)}.")
        train(run, world)
        if world.leads:
            fold = judged(run, str(world.device), data)
            for case in fold["cases"]:
                tell(f"  {case['case']}: lung Dice {_text(case['lung_dice'])}, lesion {_text(case['lesion_dice'])}")
        world.wait()
    results: dict[str, Any] = {}
    if world.leads:
        folder = runs[0].out.parent
        results = results_of([judged(run, str(world.device), data) for run in runs], runs[0].recipe, runs[0].seed)
        write_whole(folder / RESULTS, (json.dumps(results, indent=2) + "\n").encode())
        write_whole(folder / TABLE, table_of(results).encode())
        tell(f"The figures are in {folder / TABLE}.")
    if of_all is not None:
        tell("All patients, for weights to use.")
        train(of_all, world)
        if world.leads:
            put_on_card(of_all, results)


def runs_of(
    cases: Sequence[TrainingCase],
    splits: Sequence[Split],
    recipe: Recipe,
    seed: int,
    out: Path,
    name: str,
    threads: int,
    version: str = "1",
) -> list[Run]:
    """The runs of a cross-validation, each in a folder of its own: fold-1, fold-2 and so on."""
    return [
        Run(cases, split, recipe, seed, out / f"fold-{number}", name, threads, version)
        for number, split in enumerate(splits, start=1)
    ]


def judged(run: Run, device: str, data: Path | None) -> dict[str, Any]:
    """The figures of a fold that is trained: those that stand in its folder, if they are of these weights."""
    predictor = Predictor(card_path(run), device)
    try:
        before: dict[str, Any] = json.loads((run.out / RESULT).read_text(encoding="utf-8"))
        if (before["weights_sha256"], before["options"]) == (predictor.card.weights_sha256, predictor.options()):
            return before
    except (OSError, ValueError, KeyError, TypeError):
        pass
    known = {case.name: case for case in run.cases}
    figures = {
        "fold": run.out.name,
        "weights_sha256": predictor.card.weights_sha256,
        "chosen_epoch": predictor.card.training["chosen_epoch"],
        "options": predictor.options(),
        "split": {"train": run.split.train, "tune": run.split.tune, "validate": run.split.validate},
        **judge(predictor, [known[name] for name in run.split.validate], data, run.out / SHEETS),
    }
    write_whole(run.out / RESULT, (json.dumps(figures, indent=2) + "\n").encode())
    return figures


def results_of(folds: Sequence[Mapping[str, Any]], recipe: Recipe, seed: int) -> dict[str, Any]:
    """All folds together: each figure's mean and SD (n - 1) over cases, those undefined counted apart."""
    cases = [case for fold in folds for case in fold["cases"]]
    summary = {}
    for name in SUMMARISED:
        values = [case[name] for case in cases if case[name] is not None]
        summary[name] = {
            "mean": float(np.mean(values)) if values else None,
            "sd": float(np.std(values, ddof=1)) if len(values) > 1 else None,
            "cases": len(values),
            "undefined": len(cases) - len(values),
        }
    return {"recipe": recipe.as_dict(), "seed": seed, "summary": summary, "folds": list(folds)}


def table_of(results: Mapping[str, Any]) -> str:
    """The results as Markdown."""
    recipe, summary = results["recipe"], results["summary"]
    lines = [
        f"# Cross-validation of the recipe {recipe['name']}",
        "",
        f"Width {recipe['width']}, {recipe['look']['size']} x {recipe['look']['size']} pixels, "
        f"{recipe['epochs']} epochs, seed {results['seed']}, {len(results['folds'])} folds.",
        "",
        "| Fold | Case | Slices | Lung Dice | Lesion Dice | Sensitivity | PPV | Extent found / drawn, % by area |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for fold in results["folds"]:
        for case in fold["cases"]:
            figures = " | ".join(_text(case[name]) for name in SUMMARISED)
            extents = f"{_text(case['extent_percent'], 1)} / {_text(case['reference_extent_percent'], 1)}"
            lines.append(f"| {fold['fold']} | {case['case']} | {case['slices']} | {figures} | {extents} |")
    both = " | ".join(f"{_text(summary[name]['mean'])} ± {_text(summary[name]['sd'])}" for name in SUMMARISED)
    lines += [f"| | **mean ± SD** | | {both} | |", ""]
    undefined = [f"{name} {summary[name]['undefined']}" for name in SUMMARISED if summary[name]["undefined"]]
    if undefined:
        lines += [f"Undefined for some cases and left out of the mean: {', '.join(undefined)}.", ""]
    for fold in results["folds"]:
        lines += _scans(fold)
    return "\n".join(lines) + "\n"


def _scans(fold: Mapping[str, Any]) -> list[str]:
    lines = []
    if found := fold.get("slices"):
        lines.append(
            f"Slices of {found['scan']} ({found['positive']} infected, {found['negative']} not; {fold['fold']}): "
            f"AUC of lesion volume {_text(found['auc'])}; at {found['threshold']} mL "
            f"sensitivity {_text(found['sensitivity'])}, specificity {_text(found['specificity'])}."
        )
    if found := fold.get("normal"):
        lines.append(
            f"{found['scan']}, where none is ({fold['fold']}): {_text(found['lesion_volume_ml'], 1)} mL of lesion, "
            f"extent {_text(found['extent_percent'], 2)} %."
        )
    return [part for line in lines for part in (line, "")]


def _text(value: float | None, digits: int = 3) -> str:
    return "undefined" if value is None else f"{value:.{digits}f}"
