"""A campaign, a phantom's series on disk, and a way to call `ingest` as a person does."""

import functools
from collections.abc import Callable
from pathlib import Path

import pytest

from inference.phantoms import Phantom, make_phantom, write_dicom_series
from tests.factories.doors import bring
from tests.factories.sites import a_campaign
from webapp.campaigns.models import Campaign


@pytest.fixture(autouse=True)
def _quarantine_of_this_test(request, tmp_path):
    """Give each test a quarantine of its own."""
    request.getfixturevalue("settings").GROUNDGLASS_HOME = tmp_path / "home"


@pytest.fixture
def campaign(db) -> Campaign:
    """A campaign whose slug is covid."""
    return a_campaign("covid")


@pytest.fixture(scope="session")
def phantom() -> Phantom:
    """Eight small slices."""
    return make_phantom(5, shape_zyx=(8, 32, 40), spacing_zyx_mm=(20.0, 9.0, 8.0))


@pytest.fixture
def series(phantom, tmp_path) -> Callable[..., list[Path]]:
    """Write the phantom's series into a folder and return the files; a seed makes another series of it."""

    def write(folder: str = "series", **options: str) -> list[Path]:
        return write_dicom_series(phantom, tmp_path / "sent" / folder, **options)

    return write


@pytest.fixture(scope="session")
def chest() -> Phantom:
    """A chest with lesions on both sides."""
    return make_phantom(3, shape_zyx=(14, 48, 64), spacing_zyx_mm=(20.0, 7.0, 6.5))


@pytest.fixture
def ingest(campaign) -> Callable[..., tuple[str, int]]:
    """Call the command for this campaign; return what it printed and its exit status."""
    return functools.partial(bring, campaign)
