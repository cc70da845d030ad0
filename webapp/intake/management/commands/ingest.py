"""`manage.py ingest PATH... --campaign SLUG`: bring DICOM, volume files and pictures in, with their masks."""

import contextlib
import ctypes
import errno
import itertools
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from webapp.audit.actor import SYSTEM
from webapp.campaigns.models import Campaign
from webapp.intake import quarantine
from webapp.intake.actions import discard_batch
from webapp.intake.lines import Line
from webapp.intake.management.data_sets import add_data_set_arguments, data_set_of
from webapp.intake.models import Batch
from webapp.intake.processing import opened_alone, process
from webapp.intake.receiving import receive_all
from webapp.intake.sources import Sent, Unusable, files_under

# Names and numbers of malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES, LARGEST_KEPT_BYTES = 128 * 1024 * 1024, 32 * 1024 * 1024


class Command(BaseCommand):
    """Print a line for each scan and mask: accepted, or refused and why. Exit status 1 when anything was refused."""

    help = "Check, de-identify and file scans and their masks: DICOM, NIfTI, NRRD, MetaImage, pictures, zips of them."

    # Addresses and pages play no part here, and reading them all takes as long as a hundred slices.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", help="a folder, a zip archive or a file")
        parser.add_argument("--campaign", required=True, metavar="SLUG", help="the campaign that gets the cases")
        parser.add_argument(
            "--site", default="", metavar="NAME", help="the site that new scans come from, as you name it"
        )
        add_data_set_arguments(parser)
        parser.add_argument(
            "--single-pictures",
            action="store_true",
            help="each PNG, JPEG or TIFF is a case of its own; without it those of a folder are the slices of one case",
        )
        parser.add_argument(
            "--no-hold",
            action="store_true",
            help="read the files where they lie: no encrypted original is held, so nothing can be tried again",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Take in every path as one batch."""
        _keep_freed_memory()
        campaign = Campaign.objects.filter(slug=options["campaign"]).first()
        if campaign is None:
            known = ", ".join(Campaign.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"There is no campaign called {options['campaign']!r} (there are: {known}).")
        things = files_under(Path(path) for path in options["paths"])
        said = {
            "site": options["site"] or "",
            "data_set": data_set_of(options),
            "single_pictures": options["single_pictures"],
        }
        accepted = refused = 0
        with opened_alone(campaign=campaign, by=SYSTEM, source="command", **said) as batch:
            sent = things if options["no_hold"] else self._sealed(batch, things)
            for line in process(batch, sent, SYSTEM, in_second_process=True):
                accepted += line.state == "accepted"
                refused += line.state == "refused"
                self._print(line)
        self.stdout.write(f"{accepted} accepted, {refused} refused.")
        if refused:
            sys.exit(1)

    def _sealed(self, batch: Batch, things: Iterable[Sent | Unusable]) -> Iterable[Sent | Unusable]:
        """Everything as it lies in quarantine; raises CommandError, and keeps nothing, where it finds no room there."""
        try:
            unusable = receive_all(batch=batch, things=things, durable=False, in_second_process=True)
        except (OSError, quarantine.TooLarge) as error:
            discard_batch(batch=batch, by=SYSTEM)
            quarantine.remove(batch.pk)
            raise CommandError(
                f"{_reason(error)}: nothing was kept. Make room for the originals in quarantine, or read them where "
                "they lie with --no-hold."
            ) from error
        return itertools.chain(unusable, quarantine.waiting(batch))

    def _print(self, line: Line) -> None:
        style = self.style.SUCCESS if line.state == "accepted" else self.style.ERROR
        self.stdout.write(f"{style(line.state):<9} {line.title}: {line.sentence}")
        for warning in line.warnings:
            kind = f"{self.style.WARNING('warning')}: " if line.state == "accepted" else ""
            self.stdout.write(f"          {kind}{warning}")
        self.stdout.flush()


def _keep_freed_memory() -> None:
    """Have the C library reuse what was freed: files are read and made by the hundred, and it would give the memory of
    each back and fetch it anew, which takes 0.3 s of 300 files. A C library without the call does as it likes.
    """
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
        library.mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT_BYTES)


def _reason(error: Exception) -> str:
    if isinstance(error, quarantine.TooLarge):
        return "A file is too large"
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return "The disk is full" if full else "The originals cannot be sealed"
