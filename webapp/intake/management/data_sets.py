"""The options by which a command says whose masks come with scans."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from webapp.audit.actor import SYSTEM
from webapp.audit.refusal import ActionRefused
from webapp.masks.imports import name_data_set
from webapp.masks.models import DataSet


def add_data_set_arguments(parser: ArgumentParser) -> None:
    """Add --data-set, --licence, --citation and --mask-values."""
    parser.add_argument(
        "--data-set", default="", metavar="NAME", help="the data set that the masks are of: their author"
    )
    parser.add_argument("--licence", default="", metavar="TEXT", help="the licence of the data set")
    parser.add_argument("--citation", default="", metavar="TEXT", help="how the data set wants to be cited")
    parser.add_argument(
        "--mask-values",
        default="",
        metavar="VALUES",
        help='what the values of its mask files mean: "1=left lung, 2=right lung, 3=lesion"',
    )


def data_set_of(options: dict[str, Any]) -> DataSet | None:
    """The data set that the options name, made where it is not there. Raises CommandError."""
    if not options["data_set"]:
        if options["licence"] or options["citation"] or options["mask_values"]:
            raise CommandError("--licence, --citation and --mask-values are of a data set: name it with --data-set.")
        return None
    try:
        return name_data_set(
            name=options["data_set"],
            licence=options["licence"] or "",
            citation=options["citation"] or "",
            mask_values=mask_values_of(options["mask_values"] or ""),
            by=SYSTEM,
        )
    except ActionRefused as refused:
        raise CommandError(refused.sentence) from refused


def mask_values_of(text: str) -> dict[int, str]:
    """What each value means, from "1=left lung, 3=lesion". Raises CommandError."""
    found: dict[int, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        value, _, words = (piece.strip() for piece in part.partition("="))
        if not (value.isascii() and value.isdigit() and 1 <= int(value) <= 255 and words) or int(value) in found:
            raise CommandError(
                f"--mask-values: {part!r} is none. Write each value from 1 to 255 once, with what it is: "
                '"1=left lung, 2=right lung, 3=lesion".'
            )
        found[int(value)] = words
    return found
