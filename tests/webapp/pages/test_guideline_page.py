"""The page on which a coordinator writes the guideline."""

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.factories.pictures import a_png
from tests.webapp.pages.conftest import client_of
from webapp.campaigns.actions import write_guideline
from webapp.campaigns.models import GuidelinePicture
from webapp.campaigns.queries import current_protocol

URL = "/campaigns/covid/guideline/"


def post(user, **fields):
    return client_of(user).post(URL, {"version": 1, "text": "", **fields})


def test_members_read_and_only_a_coordinator_gets_the_form(place):
    empty = client_of(place.reader).get(URL).content.decode()
    assert "No guideline yet" in empty
    write_guideline(campaign=place.campaign, text="# Lesion", known_version=1, by=place.coordinator)
    for user, writes in ((place.reader, False), (place.other_reader, False), (place.coordinator, True)):
        page = client_of(user).get(URL).content.decode()
        assert "<h3>Lesion</h3>" in page
        assert ("<textarea" in page) is writes
    assert client_of(place.outsider).get(URL).status_code == 404
    assert post(place.outsider, text="Mine.", do="save").status_code == 404


def test_others_save_nothing(place):
    answer = post(place.reader, text="Mine.", do="save")
    assert answer.status_code == 403
    assert "Only a coordinator" in answer.content.decode()
    assert current_protocol(place.campaign).version == 1


def test_look_shows_the_text_and_saves_nothing(place):
    page = post(place.coordinator, text="**Lesion** <b>x</b> ![x](none.png)", do="preview").content.decode()
    assert "<strong>Lesion</strong> &lt;b&gt;x&lt;/b&gt;" in page
    assert "There is no picture called none.png." in page
    assert "not saved yet" in page
    assert current_protocol(place.campaign).version == 1


def test_save_makes_a_version(place):
    answer = post(place.coordinator, text="# Lesion", do="save")
    assert (answer.status_code, answer["Location"]) == (302, URL)
    assert (current_protocol(place.campaign).version, current_protocol(place.campaign).guideline) == (2, "# Lesion")


def test_who_comes_second_keeps_their_text_and_overwrites_nothing(place):
    post(place.coordinator, text="First.", do="save")
    answer = post(place.coordinator, text="Second, at length.", do="save")
    assert answer.status_code == 409
    assert "version 2 by now" in answer.content.decode()
    assert "Second, at length." in answer.content.decode()
    assert current_protocol(place.campaign).guideline == "First."


def test_added_picture_stands_at_the_end_of_the_text_that_was_sent(place):
    upload = SimpleUploadedFile("Ground glass.png", a_png((9, 7)), "image/png")
    page = post(place.coordinator, text="Half a sentence", do="picture", picture=upload).content.decode()
    picture = GuidelinePicture.objects.get()
    assert "Half a sentence" in page
    assert "![ground glass](ground-glass.png)" in page
    assert f'src="/api/campaigns/covid/guideline/pictures/{picture.sha256}/"' in page
    assert current_protocol(place.campaign).version == 1


def test_file_that_is_no_picture_is_refused_and_the_text_stays(place):
    for upload in (SimpleUploadedFile("x.png", b"no picture"), SimpleUploadedFile("x.png", b""), ""):
        answer = post(place.coordinator, text="Half a sentence", do="picture", picture=upload)
        assert answer.status_code == 409
        assert "Half a sentence" in answer.content.decode()
    assert not GuidelinePicture.objects.exists()


def test_broken_forms_are_refused_with_a_sentence(place):
    for fields in ({"do": "nonsense"}, {"do": "save", "version": "x"}, {}):
        answer = post(place.coordinator, **fields)
        assert answer.status_code == 400
        assert "Nothing was saved" in answer.content.decode()


def test_campaign_page_leads_to_the_guideline(place):
    assert f'href="{URL}"' in client_of(place.reader).get("/campaigns/covid/").content.decode()
