"""`manage.py linkage make-key | read`: the key of the linkage table, and the table in the clear."""

import csv
import getpass
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from webapp.audit.actor import SYSTEM
from webapp.intake import linkage
from webapp.intake.actions import read_linkage


class Command(BaseCommand):
    """The private key is written to a file once, and read from it; it should not stay on the server."""

    help = "Make the key of the linkage table, or read the table with it (each reading is in the audit trail)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        make = verbs.add_parser("make-key", help="write a private key to FILE and print the public one")
        make.add_argument("file", metavar="FILE", type=Path)
        read = verbs.add_parser("read", help="print pseudonym, issuer and patient id as CSV")
        read.add_argument("--key", metavar="FILE", type=Path, required=True, help="the private key")
        read.add_argument("pseudonyms", nargs="*", metavar="PSEUDONYM", help="these patients only (default: all)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run one of the two."""
        try:
            if options["verb"] == "make-key":
                self.stdout.write(linkage.make_key(options["file"]))
                return
            rows = read_linkage(
                private=linkage.private_key_of(options["key"]),
                pseudonyms=options["pseudonyms"],
                operator=getpass.getuser(),
                by=SYSTEM,
            )
        except FileExistsError:
            raise CommandError(f"{options['file']} exists: a key is never written over another.") from None
        except (linkage.LinkageBroken, OSError) as error:
            raise CommandError(str(error)) from None
        out = csv.DictWriter(self.stdout, ["pseudonym", "issuer", "patient_id"], lineterminator="\n")
        out.writeheader()
        out.writerows(rows)
