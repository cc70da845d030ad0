"""`manage.py administrator USERNAME`: the first administrator of a site, and any other."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from webapp.accounts.actions import create_person, set_administrator
from webapp.accounts.password_actions import set_email
from webapp.accounts.queries import person_called
from webapp.audit.actor import SYSTEM
from webapp.audit.refusal import ActionRefused


class Command(BaseCommand):
    """Say what was done; a new account's password is printed this once."""

    help = "Make somebody an administrator, with a new account where there is none of that name; or one no more."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", help="what they sign in as")
        parser.add_argument("--name", default="", help="their name as others see it, for a new account")
        parser.add_argument("--email", default="", help="where they get e-mail, for a new account")
        parser.add_argument("--no-more", action="store_true", help="take the right away again")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it as the system: who may run commands of this installation may do everything."""
        username, password = options["username"], ""
        try:
            with transaction.atomic():
                person = person_called(username)
                if person is None and options["no_more"]:
                    raise CommandError(f"Nobody here signs in as {username!r}.")
                if person is None:
                    password = "-".join(secrets.token_hex(2) for _ in range(4))
                    person = create_person(
                        username=username,
                        display_name=options["name"] or username,
                        password=password,
                        by=SYSTEM,
                    )
                    if options["email"]:
                        set_email(user=person, email=options["email"], by=SYSTEM)
                set_administrator(user=person, allowed=not options["no_more"], by=SYSTEM)
        except ActionRefused as refused:
            raise CommandError(refused.sentence) from refused
        if password:
            self.stdout.write(f"Log-in: {username}   {password}   (shown this once; change it after signing in)")
        self.stdout.write(f"{person} is {'an administrator no more' if options['no_more'] else 'an administrator'}.")
