"""`manage.py archive verify | sweep | pictures | probe`: look after the stored files."""

import hashlib
import sys
import uuid
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from webapp.archive import storage
from webapp.archive.models import Scan
from webapp.archive.tasks import make_pictures
from webapp.archive.upkeep import damaged_files, left_behind


class Command(BaseCommand):
    help = (
        "verify: read every stored file and compare its checksum. sweep: remove what a killed filing left behind. "
        "pictures: make those of scans that have none. probe: write, read and remove a file, to try the storage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=["verify", "sweep", "pictures", "probe"])

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the verb says."""
        getattr(self, f"_{options['verb']}")()

    def _verify(self) -> None:
        """Exit status 1 where a file is damaged, missing or cannot be read."""
        damaged = 0
        for sentence in damaged_files():
            damaged += 1
            self.stderr.write(sentence)
        self.stdout.write(f"{Scan.objects.count()} scans, {damaged} damaged files.")
        if damaged:
            sys.exit(1)

    def _sweep(self) -> None:
        swept = 0
        for identifier in left_behind():
            storage.remove(identifier)
            swept += 1
        self.stdout.write(f"{swept} unfinished filings removed.")

    def _pictures(self) -> None:
        missing = list(Scan.objects.filter(pictures=None).order_by("filed_at").values_list("pk", flat=True))
        for scan_id in missing:
            make_pictures(str(scan_id))
        left = Scan.objects.filter(pk__in=missing, pictures=None).count()
        self.stdout.write(f"Pictures of {len(missing) - left} scans made; {left} scans cannot be read.")
        if left:
            sys.exit(1)

    def _probe(self) -> None:
        identifier, content = uuid.uuid4(), uuid.uuid4().bytes * 1024
        try:
            path, sha256 = storage.write(identifier, storage.SLABS, content, ".probe")
            assert sha256 == hashlib.sha256(content).hexdigest()
            storage.read(path, sha256)
            storage.remove(identifier)
            if storage.newest_change(identifier) is not None:
                raise CommandError("A file could be written and read, but not removed.")
        except (OSError, storage.DamagedFile) as error:
            raise CommandError(f"The storage does not work: {error}") from error
        self.stdout.write("A file was written, read and removed: the storage works.")
