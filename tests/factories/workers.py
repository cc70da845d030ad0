"""Real worker processes on a test's own database."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from django.db import connection

ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def workers(settings: str, **more: str) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Give a function that starts a worker with a module of settings; whatever runs at the end is killed."""
    started: list[subprocess.Popen[bytes]] = []
    database = connection.settings_dict
    password = quote(database["PASSWORD"], safe="")
    url = f"postgresql://{database['USER']}:{password}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": settings, **more}
    environment.pop("DATABASE_OWNER_URL", None)
    environment.pop("GROUNDGLASS_DATABASE_ROLE", None)

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "manage.py", "run_worker", *arguments]
        started.append(subprocess.Popen(command, cwd=ROOT, env=environment))
        return started[-1]

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.wait()
