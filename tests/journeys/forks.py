"""A process with the site's code loaded that forks for each command: starting Python and Django takes 1.5 s each time.

`python -m tests.journeys.forks SOCKET` listens. A command is one line of JSON, {"arguments", "out", "err"}: what would
follow `python`, and the files that it writes to. The answer is its exit status as `subprocess` gives it.
"""

import gc
import json
import os
import random
import runpy
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn


class CommandsLost(RuntimeError):
    """The process that forks has gone."""


def run_there(place: Path, arguments: list[str], out: Path, err: Path) -> int:
    """Have the process that listens at `place` run a command to its end; its exit status. Raises CommandsLost."""
    command = {"arguments": arguments, "out": str(out), "err": str(err)}
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(place))
        line.sendall(json.dumps(command).encode() + b"\n")
        answer = line.makefile("rb").read()
    if not answer:
        raise CommandsLost(f"{' '.join(arguments)}: no answer")
    return int(answer)


def serve(place: Path) -> NoReturn:
    """Listen and fork, for ever."""
    load()
    with socket.socket(socket.AF_UNIX) as listener:
        unnamed = place.with_suffix(".new")
        listener.bind(str(unnamed))
        listener.listen(16)
        unnamed.rename(place)
        while True:
            line, _ = listener.accept()
            # One process runs the command, another waits for it: commands run beside each other.
            if os.fork() == 0:
                listener.close()
                attend(line)
            line.close()
            while True:
                try:
                    if os.waitpid(-1, os.WNOHANG)[0] == 0:
                        break
                except ChildProcessError:
                    break


def load() -> None:
    """All that most commands import; no connection is opened."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    import django
    from django.core.management import get_commands, load_command_class

    django.setup()
    apps = get_commands()
    for name in ("ingest", "migrate"):
        load_command_class(apps[name], name)
    gc.collect()
    gc.freeze()


def attend(line: socket.socket) -> NoReturn:
    """Run the command of one caller and answer with its exit status."""
    command = json.loads(line.makefile("rb").readline())
    pid = os.fork()
    if pid == 0:
        line.close()
        become(command["arguments"], command["out"], command["err"])
    _, status = os.waitpid(pid, 0)
    line.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def become(arguments: list[str], out: str, err: str) -> NoReturn:
    """Be the process that `python *arguments` would be."""
    os.setsid()
    for path, number in ((os.devnull, 0), (out, 1), (err, 2)):
        opened = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, number)
        os.close(opened)
    random.seed()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")
    sys.exit(0)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
