"""What the pages say and do."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.factories.filed import a_filed_scan, letter_f, read_and_sign
from tests.factories.sites import PASSWORD
from tests.webapp.pages.conftest import client_of
from webapp.algorithms.actions import fail_draft, request_draft, start_draft
from webapp.archive.models import Scan
from webapp.archive.storage import DamagedFile
from webapp.audit.actor import SYSTEM
from webapp.campaigns.actions import add_case
from webapp.pages import pictures
from webapp.pages.queries import visible_mask_for
from webapp.readings.actions import start_reading
from webapp.readings.assignment_actions import assign_repeat
from webapp.readings.models import Reading
from webapp.releases.models import Measurement

CASE = "/campaigns/covid/cases/1/"


def test_next_case_is_offered_started_and_then_continued(place):
    client = client_of(place.reader)
    assert "Start reading" in client.get("/").content.decode()
    response = client.post(f"{CASE}readings/")
    reading = Reading.objects.get()
    assert response["Location"] == f"/readings/{reading.pk}/"
    page = client.get("/").content.decode()
    assert "Continue" in page
    assert f"/readings/{reading.pk}/" in page


def test_refused_start_says_why_and_starts_nothing(place):
    client = client_of(place.coordinator)
    page = client.get(CASE).content.decode()
    sentence = "Only a radiologist of this campaign may read at the stage review."
    assert sentence in page
    response = client.post(f"{CASE}readings/", follow=True)
    assert sentence in response.content.decode()
    assert not Reading.objects.exists()


def test_case_page_tells_the_way_of_the_case(place):
    reading = read_and_sign(place.case, place.reader, letter_f(place.volume.shape_zyx))
    page = client_of(place.coordinator).get(CASE).content.decode()
    for said in (
        "Filed",
        "AI draft",
        str(place.campaign.draft_algorithm),
        "Review",
        str(place.reader),
        "Signed",
        reading.signature.version_sha256[:12],
        "Contrast medium was given",
        "Extent",
    ):
        assert said in page, said


def test_failed_draft_shows_its_sentence_and_coordinators_may_try_again(place, tmp_path):
    scan, _, _ = a_filed_scan(tmp_path, seed=5)
    case = add_case(campaign=place.campaign, scan=scan, by=SYSTEM)
    run = request_draft(
        scan=scan, algorithm=place.campaign.draft_algorithm, label_set=place.campaign.label_set, by=SYSTEM
    )
    fail_draft(run=start_draft(run=run), sentence="No lungs were found <b>here</b>.")
    url = f"/campaigns/covid/cases/{case.number}/"
    page = client_of(place.coordinator).get(url).content.decode()
    assert "No lungs were found &lt;b&gt;here&lt;/b&gt;." in page
    assert "Try again" in page
    refused = client_of(place.reader).post(f"{url}draft/", follow=True).content.decode()
    assert "Only a coordinator" in refused
    assert scan.draft_runs.count() == 1
    client_of(place.coordinator).post(f"{url}draft/")
    assert scan.draft_runs.count() == 2
    again = scan.draft_runs.order_by("-requested_at")[0]
    assert f'data-topic="draft:{again.pk}"' in client_of(place.reader).get("/campaigns/covid/").content.decode()


def test_picture_is_the_middle_slice_in_the_lung_window_with_the_mask(place):
    response = client_of(place.reader).get(f"{CASE}picture.png?size=640")
    assert response["Content-Type"] == "image/png"
    picture = np.asarray(Image.open(io.BytesIO(response.content)))
    assert max(picture.shape[:2]) == 640
    coloured = (picture.max(axis=2).astype(int) - picture.min(axis=2)) > 20
    assert coloured.any()
    again = client_of(place.reader).get(f"{CASE}picture.png?size=640", HTTP_IF_NONE_MATCH=response["ETag"])
    assert again.status_code == 304
    z = pictures.middle_slice(place.case.scan, place.case.scan.masks.get())
    np.testing.assert_array_equal(pictures.hu_slice(place.case.scan, z), place.volume.hu[z])


def test_scan_whose_pixels_are_missing_has_a_placeholder_for_a_picture(place):
    scan = place.case.scan
    Scan.objects.filter(pk=scan.pk).update(slabs=[])
    for size in (80, 640):
        response = client_of(place.reader).get(f"{CASE}picture.png?size={size}")
        assert (response.status_code, response["Content-Type"], response["Cache-Control"]) == (
            500,
            "image/png",
            "no-store",
        )
        assert Image.open(io.BytesIO(response.content)).size == (size, size)
    scan.refresh_from_db()
    with pytest.raises(DamagedFile, match="No slab of this scan holds slice 3 of 14"):
        pictures.hu_slice(scan, 2)
    # The words are there to be read: the placeholder is not one colour.
    assert np.asarray(Image.open(io.BytesIO(response.content))).std() > 1


def test_what_is_measured_and_pictured_of_a_case_is_the_first_reading_and_not_its_repeat(place, run_jobs):
    read_and_sign(place.case, place.reader, letter_f(place.volume.shape_zyx))
    first = Reading.objects.get()
    again = assign_repeat(reading=first, after_days=0, by=place.coordinator)
    read_and_sign(place.case, place.reader, np.zeros(place.volume.shape_zyx, np.uint8))
    run_jobs()
    extents = [
        Measurement.objects.get(version__signature__reading=one).values["extent_percent"] for one in (first, again)
    ]
    assert extents[0] > 1 > extents[1] == 0
    for person in (place.reader, place.coordinator):
        page = client_of(person).get(CASE).content.decode()
        assert f"<dt>Extent</dt><dd>{extents[0]:.2f} " in page
        assert page.count("Review, repeat 1") == 2
        assert visible_mask_for(person, place.case) == first.mask


def test_lung_window_runs_from_black_to_white():
    assert pictures.windowed(np.array([-3024, -1350, -600, 150, 3000])).tolist() == [0, 0, 127, 255, 255]
    assert pictures.windowed(np.array([10, 60, 110]), has_hu=False).tolist() == [0, 127, 255]


@pytest.fixture
def built(tmp_path, settings):
    """A front end of two entries that share a chunk."""
    settings.FRONTEND_DIST = tmp_path / "dist"
    manifest = tmp_path / "dist" / ".vite" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(
        '{"src/main.tsx": {"file": "assets/main-1.js", "imports": ["_chunk.js"], "css": ["assets/main-1.css"]},'
        ' "_chunk.js": {"file": "assets/chunk-1.js"}, "src/pages.ts": {"file": "assets/pages-1.js"}}'
    )


def test_viewer_page_takes_its_files_from_vites_manifest(place, built):
    reading = start_reading(case=place.case, by=place.reader)
    page = client_of(place.reader).get(f"/readings/{reading.pk}/").content.decode()
    assert '<script type="module" src="/static/viewer/assets/main-1.js"></script>' in page
    assert '<link rel="modulepreload" href="/static/viewer/assets/chunk-1.js">' in page
    assert '<link rel="stylesheet" href="/static/viewer/assets/main-1.css">' in page
    assert f'data-reading="{reading.pk}"' in page
    assert "data-csrf=" in page
    assert "<script>" not in page


def test_viewer_page_says_when_the_front_end_is_not_built(place, tmp_path, settings):
    settings.FRONTEND_DIST = tmp_path / "none"
    reading = start_reading(case=place.case, by=place.reader)
    page = client_of(place.reader).get(f"/readings/{reading.pk}/").content.decode()
    assert "The viewer is not built" in page
    assert "make setup" in page


def test_hostile_text_of_a_scan_is_shown_as_text(place):
    scan = place.case.scan
    scan.description, scan.warnings = "<script>alert(1)</script>", [{"code": "x", "sentence": "<img src=x>"}]
    scan.save()
    page = client_of(place.reader).get(CASE).content.decode()
    assert "<script>alert(1)" not in page
    assert "<img src=x>" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_signing_in_goes_where_the_person_was_headed_and_nowhere_else(place, client):
    name = {"username": place.reader.username, "password": PASSWORD}
    assert client.post("/sign-in/", {**name, "next": CASE})["Location"] == CASE
    assert client.post("/sign-in/", {**name, "next": "https://evil.example/"})["Location"] == "/"
    assert client.post("/sign-in/", {**name, "next": "//evil.example/"})["Location"] == "/"


def test_wrong_password_is_refused_in_words(place, client):
    response = client.post("/sign-in/", {"username": place.reader.username, "password": "wrong"})
    assert response.status_code == 403
    assert "do not belong together" in response.content.decode()


def test_password_is_changed_by_its_owner(place):
    client = client_of(place.reader)
    new = "a much better password"
    wrong = client.post("/password/", {"old": "no", "new": new, "again": new})
    assert "old password is not right" in wrong.content.decode()
    differ = client.post("/password/", {"old": PASSWORD, "new": new, "again": new + "x"})
    assert "differ" in differ.content.decode()
    assert client.post("/password/", {"old": PASSWORD, "new": new, "again": new})["Location"] == "/"
    assert client.get("/").status_code == 200
    place.reader.refresh_from_db()
    assert place.reader.check_password(new)


def test_signing_out_needs_a_post_and_ends_the_session(place):
    client = client_of(place.reader)
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/")["Location"] == "/sign-in/"
    assert client.get("/").status_code == 302


def test_theme_is_remembered_and_leads_back_into_this_site(client, db):
    response = client.post("/theme/", {"theme": "light", "next": "https://evil.example/"})
    assert response["Location"] == "/"
    assert 'data-theme="light"' in client.get("/sign-in/").content.decode()


def test_person_without_a_campaign_is_told_what_to_do(place):
    assert "Ask a coordinator" in client_of(place.outsider).get("/").content.decode()


def test_error_pages_stand_alone():
    from django.template.loader import render_to_string

    for name in ("403.html", "403_csrf.html", "404.html", "500.html"):
        assert "<main" in render_to_string(name)
