"""Settings of the site; what differs between installations is environment (docs/reference/settings.md)."""

from webapp.settings.base import *  # noqa: F403
