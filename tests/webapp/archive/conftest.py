"""The archive in a bucket, for the tests of object storage."""

from collections.abc import Iterator

import pytest

from tests.factories.object_store import Bucket, a_bucket, object_store_server


@pytest.fixture(scope="session")
def object_store() -> Iterator[str]:
    """The address of a server that speaks S3."""
    with object_store_server() as address:
        yield address


@pytest.fixture
def bucket(db, object_store: str, settings, monkeypatch: pytest.MonkeyPatch, tmp_path) -> Bucket:
    """A bucket of the test's own, which is the site's storage, set as an installation sets it: by environment."""
    from webapp.settings.storage import archive_storage

    made = a_bucket(object_store)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    settings.STORAGES = {**settings.STORAGES, "default": archive_storage(tmp_path)}
    return made
