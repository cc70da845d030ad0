"""`manage.py algorithms register | shipped | list | retire | mark | unmark`: the algorithm versions of this site."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from webapp.algorithms.models import Algorithm
from webapp.algorithms.queries import algorithm_called
from webapp.algorithms.shipped import register_files, register_shipped
from webapp.algorithms.version_actions import retire_version
from webapp.archive.models import Scan
from webapp.audit.actor import SYSTEM
from webapp.audit.refusal import ActionRefused
from webapp.campaigns.algorithm_actions import mark_patient, unmark_patient
from webapp.campaigns.queries import scan_named


class Command(BaseCommand):
    help = (
        "register: a version by its card; weights and pictures lie beside it, called alike. shipped: those that come "
        "with the product. list: all that are registered. retire: a version begins no new runs any more. mark, unmark: "
        "a patient is, or is not, in the training data of a version."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        register = verbs.add_parser("register", help="register a version by its card")
        register.add_argument("card", type=Path, help="CARD.json, with CARD.safetensors beside it")
        register.add_argument("--title", default="", help="its name for people; else made of the card's name")
        verbs.add_parser("shipped", help="register what comes with the product and is not registered yet")
        verbs.add_parser("list", help="list all versions")
        for verb, words in (
            ("retire", "let a version begin no new runs any more"),
            ("mark", "say that a scan's patient is in the training data of a version"),
            ("unmark", "take such a mark back"),
        ):
            changing = verbs.add_parser(verb, help=words)
            changing.add_argument("name")
            changing.add_argument("version")
            if verb != "retire":
                changing.add_argument(
                    "scan", help="campaign/number of a case, or a scan's id, or the address of either"
                )
            changing.add_argument("--reason", required=True, help="why: it stays in the record")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the verb says, as the system; what is refused ends with the refusal's sentence."""
        try:
            getattr(self, f"_{options['verb']}")(**options)
        except ActionRefused as refused:
            raise CommandError(refused.sentence) from refused

    def _register(self, card: Path, title: str, **_: Any) -> None:
        algorithm = register_files(card, by=SYSTEM, title=title)
        self.stdout.write(f"{algorithm} is registered ({algorithm.name} {algorithm.version}).")

    def _shipped(self, **_: Any) -> None:
        for algorithm in register_shipped(by=SYSTEM):
            self.stdout.write(f"{algorithm} is registered ({algorithm.name} {algorithm.version}).")

    def _list(self, **_: Any) -> None:
        for one in Algorithm.objects.order_by("name", "-pk"):
            weights = one.weights_sha256[:12] or "no weights"
            retired = f"  retired {one.retired_at:%Y-%m-%d}" if one.retired_at else ""
            self.stdout.write(f"{one.name:<32} {one.version:<10} {weights:<12}  {one.title}{retired}")

    def _retire(self, name: str, version: str, reason: str, **_: Any) -> None:
        algorithm = _known(name, version)
        retire_version(algorithm=algorithm, reason=reason, by=SYSTEM)
        self.stdout.write(f"{algorithm} is retired: it begins no new runs.")

    def _mark(self, name: str, version: str, scan: str, reason: str, **_: Any) -> None:
        algorithm, found = _known(name, version), _scan(scan)
        mark_patient(algorithm=algorithm, scan=found, reason=reason, by=SYSTEM)
        self.stdout.write(f"Patient {found.study.patient} is marked as known to {algorithm}.")

    def _unmark(self, name: str, version: str, scan: str, reason: str, **_: Any) -> None:
        algorithm, found = _known(name, version), _scan(scan)
        unmark_patient(algorithm=algorithm, scan=found, reason=reason, by=SYSTEM)
        self.stdout.write(f"Patient {found.study.patient} is not marked as known to {algorithm} any more.")


def _known(name: str, version: str) -> Algorithm:
    algorithm = algorithm_called(name, version)
    if algorithm is None:
        raise CommandError(f"This site knows no {name} {version}: manage.py algorithms list tells what it knows.")
    return algorithm


def _scan(text: str) -> Scan:
    scan = scan_named(Scan.objects.all(), text)
    if scan is None:
        raise CommandError(f"There is no case or scan {text!r}.")
    return scan
