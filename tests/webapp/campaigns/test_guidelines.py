"""A guideline: what its text may become, who writes it, and which one a reading shows."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from tests.factories.pictures import a_png
from tests.factories.sites import a_person, a_reading, a_workplace
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused
from webapp.campaigns.actions import add_guideline_picture, write_guideline
from webapp.campaigns.guidelines import ShownPicture, render_guideline
from webapp.campaigns.models import GuidelinePicture, Protocol
from webapp.campaigns.queries import current_protocol

OWN = {"ground-glass.png": ShownPicture("/own/picture/", 320, 200)}


def html_of(text: str) -> str:
    return render_guideline(text, OWN).html


# --- The text


def test_markdown_becomes_html_under_the_panels_own_heading():
    html = html_of("# Lesion\n\n## Where\n\n- **here**\n- ~~there~~\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
    for said in ("<h3>Lesion</h3>", "<h4>Where</h4>", "<li><strong>here</strong></li>", "<s>there</s>", "<td>1</td>"):
        assert said in html


def test_own_picture_is_shown_with_its_size():
    html = html_of("![Ground glass](ground-glass.png)")
    for part in ('src="/own/picture/"', 'alt="Ground glass"', 'width="320"', 'height="200"'):
        assert part in html


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example/x.png",
        "//elsewhere.example/x.png",
        "data:image/png;base64,AAAA",
        "/sign-out/",
        "other.png",
        "/own/picture/",
    ],
)
def test_no_other_picture_is_ever_asked_for(address):
    rendered = render_guideline(f"![the words]({address})", OWN)
    assert "<img" not in rendered.html
    assert "the words" in rendered.html
    assert rendered.unknown_pictures == [address]


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](vbscript:x)",
        '![a"onerror="alert(1)](ground-glass.png)',
        '![a](ground-glass.png "x\\" onerror=alert(1)")',
        "```\n</code><script>alert(1)</script>\n```",
        "```html onmouseover=alert(1)\nx\n```",
        '<https://x.example/"onclick=alert(1)>',
        "[x]: javascript:alert(1)\n\n[x]",
        "<style>*{display:none}</style>",
        "<iframe src=//x.example></iframe>",
        "<form action=/sign-out/><button>x</button></form>",
    ],
)
def test_nothing_that_runs_comes_out(text):
    found = list(elements_of(html_of(text)))
    for tag, attributes in found:
        assert tag in {"p", "a", "img", "code", "pre"}, tag
        assert set(attributes) <= {"href", "title", "rel", "target", "src", "alt", "width", "height"}
        assert not str(attributes.get("href", "")).lower().startswith(("javascript:", "data:", "vbscript:"))


def elements_of(html: str):
    """Every element of some HTML with its attributes."""
    from html.parser import HTMLParser

    seen: list[tuple[str, dict]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            seen.append((tag, dict(attrs)))

    Reader().feed(html)
    return seen


def test_links_open_beside_the_work_and_know_nothing_of_it():
    ((tag, attributes),) = [e for e in elements_of(html_of("[paper](https://x.example/a)")) if e[0] == "a"]
    assert (tag, attributes["target"], attributes["rel"]) == ("a", "_blank", "noopener noreferrer")


# --- Who writes it, and which one a reading shows


@pytest.fixture
def place(db):
    return a_workplace()


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def write(place, text: str, version: int = 1, by=None) -> Protocol:
    return write_guideline(campaign=place.campaign, text=text, known_version=version, by=by or place.coordinator)


def shown(user, reading):
    return client_of(user).get(f"/api/readings/{reading.pk}/guideline/")


def test_change_makes_a_version_and_readings_keep_their_own(place):
    before = a_reading(place)
    assert client_of(place.reader).get(f"/api/readings/{before.pk}/").json()["guideline"] is None
    assert shown(place.reader, before).status_code == 404
    protocol = write(place, "# Lesion\r\n\r\nGround glass.\0")
    assert (protocol.version, protocol.guideline) == (2, "# Lesion\n\nGround glass.")
    assert (protocol.stages, protocol.statement) == (before.protocol.stages, before.protocol.statement)
    assert current_protocol(place.campaign) == protocol
    assert shown(place.reader, before).status_code == 404
    before.protocol = protocol
    before.save()
    write(place, "Otherwise.", version=2)
    told = client_of(place.reader).get(f"/api/readings/{before.pk}/").json()["guideline"]
    assert told == {"version": 2, "url": f"/api/readings/{before.pk}/guideline/"}
    answer = client_of(place.reader).get(told["url"]).json()
    assert answer == {"version": 2, "html": "<h3>Lesion</h3>\n<p>Ground glass.</p>\n"}


def test_guideline_is_for_who_sees_the_reading(place):
    write(place, "Ground glass.")
    reading = a_reading(place)
    for user in (place.reader, place.coordinator, a_person("auditor", place.campaign, "auditor")):
        assert shown(user, reading).status_code == 200
    for user in (place.other_reader, place.outsider):
        assert shown(user, reading).status_code == 404
    assert Client().get(f"/api/readings/{reading.pk}/guideline/").status_code == 401


def test_change_is_audited_with_both_texts_named(place):
    write(place, "Ground glass.")
    event = Event.objects.get(name="campaign.protocol_set")
    assert event.chain == f"campaign:{place.campaign.pk}"
    details = event.content["details"]
    assert (details["version"], details["changed"]) == (2, ["guideline"])
    assert len({details["guideline_sha256"], details["guideline_before_sha256"]}) == 2


@pytest.mark.parametrize(
    ("text", "version", "code"),
    [
        ("Ground glass.", 7, "changed_meanwhile"),
        ("", 1, "unchanged"),
        ("x" * 100_001, 1, "too_large"),
        ("![x](nowhere.png)", 1, "no_such_picture"),
    ],
)
def test_what_is_refused_changes_nothing(place, text, version, code):
    with pytest.raises(ActionRefused) as refusal:
        write(place, text, version)
    assert refusal.value.code == code
    assert place.campaign.protocols.count() == 1


def test_only_coordinators_write_and_add_pictures(place):
    for user in (place.reader, a_person("auditor", place.campaign, "auditor"), place.outsider):
        with pytest.raises(ActionRefused) as refusal:
            write(place, "Mine.", by=user)
        assert refusal.value.code == "not_coordinator"
        with pytest.raises(ActionRefused):
            add_guideline_picture(campaign=place.campaign, file_name="a.png", content=a_png((4, 4)), by=user)
    assert (place.campaign.protocols.count(), GuidelinePicture.objects.count()) == (1, 0)


def add(place, name: str, content: bytes) -> GuidelinePicture:
    return add_guideline_picture(campaign=place.campaign, file_name=name, content=content, by=place.coordinator)


def test_a_name_never_gets_another_picture(place):
    first, second = add(place, "lesion.png", a_png((4, 4))), add(place, "Lesion.png", a_png((5, 5)))
    again = add(place, "copy.png", a_png((4, 4)))
    assert (first.name, second.name, again.pk) == ("lesion.png", "lesion-2.png", first.pk)
    events = Event.objects.filter(name="campaign.guideline_picture_added")
    assert [event.content["details"]["already_there"] for event in events.order_by("pk")] == [False, False, True]


def test_stored_picture_is_never_changed(place):
    picture = add(place, "lesion.png", a_png((4, 4)))
    for change in ("UPDATE campaigns_guidelinepicture SET name = 'x'", "DELETE FROM campaigns_guidelinepicture"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
    assert GuidelinePicture.objects.get() == picture


def test_picture_is_shown_to_members_of_its_campaign_alone(place):
    picture = add(place, "lesion.png", a_png((4, 4)))
    url = f"/api/campaigns/covid/guideline/pictures/{picture.sha256}/"
    for user in (place.reader, place.other_reader, place.coordinator):
        answer = client_of(user).get(url)
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
        assert answer.content == bytes(picture.content)
    assert client_of(place.outsider).get(url).status_code == 404
    assert Client().get(url).status_code == 401
    assert client_of(place.reader).get(f"/api/campaigns/covid/guideline/pictures/{'0' * 64}/").status_code == 404


def test_another_campaigns_picture_is_not_shown_here(place):
    elsewhere = a_workplace("other-trial")
    picture = add(elsewhere, "lesion.png", a_png((4, 4)))
    url = f"/api/campaigns/covid/guideline/pictures/{picture.sha256}/"
    assert client_of(place.reader).get(url).status_code == 404
    with pytest.raises(ActionRefused) as refusal:
        write(place, "![x](lesion.png)")
    assert refusal.value.code == "no_such_picture"
