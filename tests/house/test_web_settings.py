"""The web process has the site's settings but for its connections, and passes nothing of them on to what it starts."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ASKED = """
import json, os
before = dict(os.environ)
import webapp.asgi
from django.conf import settings
new = sorted(name for name in os.environ if os.environ[name] != before.get(name))
print(json.dumps([new, sorted(settings.DATABASES["default"]["OPTIONS"])]))
"""
COMPARED = """
import json
import webapp.settings as site
import webapp.settings.web as web
names = {name for name in dir(site) if name.isupper()}
different = sorted(name for name in names if getattr(site, name) != getattr(web, name, None))
here, there = site.DATABASES["default"], web.DATABASES["default"]
print(json.dumps([different, sorted(name for name in {*here, *there} if here.get(name) != there.get(name))]))
"""


def _said(script: str, home: Path) -> Any:
    """What a process of its own says: the tests' own settings carry the name of the tests' database."""
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    environment = {**kept, "GROUNDGLASS_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_only_the_connections_differ(tmp_path):
    assert _said(COMPARED, tmp_path) == [["DATABASES"], ["CONN_MAX_AGE", "OPTIONS"]]


def test_the_web_has_a_pool_and_leaves_the_environment_alone(tmp_path):
    assert _said(ASKED, tmp_path) == [["DJANGO_SETTINGS_MODULE"], ["pool"]]
