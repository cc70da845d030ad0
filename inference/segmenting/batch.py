"""Many scans in turn or at once: those done before are skipped, none that fails stops the others."""

import multiprocessing
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from tqdm import tqdm

from inference.imaging.findings import SeriesRefused
from inference.imaging.formats import VOLUME_ENDINGS
from inference.measures.tables import safe_text
from inference.segmenting.algorithms import Algorithm, Progress, load_algorithm
from inference.segmenting.results import finished, segment_scan, summary_of
from inference.segmenting.tables import measurements_csv, to_csv

KILLED = "Its process was killed, as happens when memory runs out; try it alone, or with fewer --jobs."


@dataclass(frozen=True)
class Work:
    """One scan, and the folder of its results."""

    scan: Path
    out: Path


@dataclass(frozen=True)
class Outcome:
    """What became of a scan: its report, or the sentences that say why there is none; `again` if it was done before."""

    work: Work
    report: dict[str, Any] | None
    reasons: tuple[str, ...] = ()
    again: bool = False


def plan(scans: Sequence[Path], out: Path) -> list[Work]:
    """One scan goes into `out` itself, several into folders of `out` called after them.

    Raises ValueError with a sentence where two scans would share one folder.
    """
    distinct = list(dict.fromkeys(scans))
    if len(distinct) == 1:
        return [Work(distinct[0], out)]
    plain = [_plain_name(scan) for scan in distinct]
    # public sets name the folder of a case's slices the same in each case
    named = [
        f"{scan.resolve().parent.name}-{name}" if plain.count(name) > 1 else name
        for scan, name in zip(distinct, plain, strict=True)
    ]
    for scan, name in zip(distinct, named, strict=True):
        if named.count(name) > 1:
            raise ValueError(f"Two scans would be called {name}, {scan} among them; give them to two commands.")
    return [Work(scan, out / name) for scan, name in zip(distinct, named, strict=True)]


def run(
    works: Sequence[Work],
    algorithm: str,
    device: str,
    *,
    jobs: int = 1,
    again: bool = False,
    tell: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Segment all; outcomes are told as they come and returned in the order of `works`. Raises AlgorithmRefused.

    With several jobs each runs in a process of its own kind; a process that is killed costs its scan alone.
    """
    loaded = load_algorithm(algorithm, device)
    outcomes: dict[Work, Outcome] = {}
    todo = []
    for work in works:
        report = None if again else finished(work.out, work.scan, loaded)
        if report is None:
            todo.append(work)
        else:
            outcomes[work] = Outcome(work, report, again=True)
            tell(outcomes[work])
    several = len(works) > 1
    with tqdm(total=len(works), initial=len(outcomes), unit="scan", disable=None if several else True) as bar:
        done = _in_turn(todo, loaded, several) if jobs == 1 else _at_once(todo, algorithm, device, jobs)
        for outcome in done:
            outcomes[outcome.work] = outcome
            with bar.external_write_mode():
                tell(outcome)
            bar.update()
    return [outcomes[work] for work in works]


def write_tables(out: Path, outcomes: Sequence[Outcome]) -> None:
    """Write measurements.csv of all scans of a batch, and failures.csv where there are any."""
    out.mkdir(parents=True, exist_ok=True)
    reports = [outcome.report for outcome in outcomes if outcome.report is not None]
    (out / "measurements.csv").write_text(measurements_csv(reports), encoding="utf-8", newline="")
    failures = [outcome for outcome in outcomes if outcome.report is None]
    if not failures:
        (out / "failures.csv").unlink(missing_ok=True)
        return
    rows = [
        ["scan", "reason"],
        *([safe_text(str(one.work.scan)), safe_text(" ".join(one.reasons))] for one in failures),
    ]
    (out / "failures.csv").write_text(to_csv(rows), encoding="utf-8", newline="")


def _plain_name(scan: Path) -> str:
    name = scan.resolve().name
    for ending in (*sorted(VOLUME_ENDINGS, key=len, reverse=True), ".zip"):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name


def _in_turn(todo: Sequence[Work], algorithm: Algorithm, several: bool) -> Iterator[Outcome]:
    for work in todo:
        yield _outcome(work, algorithm, _nothing if several else _show)


def _at_once(todo: Sequence[Work], algorithm: str, device: str, jobs: int) -> Iterator[Outcome]:
    """In `jobs` processes. One that is killed takes those of the others along; these are then tried one by one."""
    left = list(todo)
    try:
        with _pool(jobs) as pool:
            futures = {pool.submit(_in_child, work, algorithm, device, jobs): work for work in todo}
            for future in as_completed(futures):
                outcome = future.result()
                left.remove(futures[future])
                yield outcome
        return
    except BrokenProcessPool:
        pass
    for work in left:
        try:
            with _pool(1) as pool:
                outcome = pool.submit(_in_child, work, algorithm, device, jobs).result()
        except BrokenProcessPool:
            outcome = Outcome(work, None, (KILLED,))
        yield outcome


def _pool(jobs: int) -> ProcessPoolExecutor:
    # Started anew, not forked: torch does not survive a fork.
    return ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))


@lru_cache(maxsize=1)
def _loaded(algorithm: str, device: str) -> Algorithm:
    return load_algorithm(algorithm, device)


def _in_child(work: Work, algorithm: str, device: str, jobs: int) -> Outcome:
    return _outcome(work, _loaded(algorithm, device), _nothing)


def _outcome(work: Work, algorithm: Algorithm, progress: Progress) -> Outcome:
    try:
        return Outcome(work, segment_scan(work.scan, work.out, algorithm, progress))
    except SeriesRefused as refusal:
        details = tuple(detail.sentence for detail in refusal.details[1:])
        return Outcome(work, None, (f"Refused ({refusal.code}): {refusal.sentence}", *details))
    except OSError as error:
        return Outcome(work, None, (f"Cannot write the results: {error.strerror or error}.",))
    except MemoryError:
        return Outcome(work, None, ("There is not enough memory for it.",))
    except Exception as error:  # one scan's fault must not cost the others; its kind tells where to look
        return Outcome(work, None, (f"It could not be segmented: {type(error).__name__}: {error}",))


def describe(outcome: Outcome, *, named: bool) -> list[str]:
    """The lines that tell of an outcome that has a report."""
    if outcome.report is None:
        return []
    name = f"{outcome.work.scan}: " if named else ""
    done = " (done before)" if outcome.again else ""
    lines = [f"{name}{summary_of(outcome.report)}{done}"]
    # What biases a weight stands wherever a weight does.
    return lines + [f"{'  ' if named else ''}Warning: {sentence}" for sentence in outcome.report["warnings"]]


def _nothing(fraction: float, what: str) -> None:
    pass


def _show(fraction: float, what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{fraction:4.0%} {what:<24}", end="\n" if fraction >= 1 else "", file=sys.stderr, flush=True)
