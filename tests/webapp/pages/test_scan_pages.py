"""Pages of one scan and of one patient: what they show, to whom, and what they hide."""

import re

import pytest

from tests.factories.filed import a_filed_scan, draft_case, letter_f, read_and_sign
from tests.factories.sites import a_campaign, a_person
from tests.webapp.pages.conftest import client_of
from webapp.archive.models import DerivedObject, Patient, Picture, Scan, Study
from webapp.audit.actor import SYSTEM
from webapp.audit.models import Event
from webapp.campaigns.actions import add_case, add_member
from webapp.readings.actions import start_reading
from webapp.releases.actions import delete_scan
from webapp.releases.measurements import measured


@pytest.fixture
def address(place) -> str:
    return f"/scans/{place.case.scan_id}/"


def page_of(user, address: str) -> str:
    answer = client_of(user).get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def test_scan_page_shows_pictures_facts_warnings_uses_and_files(place, address):
    Scan.objects.update(site="Hospital 03", body_part="CHEST", kvp=120, exposure_mas=80, ctdi_vol_mgy=4.5)
    scan = Scan.objects.get()
    page = page_of(place.reader, address)
    for picture in scan.pictures.filter(size="large"):
        assert f"/scans/{scan.pk}/pictures/{picture.sha256}.webp" in page
    for said in (
        scan.study.patient.pseudonym,
        "Groundglass Phantom",
        "Hospital 03",
        "CHEST",
        "120 kVp",
        "80 mAs",
        "4.5 mGy",
        "B60f",
        "6.5 × 7 × 20 mm",
        scan.voxels_sha256,
        scan.series_uid,
        scan.slabs[0]["sha256"],
        scan.instances.first().sha256,
        "Contrast medium was given",
        "Vessels and perfused tissue are denser by the medium.",
        "Reconstructed with a sharp kernel (B60f)",
        "Case 1",
        "no reading that you may see",
    ):
        assert said in page, said


def test_opening_a_scan_is_in_the_trail_of_each_campaign_by_which_one_may(place, address):
    other = a_campaign("other")
    add_case(campaign=other, scan=place.case.scan, by=SYSTEM)
    page_of(place.reader, address)
    assert {e.chain for e in Event.objects.filter(name="scan.viewed")} == {f"campaign:{place.campaign.pk}"}
    add_member(campaign=other, user=place.reader, role="radiologist", by=SYSTEM)
    page_of(place.reader, address)
    assert Event.objects.filter(name="scan.viewed", chain=f"campaign:{other.pk}").count() == 1
    page_of(place.reader, f"/patients/{place.case.scan.study.patient.pseudonym}/")
    assert Event.objects.filter(name="patient.viewed").count() == 2


def test_campaign_that_one_is_not_in_is_not_named(place, address):
    add_case(campaign=a_campaign("secret-study"), scan=place.case.scan, by=SYSTEM)
    patient = f"/patients/{place.case.scan.study.patient.pseudonym}/"
    for person in (place.reader, place.coordinator):
        for page in (address, patient, "/scans/"):
            assert "ecret-Study" not in page_of(person, page), page


def test_picture_is_given_to_members_alone_and_by_its_scan_alone(place, tmp_path):
    other, _, _ = a_filed_scan(tmp_path, seed=9)
    picture = place.case.scan.pictures.first()
    url = f"/scans/{place.case.scan_id}/pictures/{picture.sha256}.webp"
    answer = client_of(place.other_reader).get(url)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert answer.content[8:12] == b"WEBP"
    assert answer["Cache-Control"].startswith("private")
    assert client_of(place.outsider).get(url).status_code == 404
    assert client_of(place.reader).get(f"/scans/{other.pk}/pictures/{picture.sha256}.webp").status_code == 404
    assert client_of(place.reader).get(f"/scans/{place.case.scan_id}/pictures/{'0' * 64}.webp").status_code == 404


