"""The permission table of the documentation is complete and true."""

import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.factories.filed import FiledPlace, a_filed_place, read_and_sign
from tests.factories.pictures import a_png
from tests.factories.sites import a_person
from tests.factories.versions import a_registered_version
from webapp.accounts.actions import create_token
from webapp.accounts.models import AccessToken, User
from webapp.campaigns.actions import add_guideline_picture, write_guideline
from webapp.campaigns.invitation_actions import invite
from webapp.campaigns.models import Membership
from webapp.intake.models import Batch
from webapp.notices.models import Notice
from webapp.notices.notify import notify
from webapp.pages.models import SavedView
from webapp.pages.view_actions import save_view
from webapp.readings.commenting_actions import open_thread
from webapp.readings.models import Flag, Thread, ThreadEntry

pytestmark = pytest.mark.django_db

TABLE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "permissions.md"
VISITORS = ["nobody", "outsider", "reader", "other reader", "technician", "coordinator", "auditor"]
ROW = re.compile(r"^\| (GET|POST) \| `([^`]+)` \| (.+) \|$")


def rows() -> list[tuple[str, str, list[str]]]:
    found = [ROW.match(line) for line in TABLE.read_text().splitlines()]
    return [(m[1], m[2], [cell.strip() for cell in m[3].split("|")]) for m in found if m]


def patterns(resolver: URLResolver, prefix: str = "/") -> list[str]:
    found = []
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            found.append(prefix + str(entry.pattern))
        else:
            found += patterns(entry, prefix + str(entry.pattern))
    return found


def test_every_url_stands_in_the_table():
    assert set(patterns(get_resolver())) == {url for _, url, _ in rows()}


@pytest.fixture
def place(tmp_path, run_jobs) -> FiledPlace:
    place = a_filed_place(tmp_path)
    picture = add_guideline_picture(
        campaign=place.campaign, file_name="lesion.png", content=a_png((8, 6)), by=place.coordinator
    )
    text = f"# Lesion\n\n![Ground glass]({picture.name})"
    write_guideline(campaign=place.campaign, text=text, known_version=1, by=place.coordinator)
    findings = np.zeros(place.volume.shape_zyx, np.uint8)
    findings[3:6, 10:20, 10:20] = 1
    read_and_sign(place.case, place.reader, findings)
    run_jobs()
    Flag.objects.create(reading=place.case.readings.get(), name="artefact", raised=True)
    open_thread(reading=place.case.readings.get(), text="A vessel, no lesion.", by=place.reader)
    return place


def test_the_table_is_true(place):
    people = {
        "nobody": None,
        "outsider": place.outsider,
        "reader": place.reader,
        "other reader": place.other_reader,
        "technician": a_person("tech", place.campaign, "technician"),
        "coordinator": place.coordinator,
        "auditor": a_person("auditor", place.campaign, "auditor"),
    }
    wrong = []
    sessions: dict[Any, str] = {}
    for method, pattern, expected in rows():
        for visitor, wanted in zip(VISITORS, expected, strict=True):
            client = signed_in(people[visitor], sessions)
            url = url_of(pattern, place)
            answer = client.get(url) if method == "GET" else client.post(url, {}, content_type="application/json")
            if status_of(answer) != wanted:
                wrong.append(f"{method} {pattern} as {visitor}: {status_of(answer)}, the table says {wanted}")
    assert "\n".join(wrong) == ""


def signed_in(person: User | None, sessions: dict[Any, str]) -> Client:
    """A browser of the person's, in the session of their last one unless what was asked for ended that."""
    client = Client()
    if person is None:
        return client
    key = sessions.get(person.pk, "")
    if Session.objects.filter(pk=key).exists():
        client.cookies[settings.SESSION_COOKIE_NAME] = key
    else:
        client.force_login(person)
        sessions[person.pk] = client.cookies[settings.SESSION_COOKIE_NAME].value
    return client


# What a reading's URLs ask for beside the path, by their last word.
QUERIES = {"difference": "?a=stroke:0&b=head", "provenance": "?layer=findings&i=0&j=0&k=0", "map": "?layer=findings"}


