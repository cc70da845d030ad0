"""A filed place for the tests of pages."""

from pathlib import Path

import pytest
from django.test import Client

from tests.factories.filed import FiledPlace, a_filed_place


@pytest.fixture
def place(db, tmp_path: Path, settings) -> FiledPlace:
    """One filed and drafted case, with files in the test's own folder."""
    settings.GROUNDGLASS_HOME = tmp_path
    return a_filed_place(tmp_path)


def client_of(user) -> Client:
    """A browser in which `user` is signed in."""
    client = Client()
    client.force_login(user)
    return client
