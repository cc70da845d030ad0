"""The tools of DCMTK, where they are installed."""

import shutil

import pytest


def dcmtk(name: str) -> str:
    """One of DCMTK's tools; pynetdicom's have the same names, and are called as modules. Skips where it is missing."""
    found = shutil.which(name, path="/usr/bin:/usr/local/bin")
    if not found:
        pytest.skip("DCMTK is not installed: make test-tools")
    return found
