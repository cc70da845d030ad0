"""Settings of the web process: as the site's, but for how connections to the database are kept."""

from webapp.settings import *  # noqa: F403
from webapp.settings import DATABASES as KEPT_BY_THREAD

# Each request has a thread of its own: a connection of its own as well would cost it the greeting, and a server that
# plans every query anew. Where the database is away, whoever asks is told after a few seconds, and the next one tries
# again. Commands and workers keep theirs: a pool's threads would stand in the way of a fork, and what is locked for a
# session would outlast the work.
POOL = {"min_size": 4, "max_size": 32, "timeout": 5, "reconnect_timeout": 2}
DATABASES = {"default": {**KEPT_BY_THREAD["default"], "CONN_MAX_AGE": 0, "OPTIONS": {"pool": POOL}}}
