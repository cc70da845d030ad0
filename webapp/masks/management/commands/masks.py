"""`manage.py masks verify`: replay the logs of strokes."""

import sys
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand

from webapp.masks.models import Mask
from webapp.masks.verify import faults


class Command(BaseCommand):
    help = (
        "Check the masks: every log is replayed and its hashes recomputed, and compared with the working state and the"
        " versions; exit status 1 where something does not hold."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=["verify"])
        parser.add_argument("--mask", type=UUID, help="only this mask")

    def handle(self, *args: Any, **options: Any) -> None:
        count, only = 0, options["mask"]
        for sentence in faults(only):
            count += 1
            self.stderr.write(sentence)
        masks = Mask.objects.filter(pk=only) if only else Mask.objects.all()
        self.stdout.write(f"{masks.count()} masks, {count} faults.")
        if count:
            sys.exit(1)