def url_of(pattern: str, place: FiledPlace) -> str:
    """The pattern's URL for this place; each asking gets a batch of its own, since asking may end it."""
    case, scan = place.case, place.case.scan
    values: dict[str, Callable[[], object]] = {
        "<slug:slug>": lambda: place.campaign.slug,
        "<int:number>": lambda: case.number,
        "<uuid:case_id>": lambda: case.pk,
        "<uuid:scan_id>": lambda: case.scan_id,
        "<slug:pseudonym>": lambda: scan.study.patient.pseudonym,
        "<uuid:reading_id>": lambda: case.readings.get().pk,
        "<uuid:batch_id>": lambda: Batch.objects.create(campaign=place.campaign, by=place.coordinator).pk,
        "<uuid:mask_id>": lambda: case.readings.get().mask_id,
        "<int:flag_id>": lambda: Flag.objects.get().pk,
        "<uuid:thread_id>": lambda: Thread.objects.get().pk,
        "<uuid:comment_id>": lambda: ThreadEntry.objects.get().pk,
        "<uuid:view_id>": lambda: view_of_the_reader(place).pk,
        "<uuid:notice_id>": lambda: notice_of_the_reader(place).pk,
        "<uuid:token_id>": lambda: token_of_the_reader(place).pk,
        "<uuid:person_id>": lambda: place.outsider.pk,
        "<str:state>": lambda: "head",
        "<int:index>": lambda: 0,
        "<str:study_uid>": lambda: scan.study.uid,
        "<str:series_uid>": lambda: scan.series_uid,
        "<str:sop_uid>": lambda: scan.instances.order_by("z")[0].sop_uid,
        "<str:numbers>": lambda: 1,
        "<str:tag>": lambda: "7FE00010",
        "<slug:sha256>": lambda: scan.slabs[0]["sha256"],
        "<str:uidb64>": lambda: "bm9ib2R5",
        "<str:token>": lambda: "no-token",
    }
    if "/preview/" in pattern:
        values["<slug:sha256>"] = lambda: scan.preview.sha256
    if "/pictures/<slug:sha256>.webp" in pattern:
        values["<slug:sha256>"] = lambda: scan.pictures.first().sha256
    if "/guideline/pictures/" in pattern:
        values["<slug:sha256>"] = lambda: place.campaign.guideline_pictures.get().sha256
    if pattern.startswith("/algorithms/"):
        a_registered_version()
        values |= {"<str:name>": lambda: "tiny", "<str:version>": lambda: 1, "<slug:sha256>": a_picture_of_a_card}
    if "/leave/" in pattern:
        values["<int:member_id>"] = lambda: a_member_more(place)
    if "/invitations/" in pattern:
        made, secret = invite(campaign=place.campaign, role="auditor", days=1, by=place.coordinator)
        values |= {"<uuid:invitation_id>": lambda: made.pk, "<str:secret>": lambda: secret}
    # What is not asked for is not made.
    for placeholder in set(re.findall("<[^>]+>", pattern)) & set(values):
        pattern = pattern.replace(placeholder, str(values[placeholder]()))
    return pattern + QUERIES.get(pattern.rsplit("/", 2)[1], "")


def a_picture_of_a_card() -> str:
    """The hash of the one picture of a registered version, made once."""
    return a_registered_version().files.get(kind="picture").sha256


def a_member_more(place: FiledPlace) -> int:
    """A membership that may be ended."""
    somebody = a_person(f"somebody-{uuid.uuid4().hex[:8]}", place.campaign, "technician")
    return Membership.objects.get(user=somebody).pk


def token_of_the_reader(place: FiledPlace) -> AccessToken:
    """One access token of the reader's, made once."""
    known = AccessToken.objects.filter(user=place.reader).first()
    return known or create_token(name="notebook", days=7, by=place.reader)[0]


def notice_of_the_reader(place: FiledPlace) -> Notice:
    """One notice of the reader's, made once."""
    known = Notice.objects.filter(person=place.reader).first()
    return known or notify([place.reader], "assigned", sentence="Case 1 was given to you.", url="/")[0]


def view_of_the_reader(place: FiledPlace) -> SavedView:
    """One kept view of the reader's worklist, made once."""
    known = SavedView.objects.filter(person=place.reader).first()
    return known or save_view(campaign=place.campaign, name="Mine", query="show=mine", by=place.reader)


def status_of(answer: HttpResponse) -> str:
    """The status, or "sign in" for what leads there."""
    to_sign_in = answer.status_code == 302 and answer["Location"].startswith("/sign-in/")
    return "sign in" if to_sign_in else str(answer.status_code)
