"""What every test may ask for. The database itself is made by `tests.database`, before Django reads its settings."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Scenes with a whole site come first: they take longest, and the many small tests then fill what is left.

    Processes take a file of tests at a time (`make test`), so that each makes what the file shares once.
    """
    items.sort(key=lambda item: not any(item.get_closest_marker(name) for name in ("journey", "browser", "fault")))


@pytest.fixture(autouse=True, scope="session")
def _flush_append_only_tables() -> Iterator[None]:
    """Let Django empty the test database after a transactional test: append-only tables refuse TRUNCATE by trigger."""
    from django.db.backends.postgresql.operations import DatabaseOperations

    truncate = DatabaseOperations.sql_flush

    def sql_flush(self, style, tables, **options):
        statements = truncate(self, style, tables, **options)
        names = [self.quote_name(table) for table in tables] if statements else []
        disable = [f"ALTER TABLE {name} DISABLE TRIGGER USER" for name in names]
        # Jobs are no table of Django's own: without this, one test's jobs would wait in the next one.
        jobs = ["TRUNCATE procrastinate_jobs CASCADE"] if statements else []
        return [*disable, *statements, *jobs, *(sql.replace("DISABLE", "ENABLE", 1) for sql in disable)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        yield


@pytest.fixture(autouse=True)
def _files_of_this_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """Give each test that touches the database a storage folder of its own."""
    if not {"db", "transactional_db"} & set(request.fixturenames):
        yield
        return
    settings = request.getfixturevalue("settings")
    folder = request.getfixturevalue("tmp_path") / "archive"
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(folder), "base_url": None},
        },
    }
    yield


@pytest.fixture
def site_role(db: None):
    """Return a context manager: inside it, the connection has the running site's rights and no more."""
    from django.conf import settings
    from django.db import connection

    @contextlib.contextmanager
    def as_site() -> Iterator[None]:
        with connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {connection.ops.quote_name(settings.SITE_DATABASE_ROLE)}")
        try:
            yield
        finally:
            # After a refused statement only the transaction's own rollback can put the role back.
            if not connection.needs_rollback:
                with contextlib.suppress(Exception), connection.cursor() as cursor:
                    cursor.execute("RESET ROLE")

    return as_site


@pytest.fixture
def run_jobs(db: None):
    """Return a function that runs the jobs in line, in this process and transaction, and returns their names."""
    from procrastinate.contrib.django import app

    def run() -> list[str]:
        from django.db import connection

        done = []
        while True:
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = (SELECT min(id) FROM"
                    " procrastinate_jobs WHERE status = 'todo') RETURNING task_name, args"
                )
                row = cursor.fetchone()
            if row is None:
                return done
            name, ids = row
            ids = json.loads(ids) if isinstance(ids, str) else ids
            app.tasks[name].func.__wrapped__(**ids)
            done.append(name)

    return run


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Return the folder of real scans, or skip: GROUNDGLASS_DATA names it."""
    folder = os.environ.get("GROUNDGLASS_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("GROUNDGLASS_DATA is not set: no real scans to test on")
    return Path(folder).resolve()
