"""The list of scans with 10,000 of them: how long a page takes, search, filters and counts included."""

import os
import re
import sys
import time

import requests

from tests.journeys.site import Site

COUNT, ROUNDS = 10_000, 12
SLUG = "ten-thousand"
ADDRESSES = (
    "/scans/",
    "/scans/?order=pseudonym&page=100",
    "/scans/?q=lightspeed",
    "/scans/?site=Hospital+03&sex=M&thickness=thin",
    "/scans/?remark=sharp_kernel&order=-age",
)


def measure(site: Site) -> list[float]:
    """Milliseconds of each page, from the request to its last byte, over HTTP as a browser asks."""
    people = site.furnish(SLUG, "coordinator")
    site.run("-m", "tests.bench.searching", GROUNDGLASS_DATABASE_ROLE="owner")
    with requests.Session() as session:
        page = session.get(f"{site.address}/sign-in/").text
        token = re.findall(r'csrfmiddlewaretoken" value="(\w+)"', page)[0]
        person = people["coordinator"]
        form = {"username": person.username, "password": person.password, "csrfmiddlewaretoken": token}
        session.post(f"{site.address}/sign-in/", form, headers={"Referer": f"{site.address}/sign-in/"})
        taken = []
        for round_ in range(ROUNDS + 1):
            for address in ADDRESSES:
                began = time.perf_counter()
                answer = session.get(site.address + address)
                ms = 1000 * (time.perf_counter() - began)
                assert answer.status_code == 200, address
                assert 'class="worklist scans"' in answer.text, address
                if round_:  # the first of each compiles its template
                    taken.append(ms)
    return taken


def seed() -> None:
    """Fill the campaign, in the site's own environment."""
    import django

    django.setup()
    from django.db import connection

    from tests.factories.scans import many_scans
    from webapp.campaigns.models import Campaign

    many_scans(Campaign.objects.get(slug=SLUG), COUNT)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as the server does by itself a minute after so many rows


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    sys.exit(seed())
