"""Fixtures of this folder: a campaign with one drafted case, and its reader's reading."""

import pytest

from tests.factories.sites import Workplace, a_reading, a_workplace
from webapp.readings.models import Reading


@pytest.fixture
def place() -> Workplace:
    """A campaign whose one case has its AI draft, and its people."""
    return a_workplace()


@pytest.fixture
def reading(place: Workplace) -> Reading:
    """The reader's reading of that case."""
    return a_reading(place)
