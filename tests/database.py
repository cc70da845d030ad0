"""The data folder and the PostgreSQL server of one test run, shared by its xdist workers."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import psutil
import psycopg

from webapp import postgres
from webapp.postgres import roles

PREFIX = "groundglass-tests-"
# A test server may forget everything when the machine stops: it need not wait for the disk.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def prepare() -> None:
    """Point the environment at a data folder of this run, with a server in it unless DATABASE_URL names one."""
    if not os.environ.get("GROUNDGLASS_TEST_HOME"):
        _remove_left_behind()
        home = Path(tempfile.mkdtemp(prefix=PREFIX))
        home.chmod(0o755)  # the server's own user passes through it when the tests run as root
        (home / "run.pid").write_text(str(os.getpid()))
        os.environ["GROUNDGLASS_TEST_HOME"] = os.environ["GROUNDGLASS_HOME"] = str(home)
        atexit.register(_remove, home, os.getpid())
        if not os.environ.get("DATABASE_URL"):
            server = postgres.ensure(home, settings=FAST, say=lambda _: None)
            with psycopg.connect(server.superuser_url, autocommit=True) as connection:
                connection.execute(f"ALTER ROLE {roles.OWNER_ROLE} CREATEDB")
    # Tests migrate as the owner; the fixture `site_role` steps down to what the running site may do.
    os.environ["GROUNDGLASS_DATABASE_ROLE"] = "owner"


def _remove(home: Path, of_process: int | None = None) -> None:
    if of_process is None or of_process == os.getpid():
        postgres.discard(home)
        shutil.rmtree(home, ignore_errors=True)


def _remove_left_behind() -> None:
    """Remove servers of test runs that were killed."""
    for home in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            alive = psutil.pid_exists(int((home / "run.pid").read_text()))
        except (OSError, ValueError):
            continue
        if not alive and home.stat().st_uid == os.geteuid():
            _remove(home)
