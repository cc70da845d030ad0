"""The audit pages: found, paged, told in words; and nothing of others' readings for whoever reads blinded."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from reportlab.platypus import Paragraph

from tests.factories.filed import letter_f, read_and_sign
from tests.factories.sites import a_person
from tests.webapp.pages.conftest import client_of
from webapp.audit import standalone_verifier
from webapp.audit.actor import SYSTEM
from webapp.audit.checking import check_chains
from webapp.audit.models import Event
from webapp.audit.record import record
from webapp.campaigns.actions import add_member, chain_of, set_default_site
from webapp.campaigns.models import Campaign
from webapp.pages import audit_files, story_pdf

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor(place):
    return a_person("auditor", place.campaign, "auditor")


@pytest.fixture
def signed(place):
    return read_and_sign(place.case, place.reader, letter_f(place.volume.shape_zyx))


@pytest.fixture
def administrator(place):
    person = a_person("admin")
    person.is_superuser = True
    person.save()
    return person


def address(place, rest=""):
    return f"/campaigns/{place.campaign.slug}/audit/{rest}"


def places(answer):
    return [event.seq for event in answer.context["found"].events]


def names(answer):
    return [event.name for event in answer.context["found"].events]


@pytest.mark.usefixtures("signed")
def test_auditor_reads_what_happened_in_words(place, auditor):
    answer = client_of(auditor).get(address(place))
    html = " ".join(answer.content.decode().split())
    who = '<strong>Covid-Reader</strong> <span class="muted small">radiologist</span>'
    assert f"{who} signed the review of case 1</span>" in html
    event = Event.objects.get(name="reading.signed")
    assert event.hash in html
    assert places(answer) == sorted(places(answer), reverse=True)


@pytest.mark.usefixtures("signed")
def test_coordinator_who_reads_blinded_finds_nothing_of_others_readings(place):
    """Not on the page, not by a filter, not in a file, not in the story; their own and what says nothing, yes."""
    both = place.coordinator
    read_twice_blinded(place.campaign)
    client = client_of(both)
    assert "signed the review" in client.get(address(place)).content.decode()
    add_member(campaign=place.campaign, user=both, role="radiologist", by=SYSTEM)
    searches = ("", f"?who={place.reader.pk}", "?event=reading.signed", "?case=1", "?q=review", "?q=letter")
    for rest in searches:
        html = client.get(address(place, rest)).content.decode()
        assert "signed the review" not in html, rest
        assert str(place.case.readings.get().pk) not in html, rest
        lines = client.get(address(place, f"events.jsonl{rest}")).content.decode().splitlines()
        bodies = [json.loads(json.loads(line)["body"]) for line in lines]
        assert {"reading.started", "reading.signed", "mask.version_cut"}.isdisjoint(b["event"] for b in bodies), rest
        assert all(str(place.case.readings.get().pk) not in body["subject"] for body in bodies), rest
    story = client.get(f"/campaigns/{place.campaign.slug}/cases/1/story/").content.decode()
    assert "signed the review" not in story
    assert f"reading:{place.case.readings.get().pk}" not in story
    assert "case.added" in story


def read_twice_blinded(campaign: Campaign) -> None:
    """Two blinded readings a case, from now on."""
    protocol = campaign.protocols.order_by("-version")[0]
    protocol.stages = [{**stage, "blinded": True, "readers": 2} for stage in protocol.stages]
    protocol.save()


@pytest.mark.usefixtures("signed")
@pytest.mark.parametrize(
    ("rest", "found"),
    [
        ("?event=reading.signed", {"reading.signed"}),
        ("?q=slice+by+slice&event=reading.signed", {"reading.signed"}),
        ("?q=%22slice+by+nobody%22", set()),
        ("?who=system&event=case.added", {"case.added"}),
        ("?who=nobody", set()),
        ("?case=1&event=mask.version_cut", {"mask.version_cut"}),
        ("?case=2", set()),
        ("?to=2001-01-01", set()),
        ("?from=2999-01-01", set()),
        ("?from=2001-01-01&to=2999-01-01&event=reading.signed", {"reading.signed"}),
    ],
)
def test_trail_is_searched(place, auditor, rest, found):
    answer = client_of(auditor).get(address(place, rest))
    assert answer.status_code == 200
    assert set(names(answer)) == found


def test_words_of_any_script_are_found(place, auditor):
    set_default_site(campaign=place.campaign, site="Universitätsspital 日本", by=place.coordinator)
    for words in ("Universitätsspital", "日本"):
        answer = client_of(auditor).get(address(place), {"q": words})
        assert "campaign.default_site_set" in names(answer), words


@pytest.mark.parametrize(
    "rest", ["?q=%00%27%3B", "?q=%22", "?q=-", "?case=x", "?from=never", "?before=-1&after=x", "?who=%00"]
)
def test_what_means_nothing_is_left_out(place, auditor, rest):
    assert client_of(auditor).get(address(place, rest)).status_code == 200


def test_pages_go_older_and_newer_without_a_gap(place, auditor):
    chain = chain_of(place.campaign)
    for number in range(120):
        record("case.added", by=SYSTEM, chain=chain, subject=f"case:{place.case.pk}", number=number)
    client, rest, seen = client_of(auditor), "", []
    while True:
        answer = client.get(address(place, rest))
        seen += places(answer)
        rest = answer.context["found"].older
        if not rest:
            break
        oldest = answer
    assert seen == list(range(Event.objects.filter(chain=chain).count(), 0, -1))
    newer = client.get(address(place, oldest.context["found"].older))
    back = client.get(address(place, newer.context["found"].newer))
    assert places(back) == places(oldest)


def test_queries_of_a_page_are_bounded(place, auditor, django_assert_max_num_queries):
    for number in range(60):
        record("case.added", by=SYSTEM, chain=chain_of(place.campaign), subject=f"case:{place.case.pk}", number=number)
    client = client_of(auditor)
    with django_assert_max_num_queries(18):
        client.get(address(place))


@pytest.mark.usefixtures("signed")
def test_whole_chain_downloaded_is_checked_by_the_program(place, auditor, tmp_path, monkeypatch):
    monkeypatch.setattr(audit_files, "EVENTS_A_PIECE", 10_000)
    path = tmp_path / "trail.jsonl"
    answer = client_of(auditor).get(address(place, "events.jsonl"))
    path.write_bytes(answer.content)
    program = client_of(auditor).get("/audit/verify_audit.py").content
    assert program == Path(standalone_verifier.__file__).read_bytes()
    done = subprocess.run([sys.executable, "-I", standalone_verifier.__file__, path], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    event = Event.objects.order_by("id").last()
    assert (event.name, event.chain) == ("audit.events_downloaded", chain_of(place.campaign))
    assert event.content["details"] == {"format": "jsonl", "asked": {}}


def test_table_holds_no_formulas_and_says_what_happened(place, auditor):
    set_default_site(campaign=place.campaign, site="=1+1", by=place.coordinator)
    text = client_of(auditor).get(address(place, "events.csv?event=campaign.default_site_set")).content.decode()
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["what"].endswith("belong to the site =1+1")
    assert json.loads(row["details"])["site"] == "=1+1"
    assert all(not value.startswith(("=", "+", "-", "@")) for value in row.values())


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
def test_long_files_come_in_pieces_and_whole(place, auditor, monkeypatch):
    monkeypatch.setattr(audit_files, "EVENTS_A_PIECE", 3)
    answer = client_of(auditor).get(address(place, "events.jsonl"))
    assert answer.streaming
    monkeypatch.setattr(audit_files, "close_old_connections", lambda: None)  # the test's transaction lives on it
    lines = b"".join(answer).decode().splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert len(lines) == Event.objects.filter(chain=chain_of(place.campaign)).count()


def test_page_says_whether_the_chain_holds(place, auditor):
    client = client_of(auditor)
    assert "Not checked yet" in client.get(address(place)).content.decode()
    check_chains()
    assert "The chain holds" in client.get(address(place)).content.decode()


def test_administrator_reads_every_chain_and_nobody_else_does(place, administrator, auditor):
    for rest in ("", "events.csv", "events.jsonl"):
        assert client_of(auditor).get(f"/audit/{rest}").status_code == 404
        assert client_of(administrator).get(f"/audit/{rest}").status_code == 200
    answer = client_of(administrator).get("/audit/")
    assert {event.chain for event in answer.context["found"].events} == {"site", chain_of(place.campaign)}
    assert "case 1 of Covid" in answer.content.decode()
    only = client_of(administrator).get("/audit/", {"chain": "site", "from": "2001-01-01", "to": "2999-01-01"})
    assert places(only) == sorted(places(only), reverse=True)
    assert {event.chain for event in only.context["found"].events} == {"site"}
    assert Event.objects.filter(name="audit.events_downloaded", actor_id=str(administrator.pk)).count() == 2


@pytest.mark.usefixtures("signed")
def test_administrator_who_reads_blinded_finds_nothing_of_it_either(place, administrator):
    read_twice_blinded(place.campaign)
    add_member(campaign=place.campaign, user=administrator, role="radiologist", by=SYSTEM)
    html = client_of(administrator).get("/audit/").content.decode()
    assert "signed the review" not in html
    assert "scan.objects_filed" not in names(client_of(administrator).get("/audit/"))


STATIONS = [
    "scan.filed",
    "case.added",
    "mask.version_cut",
    "draft.finished",
    "reading.started",
    "mask.version_cut",
    "reading.signed",
]


@pytest.mark.usefixtures("signed")
def test_story_tells_a_case_from_its_scan_to_its_signature(place, auditor):
    answer = client_of(auditor).get(f"/campaigns/{place.campaign.slug}/cases/1/story/")
    told = [
        entry.line.event.name
        for chapter in answer.context["chapters"]
        for entry in chapter.entries
        if entry.line.event.name in STATIONS
    ]
    assert told == STATIONS
    html = " ".join(answer.content.decode().split())
    assert place.case.scan.voxels_sha256 in html
    assert "kept version 1 of the mask of the AI draft (draft)" in html
    signature = place.case.readings.get().signature
    assert f'title="SHA-256 {signature.version_sha256}"' in html


@pytest.mark.usefixtures("signed")
def test_story_keeps_anothers_blinded_reading_from_a_reader_and_tells_them_their_own(place):
    read_twice_blinded(place.campaign)
    url = f"/campaigns/{place.campaign.slug}/cases/1/story/"
    other, own = (client_of(one).get(url).content.decode() for one in (place.other_reader, place.reader))
    assert "reading.signed" not in other
    assert place.reader.display_name not in other.replace(f">{place.other_reader}<", "")
    assert "reading.signed" in own


@pytest.mark.usefixtures("signed")
def test_story_does_not_tell_a_blinded_reader_where_they_were_sent_away(place):
    """It would tell them that a reading is there."""
    read_twice_blinded(place.campaign)
    client, reading = client_of(place.other_reader), place.case.readings.get()
    assert client.get(f"/readings/{reading.pk}/").status_code == 404
    assert Event.objects.filter(name="access.refused", actor_id=str(place.other_reader.pk)).exists()
    assert str(reading.pk) not in client.get(f"/campaigns/{place.campaign.slug}/cases/1/story/").content.decode()


@pytest.mark.usefixtures("signed")
def test_story_is_a_pdf_too_and_taking_it_away_is_an_event(place, auditor):
    auditor.display_name = "Ada <b>&\u65e5 Å"
    auditor.save()
    answer = client_of(auditor).get(f"/campaigns/{place.campaign.slug}/cases/1/story.pdf")
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert answer.content.rstrip().endswith(b"%%EOF")
    event = Event.objects.order_by("id").last()
    assert (event.name, event.subject) == ("audit.events_downloaded", f"case:{place.case.pk}")
    assert event.content["details"] == {"format": "pdf", "asked": {"case": "1"}}


@pytest.fixture
def told(monkeypatch):
    """What is drawn on a PDF, paragraph by paragraph: its own pages are packed."""
    texts = []
    monkeypatch.setattr(story_pdf, "Paragraph", lambda text, style: texts.append(text) or Paragraph(text, style))
    return texts


def test_pdf_tells_what_the_page_tells(place, auditor, told):
    chain, subject = chain_of(place.campaign), f"case:{place.case.pk}"
    for number in range(200):
        record("case.excluded", by=SYSTEM, chain=chain, subject=subject, reason=f"<reason> {number} & more \u65e5")
    content = client_of(auditor).get(f"/campaigns/{place.campaign.slug}/cases/1/story.pdf").content
    assert "<b>Groundglass</b> took case 1 out of the campaign: &lt;reason&gt; 199 &amp; more ?" in told
    assert content.count(b"/Type /Page\n") >= 5


@pytest.mark.usefixtures("signed")
def test_pdf_keeps_anothers_blinded_reading_from_a_reader(place, told):
    read_twice_blinded(place.campaign)
    url = f"/campaigns/{place.campaign.slug}/cases/1/story.pdf"
    client_of(place.other_reader).get(url)
    assert not any("signed" in text for text in told)
    client_of(place.reader).get(url)
    assert any("signed the review" in text for text in told)
