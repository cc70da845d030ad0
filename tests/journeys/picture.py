"""Takes docs/images/viewer.png from the running product: `python -m tests.journeys.picture`.

The demonstration campaign's first synthetic chest, drafted, with a stroke on it, at 1440 x 900.
"""

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.journeys.site import ROOT, Person, running_site
from tests.journeys.viewer import Reader, launch_browser

PICTURE = ROOT / "docs" / "images" / "viewer.png"
SCREEN = {"width": 1440, "height": 900}


def main() -> int:
    """Load the demonstration, read its first case a little, take the picture."""
    with tempfile.TemporaryDirectory(prefix="groundglass-picture-") as home, running_site(Path(home)) as site:
        said = site.manage("load_demonstration").stdout
        login = re.search(r"^ +(radiologist) +(\S+) +([^,]+), radiologist$", said, re.MULTILINE)
        assert login, said
        person = Person(login[1], login[3], "radiologist", login[2])
        site.wait_for_drafts("demonstration")
        with sync_playwright() as playwright:
            browser = launch_browser(playwright)
            reader = Reader(site, browser.new_page(viewport=SCREEN), person)
            reader.sign_in()
            reader.start_reading("demonstration", 1)
            scan = reader.api()["scan"]
            reader.take("brush")
            view = reader.view("axial")
            _, ny, nx = scan["shape_zyx"]
            reader.paint(reader.path_near(view, (nx * 0.7, ny * 0.6), reader.handle("g.brushMm") / 2, scan, steps=5))
            reader.wait_until_saved()
            reader.page.wait_for_timeout(1000)  # the planes come to rest
            PICTURE.parent.mkdir(parents=True, exist_ok=True)
            reader.page.screenshot(path=PICTURE)
            browser.close()
    print(PICTURE.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
