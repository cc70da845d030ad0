"""`manage.py ingest PATH... --campaign SLUG`: bring DICOM folders, zip archives and NIfTI files in."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from webapp.audit.actor import SYSTEM
from webapp.campaigns.actions import name_site
from webapp.campaigns.models import Campaign
from webapp.intake.actions import open_batch
from webapp.intake.pipeline import Line
from webapp.intake.processing import process
from webapp.intake.sources import files_under


class Command(BaseCommand):
    """Print a line for each series: accepted, or refused and why. Exit status 1 when anything was refused."""

    help = "Check, de-identify and file scans: DICOM folders and files, zip archives, NIfTI (.nii, .nii.gz)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", help="a folder, a zip archive or a file")
        parser.add_argument("--campaign", required=True, metavar="SLUG", help="the campaign that gets the cases")
        parser.add_argument(
            "--site", default="", metavar="NAME", help="the site that new scans come from, as you name it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Take in every path as one batch."""
        campaign = Campaign.objects.filter(slug=options["campaign"]).first()
        if campaign is None:
            known = ", ".join(Campaign.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"There is no campaign called {options['campaign']!r} (there are: {known}).")
        batch = open_batch(campaign=campaign, by=SYSTEM)
        accepted = refused = 0
        sent = files_under(Path(path) for path in options["paths"])
        for line in process(batch, sent, SYSTEM):
            accepted += line.state == "accepted"
            refused += line.state == "refused"
            if options["site"] and line.scan is not None and line.scan.site in ("", campaign.default_site):
                name_site(scans=[line.scan], site=options["site"], by=SYSTEM)
            self._print(line)
        self.stdout.write(f"{accepted} accepted, {refused} refused.")
        if refused:
            sys.exit(1)

    def _print(self, line: Line) -> None:
        style = self.style.SUCCESS if line.state == "accepted" else self.style.ERROR
        self.stdout.write(f"{style(line.state):<9} {line.title}: {line.sentence}")
        for warning in line.warnings:
            kind = f"{self.style.WARNING('warning')}: " if line.state == "accepted" else ""
            self.stdout.write(f"          {kind}{warning}")
        self.stdout.flush()
