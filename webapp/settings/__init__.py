"""Settings of the site. Values that differ between installations come from the environment (docs/reference/settings.md)."""

from webapp.settings.base import *  # noqa: F403
