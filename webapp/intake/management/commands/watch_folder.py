"""`manage.py watch_folder PATH --campaign SLUG`: take what is put into a folder."""

import os
import signal
import threading
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, close_old_connections

from webapp.campaigns.models import Campaign
from webapp.intake.management.data_sets import add_data_set_arguments, data_set_of
from webapp.intake.receiving import Said
from webapp.intake.watching import Watch

LOOK_EVERY_S = 2.0


class Command(BaseCommand):
    """Runs until it is told to stop. What is taken is removed from the folder; it is held in quarantine."""

    help = "Take scans and masks that are put into a folder (as `ingest` does), and remove them from there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", metavar="PATH", type=Path, help="the folder")
        parser.add_argument("--campaign", required=True, metavar="SLUG", help="the campaign that gets the cases")
        parser.add_argument("--site", default="", metavar="NAME", help="the site that the scans come from")
        add_data_set_arguments(parser)
        parser.add_argument("--quiet", type=float, metavar="SECONDS", help="how long files must lie still first")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look every other second until SIGTERM or Ctrl-C."""
        folder: Path = options["path"]
        if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK):
            raise CommandError(f"{folder} is no folder that can be read and emptied.")
        campaign = Campaign.objects.filter(slug=options["campaign"]).first()
        if campaign is None:
            raise CommandError(f"There is no campaign called {options['campaign']!r}.")
        quiet_s = settings.INTAKE_QUIET_S if options["quiet"] is None else options["quiet"]
        said = Said(options["site"] or "", data_set_of(options))
        watch = Watch(folder.resolve(), campaign, quiet_s, self._say, said)
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        self._say(f"Watching for the campaign {campaign.slug}; what lies still for {quiet_s:g} s is taken and removed.")
        while not stop.wait(LOOK_EVERY_S):
            close_old_connections()
            try:
                watch.look(time.monotonic())
            except (DatabaseError, OSError) as error:
                self._say(f"Not now ({type(error).__name__}); looking again.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
