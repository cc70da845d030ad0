"""Run the whole site in one terminal: database, web server and one worker; what dies is started again.

`python -m webapp.supervise` (the last step of `make run`). Ctrl-C or SIGTERM stops all of it. Children go when the
supervisor is killed; the database stays and is found again by the next start.
"""

import asyncio
import contextlib
import ctypes
import fcntl
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from webapp import postgres

ROOT = Path(__file__).resolve().parents[1]
BACKOFF_S = (0.2, 0.5, 1, 2, 5, 10)
STEADY_AFTER_S = 30.0
STOP_WITHIN_S = 25.0
WATCH_DATABASE_EVERY_S = 0.5
LOG_LIMIT_BYTES = 10_000_000
PR_SET_PDEATHSIG = 1
PRIVATE = 0o077  # what the site writes is nobody else's to read


class CannotStart(Exception):
    """The site cannot be started; the text is one sentence for the person at the terminal."""


@dataclass(frozen=True)
class Installation:
    """What this start was told by its environment."""

    home: Path
    host: str
    port: int
    own_database: bool

    @property
    def address(self) -> str:
        """The address to open in a browser."""
        return f"http://{'127.0.0.1' if self.host == '0.0.0.0' else self.host}:{self.port}/"


@dataclass
class Child:
    """One program that must always run."""

    name: str
    command: list[str]
    process: asyncio.subprocess.Process | None = None
    failures: int = 0
    started_at: float = field(default=0.0)


def installation_of(environment: dict[str, str]) -> Installation:
    """Read GROUNDGLASS_HOME, HOST, PORT and DATABASE_URL."""
    text = environment.get("PORT") or "8000"
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise CannotStart(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return Installation(
        home=Path(environment.get("GROUNDGLASS_HOME") or ROOT / "var").resolve(),
        host=environment.get("HOST") or "127.0.0.1",
        port=int(text),
        own_database=not environment.get("DATABASE_URL"),
    )


class Stopped(Exception):
    """A stop was asked for before the site was up."""


def main() -> int:
    """Start, watch and stop the site; the exit status is 0 after a stop that was asked for."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, _stop_preparing)
    try:
        site = installation_of(dict(os.environ))
        os.environ["GROUNDGLASS_HOME"] = str(site.home)
        with only_one(site):
            refuse_taken_port(site)
            try:
                prepare(site)
                asyncio.run(watch(site))
            finally:
                for name in (signal.SIGINT, signal.SIGTERM):
                    signal.signal(name, signal.SIG_IGN)
                if site.own_database:
                    postgres.stop(site.home)
    except Stopped:
        return 0
    except (CannotStart, postgres.ServerFailed) as failure:
        print(f"groundglass: {failure}", file=sys.stderr)
        return 1
    return 0


def _stop_preparing(*_: object) -> None:
    raise Stopped


@contextlib.contextmanager
def only_one(site: Installation):
    """Refuse a second supervisor on one data folder."""
    site.home.mkdir(parents=True, exist_ok=True, mode=0o711)  # the database's own user passes through it
    with open(site.home / "running.lock", "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            where = lock.read().strip()
            raise CannotStart(f"Groundglass already runs with the data folder {site.home} ({where}).") from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, {site.address}")
        lock.flush()
        yield


def refuse_taken_port(site: Installation) -> None:
    """Say in one sentence that another program has our port."""
    family = socket.AF_INET6 if ":" in site.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((site.host, site.port))
        except PermissionError:
            raise CannotStart(f"Port {site.port} needs rights you do not have: try PORT=8080 make run.") from None
        except OSError:
            free = site.port + 1 if site.port < 65535 else 8080
            raise CannotStart(
                f"Port {site.port} is taken by another program: stop it, or choose another with PORT={free} make run."
            ) from None


def prepare(site: Installation) -> None:
    """Start the database, bring its tables up to date, load the demonstration on the first start."""
    if site.own_database:
        say("Database")
        postgres.ensure(site.home, say=say)
    migrate(site)
    if role_may_change_the_record():
        say("Warning: the role of DATABASE_URL may change strokes, signatures and audit events: triggers alone")
        say("guard them now. `python -m webapp.postgres roles` makes a lesser role.")
    register_shipped(site)
    first_start = site.home / "demonstration.loaded"
    if not first_start.exists() and os.environ.get("GROUNDGLASS_DEMONSTRATION", "1") == "1":
        say("Demonstration campaign (first start only)")
        manage("load_demonstration")
        first_start.touch()


def migrate(site: Installation) -> None:
    """Bring the tables up to date; where nothing is new, two seconds of Django's start are saved."""
    address = os.environ.get("DATABASE_URL") or (site.home / "postgres" / "site.url").read_text().strip()
    wanted = {f"{path.parts[-3]}.{path.stem}" for path in ROOT.glob("webapp/*/migrations/[0-9]*.py")}
    # Other people's apps bring migrations too: their versions stand in the requirements.
    packages = hashlib.sha256((ROOT / "requirements" / "runtime.txt").read_bytes()).hexdigest()
    stamp = site.home / "migrated.with"
    try:
        with psycopg.connect(address) as connection:
            applied = {name for (name,) in connection.execute("SELECT app || '.' || name FROM django_migrations")}
    except psycopg.Error:
        applied = set()
    if wanted <= applied and stamp.exists() and stamp.read_text() == packages:
        return
    say("Tables")
    manage("migrate", "--noinput", "-v", "0", role="owner")
    stamp.write_text(packages)


def register_shipped(site: Installation) -> None:
    """Make the algorithms that come with the product known, where they are others than at the last start."""
    cards = sorted((ROOT / "inference" / "weights").glob("*.json"))
    there = hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in cards)).hexdigest()
    stamp = site.home / "algorithms.registered"
    if stamp.exists() and stamp.read_text() == there:
        return
    say("Algorithms")
    try:
        manage("algorithms", "shipped")
    except CannotStart as failure:
        say(str(failure))  # a site reads without them
    else:
        stamp.write_text(there)


