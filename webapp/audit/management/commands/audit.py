"""`manage.py audit verify | export | heads | verifier`: check the audit trail, and let others check it."""

import itertools
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from webapp.audit import standalone_verifier
from webapp.audit.actions import export_heads
from webapp.audit.actor import SYSTEM
from webapp.audit.export import export_lines
from webapp.audit.heads import Head, MalformedHeads, heads_in, present_heads
from webapp.audit.models import ChainCheck, Event
from webapp.audit.verify import faults, faults_against

FORGET = "let the site's own checks, which pages show, begin anew: after a restore, or once what they found is settled"
HEADS = "compare with heads that were exported earlier"


class Command(BaseCommand):
    help = "Check the audit trail, export it, or print the heads of its chains."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verify = verbs.add_parser("verify", help="recompute every chain; exit status 1 where one does not hold")
        verify.add_argument("--chain", help="only this chain")
        verify.add_argument("--heads", metavar="FILE", type=Path, action="append", default=[], help=HEADS)
        verify.add_argument("--forget", action="store_true", help=FORGET)
        export = verbs.add_parser("export", help="print events and heads as JSON lines")
        export.add_argument("--chain", help="only this chain")
        export.add_argument("--since", default="", metavar="DATE", help="only events from this day on (UTC)")
        heads = verbs.add_parser("heads", help="print the heads of all chains as JSON lines")
        heads.add_argument("--export", action="store_true", help="add them to today's file in AUDIT_HEADS_DIR too")
        verbs.add_parser("verifier", help="print a program that checks an export with Python alone")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run one verb."""
        getattr(self, options["verb"])(options)

    def verify(self, options: dict[str, Any]) -> None:
        """Recompute, and compare with what left the server."""
        chain = options["chain"]
        count = 0
        for sentence in itertools.chain(faults(chain), faults_against(self._read(options["heads"]), chain)):
            self.stderr.write(sentence)
            count += 1
        self.stdout.write(f"{Event.objects.count()} events, {count} faults.")
        if options["forget"]:
            ChainCheck.objects.all().delete()
        if count:
            sys.exit(1)

    def export(self, options: dict[str, Any]) -> None:
        """Print line by line."""
        for line in export_lines(options["chain"], options["since"]):
            self.stdout.write(line, ending="")

    def heads(self, options: dict[str, Any]) -> None:
        """Print, and keep where asked to."""
        try:
            kept = export_heads(folder=Path(settings.AUDIT_HEADS_DIR), by=SYSTEM) if options["export"] else None
        except OSError as error:
            raise CommandError(f"AUDIT_HEADS_DIR cannot be written to: {error.strerror}.") from error
        for head in present_heads() if kept is None else kept:
            self.stdout.write(head.line, ending="")

    def verifier(self, options: dict[str, Any]) -> None:
        """Print the program's source."""
        self.stdout.write(Path(standalone_verifier.__file__).read_text(), ending="")

    def _read(self, paths: list[Path]) -> list[Head]:
        heads: list[Head] = []
        for path in paths:
            try:
                with open(path, encoding="utf-8") as lines:
                    heads += heads_in(lines)
            except (OSError, UnicodeDecodeError) as error:
                raise CommandError(f"{path} cannot be read.") from error
            except MalformedHeads as error:
                raise CommandError(f"{path}: {error}") from error
        return heads
