"""The audit trail with two million events of 10,000 cases: how long a page takes, and how long all of it to check."""

import os
import re
import sys
import time
from typing import Any

import requests

from tests.journeys.site import Site

CASES, PEOPLE, EVENTS, ROUNDS = 10_000, 20, 2_000_000, 40
SLUG = "two-million"
PAGE = f"/campaigns/{SLUG}/audit/"
ADDRESSES = (
    PAGE,
    f"{PAGE}?before=1000000",
    f"{PAGE}?after=1000000",
    f"{PAGE}?event=action.refused",
    f"{PAGE}?event=campaign.created",
    f"{PAGE}?case=5000",
    f"{PAGE}?from=2024-03-01&to=2024-03-02",
    f"{PAGE}?from=2024-03-01&to=2024-03-31&event=reading.signed",
    f"{PAGE}?q=Reader+07+signed",
    f"{PAGE}?q=nothingofthekind",
    f"{PAGE}?who=system",
)


def measure(site: Site) -> dict[str, Any]:
    """Milliseconds of each page over HTTP as a browser asks; seconds of seeding and of checking the whole chain."""
    people = site.furnish(SLUG, "auditor")
    began = time.perf_counter()
    site.run("-m", "tests.bench.auditing", GROUNDGLASS_DATABASE_ROLE="owner")
    seeded_s = time.perf_counter() - began
    pages: dict[str, list[float]] = {}
    with requests.Session() as session:
        page = session.get(f"{site.address}/sign-in/").text
        token = re.findall(r'csrfmiddlewaretoken" value="(\w+)"', page)[0]
        person = people["auditor"]
        form = {"username": person.username, "password": person.password, "csrfmiddlewaretoken": token}
        session.post(f"{site.address}/sign-in/", form, headers={"Referer": f"{site.address}/sign-in/"})
        for round_ in range(ROUNDS + 1):
            for address in ADDRESSES:
                began = time.perf_counter()
                answer = session.get(site.address + address)
                ms = 1000 * (time.perf_counter() - began)
                assert answer.status_code == 200, address
                assert "Audit trail" in answer.text, address
                if round_:  # the first of each compiles its template
                    pages.setdefault(address, []).append(ms)
    began = time.perf_counter()
    done = site.manage("audit", "verify")
    assert " 0 faults." in done.stdout
    return {"seeded_s": seeded_s, "verify_s": time.perf_counter() - began, "pages_ms": pages}


def seed() -> None:
    """Fill the campaign, in the site's own environment."""
    import django

    django.setup()

    from tests.bench.events import Seeded, seed_events
    from tests.factories.scans import many_scans
    from webapp.accounts.models import User
    from webapp.campaigns.actions import chain_of
    from webapp.campaigns.models import Campaign, Case, Membership

    campaign = Campaign.objects.get(slug=SLUG)
    many_scans(campaign, CASES, seed=2)
    readers = [User(username=f"reader-{n:02}", display_name=f"Reader {n:02}") for n in range(PEOPLE)]
    User.objects.bulk_create(readers)
    Membership.objects.bulk_create(Membership(campaign=campaign, user=user, role="radiologist") for user in readers)
    rows = Case.objects.filter(campaign=campaign).values_list("number", "pk", "scan_id")
    seed_events(
        chain=chain_of(campaign),
        cases=[Seeded(number, str(pk), str(scan)) for number, pk, scan in rows],
        people=[(str(user.pk), user.display_name) for user in readers],
        count=EVENTS,
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    sys.exit(seed())
