"""`manage.py archive verify | sweep`: look after the stored files."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from webapp.archive import storage
from webapp.archive.models import Scan
from webapp.archive.upkeep import damaged_files, left_behind


class Command(BaseCommand):
    help = "verify: read every stored file and compare its checksum. sweep: remove what a killed filing left behind."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=["verify", "sweep"])

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "sweep":
            swept = list(left_behind())
            for identifier in swept:
                storage.remove(identifier)
            self.stdout.write(f"{len(swept)} unfinished filings removed.")
            return
        damaged = list(damaged_files())
        for sentence in damaged:
            self.stderr.write(sentence)
        self.stdout.write(f"{Scan.objects.count()} scans, {len(damaged)} damaged files.")
        if damaged:
            sys.exit(1)
