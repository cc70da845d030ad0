"""A program that comes with somebody's token, for tests of the API."""

import json

from django.test import Client

from webapp.accounts.actions import create_token
from webapp.accounts.models import User


class Program:
    """One person's program, at the API of campaigns."""

    def __init__(self, client: Client, person: User, name: str = "program") -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {create_token(name=name, days=7, by=person)[1]}"}

    def get(self, path: str, **query: object):
        """The answer to a GET under /api/campaigns/."""
        return self.client.get(f"/api/campaigns/{path}", query, headers=self.headers)

    def post(self, path: str, said: object):
        """The answer to JSON posted under /api/campaigns/."""
        body = json.dumps(said)
        return self.client.post(f"/api/campaigns/{path}", body, content_type="application/json", headers=self.headers)
