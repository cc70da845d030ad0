"""The options by which a command says whose masks come with scans."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from webapp.audit.actor import SYSTEM
from webapp.audit.refusal import ActionRefused
from webapp.masks.imports import name_data_set
from webapp.masks.models import DataSet


def add_data_set_arguments(parser: ArgumentParser) -> None:
    """Add --data-set, --licence and --citation."""
    parser.add_argument(
        "--data-set", default="", metavar="NAME", help="the data set that the masks are of: their author"
    )
    parser.add_argument("--licence", default="", metavar="TEXT", help="the licence of the data set")
    parser.add_argument("--citation", default="", metavar="TEXT", help="how the data set wants to be cited")


def data_set_of(options: dict[str, Any]) -> DataSet | None:
    """The data set that the options name, made where it is not there. Raises CommandError."""
    if not options["data_set"]:
        if options["licence"] or options["citation"]:
            raise CommandError("--licence and --citation are of a data set: name it with --data-set.")
        return None
    try:
        return name_data_set(
            name=options["data_set"], licence=options["licence"] or "", citation=options["citation"] or "", by=SYSTEM
        )
    except ActionRefused as refused:
        raise CommandError(refused.sentence) from refused
