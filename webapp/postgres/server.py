"""Start, find and stop the embedded PostgreSQL of one data folder.

Truth is `pg_isready` on the server's own socket, never the existence of a pid: after `kill -9`, a reboot or a
container's restart the pid in `postmaster.pid` is gone, a zombie, or somebody else.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from webapp.postgres import binaries, roles

START_TIMEOUT_S = 900  # recovery of a long write-ahead log takes minutes; a server that lives is left to work
STOP_TIMEOUT_S = 60
SOCKET_PATH_LIMIT = 107
SETTINGS = {"max_connections": "120", "jit": "off", "shared_buffers": "128MB", "listen_addresses": "127.0.0.1"}


class ServerFailed(Exception):
    """The embedded PostgreSQL could not be started; the text says why and where its log lies."""


@dataclass(frozen=True)
class Server:
    """A running server of one data folder."""

    data: Path
    port: int
    pid: int
    owner_url: str
    site_url: str
    superuser_url: str


@dataclass(frozen=True)
class Place:
    """What is remembered of a server between starts (`place.json`, mode 0600: it holds the passwords)."""

    data: str
    port: int
    passwords: dict[str, str]
    prepared: bool = False


def ensure(home: Path, settings: Mapping[str, str] | None = None, say: Callable[[str], None] = print) -> Server:
    """Return the running server of `home`, starting (and first making) it where needed.

    Safe to call from several processes at once. `settings` are PostgreSQL settings beside `SETTINGS`.
    """
    with _locked(home) as folder:
        user = _server_user(folder)
        place = _read_place(folder) or _initialise(folder, user, say)
        pid = _postmaster(Path(place.data))
        if pid is None or not _ready(place):
            place, pid = _start(folder, place, user, {**SETTINGS, **(settings or {})}, say)
        server = _server(place, pid)
        if not place.prepared:
            owner = roles.Role(roles.OWNER_ROLE, place.passwords["owner"])
            site = roles.Role(roles.SITE_ROLE, place.passwords["site"])
            roles.prepare(server.superuser_url, owner, site)
            place = _write_place(folder, Place(place.data, place.port, place.passwords, prepared=True))
        _write_private(folder / "owner.url", server.owner_url)
        _write_private(folder / "site.url", server.site_url)
        return server


def running_pid(home: Path) -> int | None:
    """Return the pid of the server's main process, or None when it does not run."""
    place = _read_place(home / "postgres")
    return _postmaster(Path(place.data)) if place else None


def stop(home: Path) -> None:
    """Stop the server of `home`: clients are cut, what was committed is on disk. Nothing happens when it is down."""
    if not (home / "postgres").is_dir():
        return
    with _locked(home) as folder:
        place = _read_place(folder)
        pid = _postmaster(Path(place.data)) if place else None
        for how in (signal.SIGINT, signal.SIGQUIT):
            if pid is None:
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, how)
            deadline = time.monotonic() + STOP_TIMEOUT_S
            while _alive(pid) and time.monotonic() < deadline:
                time.sleep(0.05)
            pid = pid if _alive(pid) else None


def discard(home: Path) -> None:
    """Stop the server of `home` and delete its data for good, wherever it lies (trials and tests)."""
    stop(home)
    place = _read_place(home / "postgres")
    if place is None:
        return
    data = Path(place.data)
    sockets = _socket_folder(place) if data.is_dir() else data
    for folder in {sockets, data} | ({data.parent} if binaries.SHARED_FOLDER in data.parents else set()):
        shutil.rmtree(folder, ignore_errors=True)
    (home / "postgres" / "place.json").unlink()


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[Path]:
    folder = home / "postgres"
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        folder.chmod(0o711)  # the server's user passes through; the files in it stay ours
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _server_user(folder: Path) -> pwd.struct_passwd | None:
    """Return the user to drop to, or None when we are an ordinary user and run the server ourselves."""
    place = _read_place(folder)
    owner = os.stat(place.data).st_uid if place and os.path.isdir(place.data) else None
    if os.geteuid() != 0:
        if owner is not None and owner != os.geteuid():
            raise ServerFailed(
                f"The database in {place.data if place else folder} belongs to another user: start Groundglass as that "
                "user or as root, or choose another folder with GROUNDGLASS_HOME."
            )
        return None
    return pwd.getpwuid(owner) if owner else binaries.unprivileged_user()