def test_scan_without_pictures_says_that_they_are_being_made(place, address, run_jobs):
    Picture.objects.all().delete()
    assert "Pictures are being made" in page_of(place.reader, address)
    assert "archive.make_pictures" in run_jobs()
    assert "Pictures are being made" not in page_of(place.reader, address)


def follow_ups(place, tmp_path) -> list:
    """Two more scans of the place's patient, filed and drafted, at later dates; the cases in order of time."""
    patient = Patient.objects.get()
    cases = [place.case]
    for seed in (5, 6):
        scan, _, phantom = a_filed_scan(tmp_path, seed=seed)
        Study.objects.filter(pk=scan.study_id).update(patient=patient)
        layers = {"anatomy": phantom.anatomy, "findings": (phantom.findings > 0).astype("uint8")}
        cases.append(draft_case(place.campaign, scan, layers))
    Patient.objects.exclude(pk=patient.pk).delete()
    for case, day in zip(cases, ("2019-03-01", "2019-03-15", "2019-05-30"), strict=True):
        Study.objects.filter(scans__pk=case.scan_id).update(shifted_date=day)
    return cases


@pytest.fixture
def story(place, tmp_path):
    """A patient of three scans, the first and the last of them signed by the reader and measured."""
    cases = follow_ups(place, tmp_path)
    signed = [read_and_sign(case, place.reader, letter_f(place.volume.shape_zyx)) for case in (cases[0], cases[2])]
    numbers = [measured(reading.signature.version).values for reading in signed]
    return f"/patients/{Patient.objects.get().pseudonym}/", cases, signed, numbers


def test_patient_page_has_the_scans_in_order_with_what_may_be_seen_of_them(place, story):
    address, cases, signed, numbers = story
    page = page_of(place.reader, address)
    order = [page.index(f"/scans/{case.scan_id}/") for case in cases]
    assert order == sorted(order)
    assert "follow-up, 14 days later" in page
    assert "follow-up, 76 days later" in page
    assert "first scan" in page
    for reading, values in zip(signed, numbers, strict=True):
        assert f"/readings/{reading.pk}/" in page
        assert f"{values['extent_percent']:,.2f} %" in page
        assert f"{values['weight_g']:,.1f} g" in page
    assert page.count("<circle") == 4  # two charts of two signed scans
    # Weight does not stand there without what biases it.
    assert page.count("Contrast medium was given") == 3


def test_scan_page_leads_to_the_prior_and_the_follow_up(place, story):
    _, cases, _, _ = story
    first, second, third = (f"/scans/{case.scan_id}/" for case in cases)
    page = page_of(place.reader, second)
    assert f'rel="prev" href="{first}">Prior 2019-03-01' in page
    assert f'rel="next" href="{third}">Follow-up 2019-05-30' in page
    assert "3 scans of this patient" in page
    assert 'rel="prev"' not in page_of(place.reader, first)
    assert 'rel="next"' not in page_of(place.reader, third)
    Study.objects.update(shifted_date=None)
    undated = page_of(place.reader, second)
    assert 'rel="prev"' not in undated
    assert 'rel="next"' not in undated


def test_blinded_reader_sees_nothing_of_the_others_extent_over_time(place, story):
    address, _, signed, numbers = story
    page = page_of(place.other_reader, address)
    assert "14 days later" in page  # the scans are theirs to see
    assert str(place.reader) not in page
    assert "<circle" not in page
    assert "Over time" not in page
    assert "signed" not in page
    for reading, values in zip(signed, numbers, strict=True):
        assert str(reading.pk) not in page
        assert f"{values['extent_percent']:,.2f}" not in page
        assert f"{values['weight_g']:,.1f}" not in page


