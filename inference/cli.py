"""The command line: `groundglass segment | train | crossvalidate`."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from inference.segmenting import algorithms, batch
from inference.segmenting.scans import KINDS
from inference.threads import rest_while_waiting
from inference.training import command as training

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (0 done, 1 something failed, 2 wrong use, 130 interrupted)."""
    parser = argparse.ArgumentParser(prog="groundglass", description="Quantify pneumonia on chest CT.")
    commands = parser.add_subparsers(dest="command", required=True)
    _add_segment(commands)
    training.add_commands(commands)
    chosen = parser.parse_args(arguments)
    rest_while_waiting()
    command: Callable[[argparse.Namespace], int] = chosen.run
    try:
        return command(chosen)
    except KeyboardInterrupt:
        print("Interrupted; what was finished is kept, and the same command goes on from there.", file=sys.stderr)
        return INTERRUPTED


def _add_segment(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    segment = commands.add_parser(
        "segment",
        help="draw lungs and lesion of scans and measure them",
        description="Draw lungs and lesion of scans and measure them. What was done before is skipped.",
        epilog="Exit status: 0 all done, 1 some failed (listed at the end), 2 wrong use, 130 interrupted.",
    )
    segment.add_argument("scans", type=Path, nargs="+", metavar="SCAN", help=KINDS)
    segment.add_argument("--out", type=Path, required=True, help="folder of the results; of several, one folder a scan")
    segment.add_argument(
        "--algorithm", default=algorithms.DEFAULT, help=f"one of: {', '.join(algorithms.names())} (%(default)s)"
    )
    segment.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (%(default)s)")
    segment.add_argument("--jobs", type=_jobs, default=1, help="how many scans at once (%(default)s)")
    segment.add_argument("--again", action="store_true", help="segment anew what was done before")
    segment.set_defaults(run=_segment)


def _segment(chosen: argparse.Namespace) -> int:
    try:
        works = batch.plan(chosen.scans, chosen.out)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    several = len(works) > 1

    def tell(outcome: batch.Outcome) -> None:
        for line in batch.describe(outcome, named=several):
            print(line)

    try:
        outcomes = batch.run(works, chosen.algorithm, chosen.device, jobs=chosen.jobs, again=chosen.again, tell=tell)
        if several:
            batch.write_tables(chosen.out, outcomes)
    except algorithms.AlgorithmRefused as refusal:
        print(refusal, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"Cannot write the results: {error.strerror or error}.", file=sys.stderr)
        return 1
    return _list_failures(outcomes, several)


def _list_failures(outcomes: Sequence[batch.Outcome], several: bool) -> int:
    failures = [outcome for outcome in outcomes if outcome.report is None]
    if failures and several:
        print(f"{len(failures)} of {len(outcomes)} scans failed:", file=sys.stderr)
    for failure in failures:
        name = f"{failure.work.scan}: " if several else ""
        print(f"{name}{failure.reasons[0]}", file=sys.stderr)
        for detail in failure.reasons[1:]:
            print(f"  {detail}", file=sys.stderr)
    return 1 if failures else 0


def _jobs(text: str) -> int:
    count = int(text) if text.isdecimal() else 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of jobs; give 1 or more")
    return count


if __name__ == "__main__":
    sys.exit(main())