def _initialise(folder: Path, user: pwd.struct_passwd | None, say: Callable[[str], None]) -> Place:
    """Make the server's data folder: scram passwords for every connection, checksums on every page."""
    say("Making the database folder")
    passwords = {role: secrets.token_urlsafe(24) for role in ("superuser", "owner", "site")}
    data = _data_folder(folder, user)
    partial = data.with_name(f"{data.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    with tempfile.NamedTemporaryFile("w", prefix="groundglass-") as password_file:
        password_file.write(passwords["superuser"])
        password_file.flush()
        if user:
            os.chown(partial, user.pw_uid, user.pw_gid)
            os.chown(password_file.name, user.pw_uid, user.pw_gid)
        _run(
            user, "initdb", "-D", str(partial), "-U", "postgres", f"--pwfile={password_file.name}",
            "--auth=scram-sha-256", "--data-checksums", "--encoding=UTF8", "--locale=C",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        )  # fmt: skip
    if data.exists():  # of a first start that was cut short before anything was in it
        shutil.rmtree(data)
    partial.rename(data)
    return _write_place(folder, Place(str(data), _free_port(), passwords))


def _data_folder(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """Return where the data goes: beside `folder`'s other files, or under /var/lib where `user` cannot reach that."""
    if user is None or binaries.may_reach(user, folder):
        return folder / "data"
    shared = binaries.SHARED_FOLDER / f"data-{secrets.token_hex(6)}"
    shared.mkdir(parents=True)
    binaries.open_to_all(binaries.SHARED_FOLDER, recursive=False)
    binaries.open_to_all(shared)
    return shared / "data"


def _start(
    folder: Path, place: Place, user: pwd.struct_passwd | None, settings: dict[str, str], say: Callable[[str], None]
) -> tuple[Place, int]:
    """Start the server and wait until it answers; returns the place (its port may have been taken) and the pid."""
    data = Path(place.data)
    log_path = folder.parent / "logs" / "postgres.log"
    log_path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + START_TIMEOUT_S
    attempts = 0
    pid = _postmaster(data)
    while True:
        if pid is None:
            attempts += 1
            if attempts > 20:
                raise ServerFailed(f"PostgreSQL does not start: {_last_line(log_path)} (log: {log_path})")
            if not _port_is_free(place.port):
                place = _write_place(folder, Place(place.data, _free_port(), place.passwords, place.prepared))
            _remove_stale_locks(place)
            pid = _launch(place, user, settings, log_path)
        told = time.monotonic() + 5
        while _alive(pid):
            if _ready(place):
                return place, _postmaster(data) or pid
            if time.monotonic() > deadline:
                raise ServerFailed(f"PostgreSQL did not become ready in {START_TIMEOUT_S} s (log: {log_path})")
            if time.monotonic() > told:
                say(f"PostgreSQL is starting: {_last_line(log_path)}")
                told = time.monotonic() + 5
            time.sleep(0.05)
        # Gone at once: children of a killed server still hold its memory for a moment, or the port was taken.
        pid = None
        time.sleep(0.25)


def _launch(place: Place, user: pwd.struct_passwd | None, settings: dict[str, str], log_path: Path) -> int:
    options = {**settings, "port": str(place.port), "unix_socket_directories": str(_socket_folder(place))}
    command = [str(_programs(user) / "postgres"), "-D", place.data]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    with open(log_path, "ab") as log:
        process = subprocess.Popen(
            command, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **_as(user)
        )
    return process.pid


def _socket_folder(place: Place) -> Path:
    """Return the folder of the socket: the data folder, or a short one of our own where that path is too long."""
    if len(f"{place.data}/.s.PGSQL.{place.port}".encode()) <= SOCKET_PATH_LIMIT:
        return Path(place.data)
    owner = os.stat(place.data)
    name = hashlib.sha256(place.data.encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"groundglass-{owner.st_uid}-{name}"
    if not folder.is_dir():
        folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(folder, owner.st_uid, owner.st_gid)
    if folder.is_symlink() or folder.stat().st_uid != owner.st_uid:
        raise ServerFailed(f"{folder} is not ours: remove it and start again.")
    return folder


def _ready(place: Place) -> bool:
    command = [str(binaries.binary("pg_isready")), "-q", "-h", str(_socket_folder(place)), "-p", str(place.port)]
    return subprocess.run([*command, "-t", "3"], capture_output=True, cwd="/").returncode == 0


def _postmaster(data: Path) -> int | None:
    """Return the pid of the living main process that works in `data`, else None."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE or not process.name().startswith("postgres"):
            return None
        return pid if Path(process.cwd()).resolve() == data.resolve() else None
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied:
        return pid


def _alive(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError, OSError):
        os.waitpid(pid, os.WNOHANG)  # a child of ours that died is no zombie after this
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _remove_stale_locks(place: Place) -> None:
    """Remove what a killed server left; only called when no living process works in the data folder."""
    sockets = _socket_folder(place)
    stale = [Path(place.data) / "postmaster.pid", *sockets.glob(".s.PGSQL.*")]
    for path in stale:
        path.unlink(missing_ok=True)


def _programs(user: pwd.struct_passwd | None) -> Path:
    return (binaries.reachable_install(user) if user else binaries.install_folder()) / "bin"


def _as(user: pwd.struct_passwd | None) -> dict[str, Any]:
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


def _run(user: pwd.struct_passwd | None, program: str, *arguments: str) -> None:
    done = subprocess.run(
        [str(_programs(user) / program), *arguments], cwd="/", capture_output=True, text=True, **_as(user)
    )
    if done.returncode:
        raise ServerFailed(f"{program} failed: {(done.stderr or done.stdout).strip()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _server(place: Place, pid: int) -> Server:
    def url(role: str, password: str, database: str) -> str:
        return f"postgresql://{role}:{place.passwords[password]}@127.0.0.1:{place.port}/{database}"

    return Server(
        data=Path(place.data),
        port=place.port,
        pid=pid,
        owner_url=url(roles.OWNER_ROLE, "owner", roles.DATABASE),
        site_url=url(roles.SITE_ROLE, "site", roles.DATABASE),
        superuser_url=url("postgres", "superuser", "postgres"),
    )


def _read_place(folder: Path) -> Place | None:
    try:
        return Place(**json.loads((folder / "place.json").read_text()))
    except FileNotFoundError:
        return None


def _write_place(folder: Path, place: Place) -> Place:
    _write_private(folder / "place.json", json.dumps(place.__dict__))
    return place


def _write_private(path: Path, text: str) -> None:
    if path.exists() and path.read_text() == text:
        return
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    partial.replace(path)


def _last_line(log_path: Path) -> str:
    lines = log_path.read_text(errors="replace").splitlines() if log_path.exists() else []
    return lines[-1] if lines else "its log is empty"
