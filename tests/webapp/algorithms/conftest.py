"""A tiny network's version on disk, made once: torch takes seconds to load."""

from pathlib import Path

import pytest

from tests.factories.versions import write_version


@pytest.fixture(scope="session")
def written(tmp_path_factory) -> Path:
    """The card of a version that says lesion of every voxel; weights, a picture and curves lie beside it."""
    return write_version(tmp_path_factory.mktemp("tiny"), answer=4.0)


@pytest.fixture
def unchecked(monkeypatch) -> None:
    """Weights count as fitting: for what is not about them."""
    monkeypatch.setattr("webapp.algorithms.submitted.refusal_of_weights", lambda card: "")