def test_blinded_readers_pages_are_the_same_before_and_after_another_signs(place, tmp_path, run_jobs):
    """Byte for byte: no count, no button, no sentence tells that another reading exists."""
    cases = follow_ups(place, tmp_path)
    client = client_of(place.other_reader)
    pseudonym = Patient.objects.get().pseudonym
    addresses = [
        "/scans/",
        f"/scans/{cases[0].scan_id}/",
        f"/patients/{pseudonym}/",
        f"/scans/{cases[0].scan_id}/delete/",
    ]

    def pages() -> list[str]:
        """The pages as they are, but for the token that each form gets anew."""
        found = [client.get(address).content.decode() for address in addresses]
        return [re.sub(r'csrfmiddlewaretoken" value="\w+"', "", page) for page in found]

    run_jobs()
    before = pages()
    reading = read_and_sign(cases[0], place.reader, letter_f(place.volume.shape_zyx))
    measured(reading.signature.version)
    run_jobs()  # what is made from a signed mask is made, and stored with the scan
    assert DerivedObject.objects.filter(series__scan=cases[0].scan).exists()
    assert pages() == before
    assert client_of(place.coordinator).get(addresses[1]).content.decode().count(str(reading.pk)) == 1


def test_coordinator_sees_every_readers_numbers(place, story):
    address, _, _, numbers = story
    page = page_of(place.coordinator, address)
    assert str(place.reader) in page
    assert f"{numbers[0]['extent_percent']:,.2f} %" in page


def test_patient_of_whom_nothing_may_be_seen_is_not_there(place, tmp_path):
    address = f"/patients/{place.case.scan.study.patient.pseudonym}/"
    assert client_of(place.outsider).get(address).status_code == 404
    assert client_of(place.reader).get("/patients/GG-NOBODY/").status_code == 404
    loose, _, _ = a_filed_scan(tmp_path, seed=8)
    assert client_of(place.reader).get(f"/patients/{loose.study.patient.pseudonym}/").status_code == 404


def test_patient_page_leaves_out_scans_of_campaigns_that_one_is_not_in(place, story, tmp_path):
    address, cases, _, _ = story
    hidden, _, _ = a_filed_scan(tmp_path, seed=12)
    Study.objects.filter(pk=hidden.study_id).update(
        patient=Patient.objects.get(pseudonym=cases[0].scan.study.patient.pseudonym)
    )
    add_case(campaign=a_campaign("elsewhere"), scan=hidden, by=SYSTEM)
    page = page_of(place.reader, address)
    assert str(hidden.pk) not in page
    assert "3 scans, in order" in page


def test_deletion_asks_for_the_pseudonym_and_a_reason(place, address):
    client, pseudonym = client_of(place.coordinator), place.case.scan.study.patient.pseudonym
    page = client.get(f"{address}delete/").content.decode()
    assert f"Type {pseudonym} to confirm." in page
    assert "14 slices" in page
    assert "1 AI draft and 0 unsigned readings" in page
    for form, said in (
        ({"reason": "Consent was withdrawn.", "pseudonym": "GG-OTHER"}, "That is not the pseudonym"),
        ({"reason": "x", "pseudonym": pseudonym}, "Say why the scan is deleted"),
        ({"reason": "", "pseudonym": pseudonym}, "This field is required"),
    ):
        answer = client.post(f"{address}delete/", form)
        assert answer.status_code == 400
        assert said in answer.content.decode()
        assert Scan.objects.exists()
    answer = client.post(
        f"{address}delete/", {"reason": "Consent was withdrawn.", "pseudonym": pseudonym.lower()}, follow=True
    )
    assert f"The scan of {pseudonym} is deleted" in answer.content.decode()
    assert not Scan.objects.exists()


def test_deletion_says_what_needs_the_scan(place, address):
    read_and_sign(place.case, place.reader, letter_f(place.volume.shape_zyx))
    client = client_of(place.coordinator)
    assert "A signed reading needs it (case 1 of Covid)" in client.get(address).content.decode()
    form = {"reason": "Consent was withdrawn.", "pseudonym": place.case.scan.study.patient.pseudonym}
    answer = client.post(f"{address}delete/", form)
    assert answer.status_code == 403
    assert "A signed reading needs it" in answer.content.decode()
    assert client_of(place.reader).post(f"{address}delete/", form).status_code == 403
    assert Scan.objects.exists()


