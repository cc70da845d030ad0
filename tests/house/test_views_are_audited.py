"""Whoever looks at a scan, a mask or takes something away leaves an event: asked of every address that is read."""

import pytest
from django.test import Client

from tests.factories.sites import a_person
from tests.house.test_permissions import place, rows, url_of  # noqa: F401  (a fixture)
from webapp.audit.models import Event
from webapp.pages import noticing

pytestmark = pytest.mark.django_db

# Addresses that show neither pixels nor masks, and give nothing away; what they are instead.
SHOWS_NOTHING = {
    "/": "home: its picture is an address of its own",
    "/sign-in/": "a form",
    "/password/": "a form",
    "/profile/": "a person's own",
    "/campaigns/<slug:slug>/": "a list: its pictures are addresses of their own",
    "/campaigns/<slug:slug>/guideline/": "how a campaign reads",
    "/campaigns/<slug:slug>/de-identification/": "options",
    "/notices/": "a person's own",
    "/notices/bell/": "a person's own",
    "/notices/<uuid:notice_id>/": "leads to what it tells of",
    "/campaigns/<slug:slug>/progress/": "counts of a campaign",
    "/campaigns/<slug:slug>/progress/figures/": "counts of a campaign",
    "/campaigns/<slug:slug>/progress/table.csv": "counts of a campaign",
    "/campaigns/<slug:slug>/flags/": "a list",
    "/campaigns/new/": "a form",
    "/campaigns/import/": "a form",
    "/campaigns/<slug:slug>/settings/": "how a campaign reads",
    "/campaigns/<slug:slug>/settings/protocol/": "a form",
    "/campaigns/<slug:slug>/settings/export.json": "how a campaign reads",
    "/campaigns/<slug:slug>/settings/acceptance/": "counts and figures of comparisons",
    "/campaigns/<slug:slug>/settings/older/": "a list",
    "/algorithms/": "a list; not for auditors",
    "/algorithms/<str:name>/<str:version>/": "a card; not for auditors",
    "/algorithms/<str:name>/<str:version>/pictures/<slug:sha256>.png": "of a card; not for auditors",
    "/campaigns/<slug:slug>/assignment/": "a list",
    "/campaigns/<slug:slug>/drafts/": "a list of runs",
    "/campaigns/<slug:slug>/drafts/rows/": "a list of runs",
    "/campaigns/<slug:slug>/drafts/table.csv": "a list of runs",
    "/campaigns/<slug:slug>/cases/<int:number>/draft/": "how runs stand",
    "/campaigns/<slug:slug>/measured/": "a list of results",
    "/campaigns/<slug:slug>/team/": "people of a campaign",
    "/campaigns/<slug:slug>/team/<int:member_id>/leave/": "a form",
    "/invitations/<str:secret>/": "a form",
    "/people/": "for administrators: accounts",
    "/people/<uuid:person_id>/": "for administrators: an account",
    "/password/forgotten/": "a form",
    "/password/reset/<str:uidb64>/<str:token>/": "a form",
    "/scans/": "a list: its pictures are addresses of their own",
    "/scans/<uuid:scan_id>/delete/": "a form",
    "/api/schema/": "what the API is",
    "/api/campaigns/": "a list",
    "/api/campaigns/<slug:slug>/": "how a campaign reads",
    "/api/campaigns/<slug:slug>/protocols/": "how a campaign reads",
    "/api/campaigns/<slug:slug>/members/": "people of a campaign",
    "/api/campaigns/<slug:slug>/cases/": "a list",
    "/api/campaigns/<slug:slug>/readings/": "a list",
    "/api/campaigns/<slug:slug>/drafts/": "a list of runs",
    "/api/campaigns/<slug:slug>/repeats/": "a list of figures",
    "/api/campaigns/<slug:slug>/invitations/": "a list",
    "/api/preferences/viewer/": "a person's own",
    "/api/campaigns/<slug:slug>/guideline/pictures/<slug:sha256>/": "how a campaign reads",
    "/api/readings/<uuid:reading_id>/guideline/": "how a campaign reads",
    "/campaigns/<slug:slug>/audit/": "the trail, by which looks are told",
    "/campaigns/<slug:slug>/cases/<int:number>/story/": "the trail, by which looks are told",
    "/audit/": "the trail, by which looks are told",
    "/audit/events.csv": "for administrators: asked of in tests/webapp/pages/test_audit_pages.py",
    "/audit/events.jsonl": "for administrators: asked of in tests/webapp/pages/test_audit_pages.py",
    "/audit/verify_audit.py": "a program",
    "/api/uploads/": "a person's own",
    "/intake/": "batches, without their images",
    "/intake/batches/<uuid:batch_id>/": "a batch, without its images",
}
# What DICOMweb answers to a search holds no image (PS3.18 10.6).
SEARCHES = ("/studies", "/series", "/instances")


def shows_nothing(pattern: str) -> bool:
    return pattern in SHOWS_NOTHING or (pattern.startswith("/dicomweb/") and pattern.endswith(SEARCHES))


def test_every_address_that_is_read_shows_nothing_or_leaves_an_event(place):  # noqa: F811
    read = [pattern for method, pattern, _ in rows() if method == "GET"]
    silent = []
    for number, pattern in enumerate(read):
        if shows_nothing(pattern):
            continue
        # Somebody new each time: an event of an earlier address would stand for this one.
        auditor = a_person(f"auditor-{number}", place.campaign, "auditor")
        client = Client()
        client.force_login(auditor)
        answer = client.get(url_of(pattern, place))
        assert answer.status_code == 200, pattern
        if not Event.objects.filter(actor_id=str(auditor.pk)).exists():
            silent.append(pattern)
    assert silent == []


def test_addresses_that_are_noticed_exist():
    known = {pattern.removeprefix("/") for _, pattern, _ in rows()}
    assert known >= noticing.NOTICED
    assert {pattern for _, pattern, _ in rows()} >= set(SHOWS_NOTHING)
