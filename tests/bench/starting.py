"""How long `make run` takes until the site answers, once everything has been made."""

import contextlib
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.journeys.site import ROOT, free_port, wait_until

FIRST_START_PATIENCE_S = 1800.0


def start_and_stop(home: Path, port: int) -> float:
    """Seconds from `make run` to the first answer; then it is stopped as by Ctrl-C."""
    kept = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")}
    log_path = home / "make-run.log"
    with open(log_path, "ab") as log:
        began = time.monotonic()
        process = subprocess.Popen(
            ["make", "run"],
            cwd=ROOT,
            env={**kept, "GROUNDGLASS_HOME": str(home), "PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def answers() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"make run ended: {log_path.read_text()[-2000:]}")
        with contextlib.suppress(OSError, urllib.error.URLError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in/", timeout=5).close()
            return True
        return False

    try:
        wait_until("make run answers", answers, FIRST_START_PATIENCE_S, pause_s=0.05)
        return time.monotonic() - began
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(90)


def second_start_s(home: Path) -> float:
    """Start twice in a folder; seconds of the second start."""
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    start_and_stop(home, port)
    return start_and_stop(home, port)
