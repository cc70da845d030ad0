"""A campaign as a DICOMweb server: one filed scan with its draft, one signed reading, and what jobs make of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.factories.filed import FiledPlace, a_filed_place, letter_f, read_and_sign
from webapp.accounts.actions import create_token
from webapp.accounts.models import User

ROOT = "/dicomweb/covid"


@pytest.fixture
def place(db, tmp_path: Path, settings, run_jobs: Callable[[], list[str]]) -> FiledPlace:
    """A filed and drafted case, before anybody read it; DICOMweb knows its series."""
    settings.GROUNDGLASS_HOME = tmp_path
    place = a_filed_place(tmp_path)
    run_jobs()
    return place


@pytest.fixture
def signed(place: FiledPlace, run_jobs: Callable[[], list[str]]) -> Any:
    """The reader's signed reading, its objects filed."""
    reading = read_and_sign(place.case, place.reader, letter_f(place.volume.shape_zyx))
    run_jobs()
    return reading


def client_of(user: User) -> Client:
    """A program that holds an access token of a person."""
    token = user.access_tokens.filter(name="tests").first()
    if token:
        token.delete()
    _, secret = create_token(name="tests", days=7, by=user)
    return Client(headers={"Authorization": f"Bearer {secret}"})


def first(model: dict[str, Any], tag: str) -> Any:
    """The first value of an attribute of DICOM JSON; None where it has none."""
    return (model[tag].get("Value") or [None])[0]
