"""One signed case for the tests of exports."""

import io
import zipfile
from pathlib import Path

import pytest
from django.http.response import HttpResponseBase
from django.test import Client

from tests.factories.filed import FiledPlace, a_filed_place, letter_f, read_and_sign


@pytest.fixture
def place(db, tmp_path: Path, settings) -> FiledPlace:
    """A filed place whose exports are built in the test's own folder."""
    settings.GROUNDGLASS_HOME = tmp_path
    return a_filed_place(tmp_path)


@pytest.fixture
def signed(place: FiledPlace):
    """The reader's signed reading of the place's case: the findings are the letter F."""
    return read_and_sign(place.case, place.reader, letter_f(place.volume.shape_zyx))


def client_of(user) -> Client:
    """A browser in which `user` is signed in."""
    client = Client()
    client.force_login(user)
    return client


def body_of(response: HttpResponseBase) -> bytes:
    """The bytes of a response, streamed or not."""
    return b"".join(response)


def unzipped(content: bytes) -> dict[str, bytes]:
    """The members of a zip by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        return {name: bundle.read(name) for name in bundle.namelist()}
