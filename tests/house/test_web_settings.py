"""The web process has the site's settings but for its connections, and passes nothing of them on to what it starts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import webapp.settings
import webapp.settings.web

ROOT = Path(__file__).resolve().parents[2]
ASKED = """
import json, os
before = dict(os.environ)
import webapp.asgi
from django.conf import settings
new = sorted(name for name in os.environ if os.environ[name] != before.get(name))
print(json.dumps([new, sorted(settings.DATABASES["default"]["OPTIONS"])]))
"""


def test_only_the_connections_differ():
    names = {name for name in dir(webapp.settings) if name.isupper()}
    assert names <= set(dir(webapp.settings.web))
    different = {name for name in names if getattr(webapp.settings, name) != getattr(webapp.settings.web, name)}
    assert different == {"DATABASES"}
    here, there = webapp.settings.DATABASES["default"], webapp.settings.web.DATABASES["default"]
    assert {name for name in there if there[name] != here.get(name)} == {"CONN_MAX_AGE", "OPTIONS"}


def test_the_web_has_a_pool_and_leaves_the_environment_alone(tmp_path):
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    environment = {**kept, "GROUNDGLASS_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", ASKED], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == [["DJANGO_SETTINGS_MODULE"], ["pool"]]
