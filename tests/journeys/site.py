"""A whole real site for a test: its own data folder, PostgreSQL, web server and worker, each a process of its own.

Nothing of the site is imported here but the wrapper that tells the database's pid: a test sees the site as a person,
a browser and an operator see it.
"""

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg.rows import dict_row

from tests.journeys.forks import run_there
from webapp import postgres

ROOT = Path(__file__).resolve().parents[2]
# Nothing here measures speed: a limit only ends a test that would wait for ever.
PATIENCE_S = 180.0
T = TypeVar("T")


def wait_until(what: str, condition: Callable[[], T], patience_s: float = PATIENCE_S, pause_s: float = 0.2) -> T:
    """The first truthy answer of `condition`."""
    end = time.monotonic() + patience_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"Waited {patience_s:.0f} s in vain: {what}")
        time.sleep(pause_s)


@dataclass(frozen=True)
class Person:
    """Someone with an account of the site."""

    username: str
    name: str
    role: str
    password: str


@dataclass
class Site:
    """One installation in a folder. `start()` brings everything up; `stop()` leaves nothing running.

    With `quick_passwords` they are hashed at little cost; all else is as it is for everybody.
    """

    home: Path
    port: int = 0
    environment: dict[str, str] = field(default_factory=dict)
    quick_passwords: bool = False
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _forks_know: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_port()

    @property
    def _database_url(self) -> Path:
        return self.home / "postgres" / "site.url"

    @property
    def _forks(self) -> Path:
        # Not in the home: the path of a socket has at most 107 letters.
        return Path(tempfile.gettempdir()) / f"groundglass-forks-{self.port}.sock"

    @property
    def address(self) -> str:
        """Where the site answers."""
        return f"http://127.0.0.1:{self.port}"

    def variables(self, **more: str) -> dict[str, str]:
        """The environment of the site's processes; the tests' own settings and DATABASE_URL stay out."""
        kept = {k: v for k, v in os.environ.items() if k not in ("DJANGO_SETTINGS_MODULE", "DATABASE_URL", "PORT")}
        if self.quick_passwords:
            kept["DJANGO_SETTINGS_MODULE"] = "tests.journeys.quick_settings"
        return {**kept, "GROUNDGLASS_HOME": str(self.home), "PYTHONUNBUFFERED": "1", **self.environment, **more}

    def log(self, name: str) -> Path:
        """The file that a process writes its output to."""
        folder = self.home / "logs"
        folder.mkdir(exist_ok=True)
        return folder / f"{name}.log"

    def run(self, *arguments: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Python with `arguments` in the site's environment, to its end."""
        done = self._forked(arguments) if not environment else None
        done = done or subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.variables(**environment),
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(arguments)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def _forked(self, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str] | None:
        """The same by the process that has all loaded; None where it would know another environment or database."""
        if not self._database_url.exists():
            return None
        known = {k: v for k, v in self.variables().items() if not k.startswith("PYTEST_")}
        known["database"] = self._database_url.read_text()
        if "forks" not in self.processes:
            self._forks_know = known
            self._forks.unlink(missing_ok=True)
            self.launch("forks", "-m", "tests.journeys.forks", str(self._forks))
            wait_until("commands can be run", self._forks.exists, pause_s=0.02)
        if known != self._forks_know:
            return None
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            code = run_there(self._forks, list(arguments), out, err)
            return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())

    def manage(self, *arguments: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a management command."""
        return self.run("manage.py", *arguments, check=check, **environment)

    def start(self) -> "Site":
        """Database, migrations by the owner, web and worker."""
        self.start_database()
        self.manage("migrate", "--verbosity", "0", GROUNDGLASS_DATABASE_ROLE="owner")
        self.start_web()
        self.start_worker()
        return self

    def stop(self) -> None:
        """Stop what runs."""
        for name in list(self.processes):
            self.end(name, signal.SIGTERM)
        self._forks.unlink(missing_ok=True)
        postgres.stop(self.home)

    def start_database(self) -> None:
        """Start PostgreSQL, or find it running."""
        self.run("-m", "webapp.postgres", "start")

    def start_web(self) -> None:
        """Start the web server and wait until it answers."""
        place = ["--host", "127.0.0.1", "--port", str(self.port)]
        as_supervised = ["--lifespan", "off", "--no-access-log", "--ws", "websockets-sansio"]
        settings = {"DJANGO_SETTINGS_MODULE": "tests.journeys.quick_web_settings"} if self.quick_passwords else {}
        self.launch("web", "-m", "uvicorn", "webapp.asgi:application", *place, *as_supervised, **settings)
        wait_until("the web server answers", self.answers)

    def start_worker(self) -> None:
        """Start a worker of every queue."""
        self.launch("worker", "manage.py", "run_worker")

    def launch(self, name: str, *arguments: str, **environment: str) -> None:
        """Start Python with `arguments` as the site's process `name`."""
        with open(self.log(name), "ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=self.variables(**environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def answers(self) -> bool:
        """Whether the web server takes requests; raises when its process is gone."""
        web = self.processes["web"]
        if web.poll() is not None:
            raise AssertionError(f"The web server ended ({web.returncode}):\n{self.log('web').read_text()[-4000:]}")
        with contextlib.suppress(OSError, urllib.error.URLError):
            try:
                urllib.request.urlopen(f"{self.address}/sign-in/", timeout=10).close()
                return True
            except urllib.error.HTTPError as error:
                return error.code < 500
        return False

    def end(self, name: str, how: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a process and its children, and wait until it is gone."""
        process = self.processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def kill_database(self) -> None:
        """kill -9 of PostgreSQL's main process, and wait until it is gone."""
        pid = postgres.running_pid(self.home)
        assert pid, "the database does not run"
        os.kill(pid, signal.SIGKILL)
        wait_until("the database is gone", lambda: postgres.running_pid(self.home) is None, pause_s=0.02)

    def mend(self) -> None:
        """Start again what a failed test left dead, so that the next one fails for its own reasons only."""
        if postgres.running_pid(self.home) is None:
            self.start_database()
        if "web" not in self.processes:
            self.start_web()
        if "worker" not in self.processes or self.processes["worker"].poll() is not None:
            self.processes.pop("worker", None)
            self.start_worker()

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Rows straight from the database: what is there, not what the site says is there."""
        url = self._database_url.read_text().strip()
        with psycopg.connect(url, row_factory=dict_row) as connection:
            return connection.execute(query, values).fetchall()

    def furnish(
        self, slug: str, *roles: str, draft: bool = True, preset: str | None = None, **terms: Any
    ) -> dict[str, Person]:
        """A new campaign with one new person for each role; "radiologist 2" is one more radiologist.

        `preset` is a workflow of webapp.campaigns.protocols, whose terms `terms` change.
        """
        people = {
            role: Person(
                f"{slug}-{role.replace(' ', '-')}",
                f"{role.title()} of {slug}",
                role.split()[0],
                secrets.token_urlsafe(12),
            )
            for role in roles
        }
        wish = {
            "slug": slug,
            "name": f"Campaign {slug}",
            "people": [vars(person) for person in people.values()],
            "draft": draft,
            "preset": preset,
            "terms": terms,
        }
        self.run("-m", "tests.journeys.furnish", json.dumps(wish))
        return people

    def ingest(self, *paths: Path, slug: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Bring scans in from the command line."""
        return self.manage("ingest", *map(str, paths), "--campaign", slug, check=check)

    def drafts(self, slug: str) -> list[dict[str, Any]]:
        """The draft runs of a campaign's scans."""
        return self.rows(
            "SELECT r.* FROM algorithms_draftrun r JOIN campaigns_case c ON c.scan_id = r.scan_id"
            " JOIN campaigns_campaign g ON g.id = c.campaign_id WHERE g.slug = %s ORDER BY c.number",
            slug,
        )

    def wait_for_drafts(self, slug: str) -> list[dict[str, Any]]:
        """Wait until the worker has finished every draft of a campaign; a failed one is an error."""

        def finished() -> list[dict[str, Any]] | None:
            runs = self.drafts(slug)
            failed = [run["failure_sentence"] for run in runs if run["state"] == "failed"]
            assert not failed, failed
            return runs if runs and all(run["state"] == "finished" for run in runs) else None

        return wait_until(f"the drafts of {slug}", finished)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running_site(home: Path, **environment: str) -> Iterator[Site]:
    """A started site, stopped in the end whatever happened."""
    site = Site(home, environment=environment)
    try:
        yield site.start()
    finally:
        site.stop()
        postgres.discard(home)
