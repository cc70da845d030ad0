"""Fixtures of this folder."""

from tests.journeys.fixtures import browser, open_tab, phantom_case, site

__all__ = ["browser", "open_tab", "phantom_case", "site"]
