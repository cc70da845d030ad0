"""Settings of a real worker process that knows the tasks of these tests."""

from webapp.settings.base import *  # noqa: F403

PROCRASTINATE_IMPORT_PATHS = ["tests.webapp.jobs.sample_tasks"]