def test_counts_of_what_is_lost_are_hidden_from_a_blinded_administrator(place, address):
    start_reading(case=place.case, by=place.reader)
    place.other_reader.is_superuser = True
    place.other_reader.save()
    page = page_of(place.other_reader, f"{address}delete/")
    assert "unsigned reading" in page
    assert "1 unsigned reading" not in page
    assert "1 unsigned reading" in page_of(place.coordinator, f"{address}delete/")


def test_deleted_scan_says_who_deleted_it_to_those_who_knew_it(place, address):
    pictures = [f"{address}pictures/{p.sha256}.webp" for p in place.case.scan.pictures.all()]
    delete_scan(scan=place.case.scan, reason="Consent was withdrawn.", by=place.coordinator)
    for person in (place.reader, place.coordinator):
        for url in (address, f"{address}delete/"):
            answer = client_of(person).get(url)
            assert answer.status_code == 410
            assert "Consent was withdrawn." in answer.content.decode()
        assert {client_of(person).get(url).status_code for url in pictures} == {404}
    assert client_of(place.outsider).get(address).status_code == 404
    assert client_of(place.reader).get(f"/patients/{place.case.scan.study.patient.pseudonym}/").status_code == 404


def test_site_is_named_on_the_page_by_a_coordinator(place, address):
    assert 'name="site"' not in page_of(place.reader, address)
    said = client_of(place.reader).post(address, {"site": "Mine"}, follow=True).content.decode()
    assert "Only a coordinator of a campaign that holds a scan may name its site." in said
    client_of(place.coordinator).post(address, {"site": "Hospital 03"})
    assert Scan.objects.get().site == "Hospital 03"
    event = Event.objects.get(name="scan.site_named")
    assert event.content["details"] == {"site": "Hospital 03", "before": {str(place.case.scan_id): ""}}


def test_campaigns_own_site_is_given_to_scans_that_come_in_without_one(place, tmp_path):
    client = client_of(place.coordinator)
    said = client.post("/campaigns/covid/site/", {"site": "Hospital 05"}, follow=True).content.decode()
    assert "Scans that come in from now on get the site Hospital 05." in said
    new, _, _ = a_filed_scan(tmp_path, seed=7)
    add_case(campaign=place.campaign, scan=new, by=SYSTEM)
    new.refresh_from_db()
    place.case.scan.refresh_from_db()
    assert (new.site, place.case.scan.site) == ("Hospital 05", "")
    stranger = client_of(place.reader).post("/campaigns/covid/site/", {"site": "Mine"}, follow=True)
    assert "Only a coordinator of this campaign" in stranger.content.decode()


@pytest.mark.parametrize("address", ["/campaigns/covid/cases/1/", "/patients/GG-00003/"])
def test_weight_stands_with_what_biases_it(place, address):
    measured(read_and_sign(place.case, place.reader, letter_f(place.volume.shape_zyx)).signature.version)
    page = page_of(place.reader, address)
    assert "Contrast medium was given" in page
    assert "sharp kernel" in page


def test_viewer_is_told_what_biases_weight(place):
    reading = start_reading(case=place.case, by=place.reader)
    said = client_of(place.reader).get(f"/api/readings/{reading.pk}/").json()
    warnings = {warning["code"]: warning for warning in said["scan"]["warnings"]}
    assert set(warnings) == {"contrast", "sharp_kernel"}
    assert all(w["biases_weight"] and w["short"] and w["why"] for w in warnings.values())
    assert said["timeline"][0]["biased_by"] == ["contrast", "sharp kernel"]


def test_administrator_opens_a_scan_of_no_campaign_of_theirs_and_sees_no_reading(place, address):
    reading = start_reading(case=place.case, by=place.reader)
    root = a_person("root")
    root.is_superuser = True
    root.save()
    page = page_of(root, address)
    assert "In no campaign of yours." in page
    assert str(reading.pk) not in page
    assert Event.objects.filter(name="scan.viewed", chain="site").exists()
    assert client_of(root).get("/campaigns/covid/cases/1/").status_code == 404
