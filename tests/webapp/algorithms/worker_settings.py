"""Settings of a real worker process whose drafts take as long as a test wants."""

from webapp.settings.base import *  # noqa: F403

PROCRASTINATE_IMPORT_PATHS = ["tests.webapp.algorithms.slow_drafts"]
