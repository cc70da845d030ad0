"""What the tests of inference share: a small phantom, the data folder."""

import os
from pathlib import Path

import pytest

from inference.phantoms import Phantom, make_phantom


@pytest.fixture(scope="session")
def small_phantom() -> Phantom:
    return make_phantom(3, shape_zyx=(12, 48, 64), spacing_zyx_mm=(5.0, 1.5, 1.25))


@pytest.fixture(scope="session")
def real_data() -> Path:
    folder = os.environ.get("GROUNDGLASS_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("GROUNDGLASS_DATA is not set: real scans are not here")
    return Path(folder)
