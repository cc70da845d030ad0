"""`manage.py audit verify`: recompute the chains of the audit trail."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from webapp.audit.models import Event
from webapp.audit.verify import faults


class Command(BaseCommand):
    help = "Check the audit trail: every chain is recomputed; exit status 1 where one does not hold."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=["verify"])
        parser.add_argument("--chain", help="only this chain")

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(faults(options["chain"]))
        for sentence in found:
            self.stderr.write(sentence)
        self.stdout.write(f"{Event.objects.count()} events, {len(found)} faults.")
        if found:
            sys.exit(1)