def role_may_change_the_record() -> bool:
    """Tell whether an external database gave the running site more rights than it should have."""
    address = os.environ.get("DATABASE_URL")
    if not address:
        return False
    with psycopg.connect(address) as connection:
        row = connection.execute("SELECT has_table_privilege('audit_event', 'UPDATE')").fetchone()
    return bool(row and row[0])


async def watch(site: Installation) -> None:
    """Keep web server, worker and database running until a stop is asked for."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    children = [Child("web", web_command(site)), Child("worker", [sys.executable, "manage.py", "run_worker"])]
    keepers: list[asyncio.Task[None]] = [asyncio.create_task(keep(child, site)) for child in children]
    if site.own_database:
        keepers.append(asyncio.create_task(keep_database(site, children)))
    keepers.append(asyncio.create_task(announce(site)))
    asked = asyncio.create_task(stop.wait())
    try:
        # Keepers never end by themselves, except the one that announces.
        while not stop.is_set():
            done, _ = await asyncio.wait({asked, *keepers}, return_when=asyncio.FIRST_COMPLETED)
            for keeper in [keeper for keeper in keepers if keeper in done]:
                keepers.remove(keeper)
                keeper.result()
    finally:
        say("Stopping")
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        await asyncio.gather(*(end(child) for child in children))


def web_command(site: Installation) -> list[str]:
    """Return the command of the web server."""
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "webapp.asgi:application",
        "--host",
        site.host,
        "--port",
        str(site.port),
    ]
    quiet = ["--lifespan", "off", "--no-access-log", "--timeout-graceful-shutdown", "5"]
    return [*command, *quiet, "--ws", "websockets-sansio"]


async def keep(child: Child, site: Installation) -> None:
    """Run one program for ever; one that keeps dying is started ever more slowly."""
    while True:
        with log_of(child.name, site.home) as log:
            child.process = await asyncio.create_subprocess_exec(
                *child.command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=die_with(os.getpid()), umask=PRIVATE,
            )  # fmt: skip
        child.started_at = time.monotonic()
        status = await child.process.wait()
        if time.monotonic() - child.started_at > STEADY_AFTER_S:
            child.failures = 0
        pause = BACKOFF_S[min(child.failures, len(BACKOFF_S) - 1)]
        child.failures += 1
        say(f"The {child.name} process ended ({reason(status)}): starting it again (log: {log_path(child.name, site)})")
        await asyncio.sleep(pause)


async def keep_database(site: Installation, children: list[Child]) -> None:
    """Start the embedded server again when it dies."""
    failures = 0
    port = (await asyncio.to_thread(postgres.ensure, site.home, say=say)).port
    while True:
        await asyncio.sleep(WATCH_DATABASE_EVERY_S)
        if postgres.running_pid(site.home) is not None:
            continue
        say(f"The database ended: starting it again (log: {log_path('postgres', site)})")
        try:
            server = await asyncio.to_thread(postgres.ensure, site.home, say=say)
            failures = 0
        except postgres.ServerFailed as failure:
            say(str(failure))
            await asyncio.sleep(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])
            failures += 1
            continue
        if server.port != port:  # another program took the old one in the meantime: our programs must hear of it
            port = server.port
            for child in children:
                with contextlib.suppress(ProcessLookupError):
                    if child.process:
                        child.process.terminate()


async def announce(site: Installation) -> None:
    """Print the address once pages are served."""
    host = "127.0.0.1" if site.host == "0.0.0.0" else site.host
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(host, site.port)
            writer.close()
            break
        await asyncio.sleep(0.1)
    say(f"Groundglass is ready: {site.address}   (Ctrl-C stops it)")


async def end(child: Child) -> None:
    """Ask a program to stop, and insist after a while."""
    process = child.process
    if process is None or process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_WITHIN_S)
        except TimeoutError:
            process.kill()
            await process.wait()


def manage(*arguments: str, role: str = "site") -> None:
    """Run one command of manage.py in the database role given."""
    environment = {**os.environ, "GROUNDGLASS_DATABASE_ROLE": role}
    done = subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, umask=PRIVATE)
    if done.returncode:
        raise CannotStart(f"`manage.py {' '.join(arguments)}` failed; what it said stands above.")


def die_with(parent: int) -> Callable[[], None]:
    """Return what a child runs first, so that the kernel ends it when the supervisor is killed (Linux only)."""
    if not sys.platform.startswith("linux"):
        return lambda: None
    libc = ctypes.CDLL(None)

    def ask_kernel() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return ask_kernel


def log_path(name: str, site: Installation) -> Path:
    """Return where a program's output goes."""
    return site.home / "logs" / f"{name}.log"


@contextlib.contextmanager
def log_of(name: str, home: Path):
    """Open a program's log for appending; one that has grown large is put aside first."""
    path = home / "logs" / f"{name}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".log.1"))
    with open(path, "ab") as log:
        yield log


def reason(status: int) -> str:
    """Say how a program ended."""
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def say(text: str) -> None:
    """Print one line at once, for people and for files alike."""
    print(f"==> {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
