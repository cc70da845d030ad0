"""Fixtures of this folder."""

from pathlib import Path

import pytest

from tests.browser import workbench
from tests.browser.workbench import Bench, OpenTab
from tests.journeys.fixtures import browser, open_tab, phantom_case, site
from tests.journeys.site import Site

__all__ = ["bench", "browser", "open_tab", "phantom_case", "site", "thin_bench"]


@pytest.fixture
def bench(site: Site, open_tab: OpenTab) -> Bench:
    """At a plain chest."""
    return workbench.plain_bench(site, open_tab)


@pytest.fixture
def thin_bench(site: Site, open_tab: OpenTab, tmp_path: Path) -> Bench:
    """At a scan of 0.7 x 0.7 x 5 mm that lies askew and is filed the other way round."""
    return workbench.thin_bench(site, open_tab, tmp_path)
