"""`manage.py dicom_listener --port 11112 --aet GROUNDGLASS --campaign SLUG`: take what scanners and archives send."""

import re
import signal
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from webapp.campaigns.models import Campaign
from webapp.intake.dimse import Listener, tls_context
from webapp.intake.management.data_sets import add_data_set_arguments, data_set_of
from webapp.intake.receiving import Said

_TITLE = re.compile(r"[ -\[\]-~]{1,16}")


class Command(BaseCommand):
    """Runs until it is told to stop. One line for each association; nothing of an image is ever printed."""

    help = "Listen for DICOM: C-ECHO, and C-STORE of CT images, segmentations and structure sets."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=11112, help="port to listen on (default: 11112)")
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 is all of them")
        parser.add_argument("--aet", default="GROUNDGLASS", metavar="TITLE", help="our AE title (default: GROUNDGLASS)")
        parser.add_argument(
            "--campaign",
            action="append",
            required=True,
            metavar="[TITLE=]SLUG",
            help="the campaign that gets the scans; several, each for its own called AE title",
        )
        parser.add_argument("--calling", action="append", default=[], metavar="TITLE", help="let only these senders in")
        parser.add_argument("--site", default="", metavar="NAME", help="the site that the scans come from")
        add_data_set_arguments(parser)
        parser.add_argument("--associations", type=int, default=10, help="senders at a time (default: 10)")
        parser.add_argument(
            "--tls-certificate", type=Path, metavar="FILE", help="speak TLS with this certificate (PEM)"
        )
        parser.add_argument("--tls-key", type=Path, metavar="FILE", help="the certificate's key (PEM)")
        parser.add_argument("--client-ca", type=Path, metavar="FILE", help="let only senders in whom this CA signed")

    def handle(self, *args: Any, **options: Any) -> None:
        """Listen until SIGTERM or Ctrl-C."""
        campaigns = _campaigns(options["campaign"], options["aet"])
        tls = _tls(options["tls_certificate"], options["tls_key"], options["client_ca"])
        said = Said(options["site"] or "", data_set_of(options))
        listener = Listener(campaigns, _titles(options["calling"]), options["associations"], self._say, said)
        try:
            port = listener.start(options["host"], options["port"], tls)
        except OSError as error:
            raise CommandError(
                f"Port {options['port']} of {options['host']} cannot be had: {error.strerror}."
            ) from None
        for title, slug in campaigns.items():
            how = "with TLS" if tls else "without TLS"
            self._say(f"{title} listens at {options['host']}:{port} {how} for the campaign {slug}.")
        if not options["calling"]:
            self._say("Any sender is let in: name those that may with --calling.")
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        stop.wait()
        listener.stop()

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _campaigns(given: list[str], title: str) -> dict[str, str]:
    """Called AE title to slug; raises CommandError."""
    pairs = [tuple(text.split("=", 1)) if "=" in text else (title, text) for text in given]
    campaigns = {called: slug for called, slug in pairs}
    if len(campaigns) < len(pairs):
        raise CommandError("Each AE title is for one campaign: write --campaign TITLE=SLUG for the others.")
    _titles(list(campaigns))
    there = set(Campaign.objects.values_list("slug", flat=True))
    missing = [slug for slug in campaigns.values() if slug not in there]
    if missing:
        known = ", ".join(sorted(there)) or "none yet"
        raise CommandError(f"There is no campaign called {missing[0]!r} (there are: {known}).")
    return campaigns


def _titles(titles: list[str]) -> list[str]:
    for title in titles:
        if not _TITLE.fullmatch(title) or not title.strip():
            raise CommandError(f"{title!r} is no AE title: 1 to 16 letters, digits and signs.")
    return [title.strip() for title in titles]


def _tls(certificate: Path | None, key: Path | None, client_ca: Path | None) -> Any:
    if certificate is None and key is None and client_ca is None:
        return None
    if certificate is None or key is None:
        raise CommandError("TLS needs both --tls-certificate and --tls-key.")
    try:
        return tls_context(certificate, key, client_ca)
    except OSError as error:
        raise CommandError(f"TLS cannot be set up with these files: {error.strerror or error}.") from None
