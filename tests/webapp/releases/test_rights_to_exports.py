"""Who may take what away, and that each taking is written down."""

import pytest

from tests.factories.filed import letter_f, read_and_sign
from tests.factories.sites import restage
from tests.webapp.releases.conftest import body_of, client_of, unzipped
from webapp.audit.models import Event

CASE = ("nifti.zip", "findings.seg.dcm", "anatomy.seg.dcm", "report.sr.dcm", "measurements.csv")
CAMPAIGN = ("nifti.zip", "seg.zip", "measurements.csv")
URLS = [f"/campaigns/covid/cases/1/exports/{name}" for name in CASE] + [
    f"/campaigns/covid/exports/{name}" for name in CAMPAIGN
]


@pytest.mark.parametrize("url", URLS)
def test_outsider_gets_404_and_anonymous_is_sent_to_sign_in(place, signed, url, client):
    assert client_of(place.outsider).get(url).status_code == 404
    response = client.get(url)
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in/")
    assert not Event.objects.filter(name="export.downloaded").exists()


@pytest.mark.parametrize("url", URLS)
def test_reader_does_not_get_another_readers_export(place, signed, url):
    response = client_of(place.other_reader).get(url)
    assert response.status_code == 409
    assert "Nothing to take away yet" in response.content.decode()
    assert client_of(place.other_reader).get(f"{url}?reading={signed.pk}").status_code in (404, 409)


@pytest.mark.parametrize("url", URLS)
def test_each_download_is_in_the_campaigns_trail_with_its_versions(place, signed, url):
    response = client_of(place.reader).get(url)
    assert response.status_code == 200
    event = Event.objects.get(name="export.downloaded")
    assert event.chain == f"campaign:{place.campaign.pk}"
    assert event.actor_id == str(place.reader.pk)
    details = event.content["details"]
    assert details["versions"] == [signed.signature.version_sha256]
    assert details["sha256"] == response["X-Content-SHA256"]
    assert details["size_bytes"] == len(body_of(response))


def test_reading_of_another_case_or_nonsense_is_not_found(place, signed):
    client = client_of(place.reader)
    for asked in ("nonsense", "00000000-0000-0000-0000-000000000000"):
        assert client.get(f"/campaigns/covid/cases/1/exports/nifti.zip?reading={asked}").status_code == 404


def test_unsigned_reading_is_not_exported(place):
    from webapp.readings.actions import start_reading

    start_reading(case=place.case, by=place.reader)
    for url in URLS:
        assert client_of(place.reader).get(url).status_code == 409


def test_campaign_bundle_has_a_folder_for_each_reading(place):
    restage(place.campaign, readers=2)
    first = read_and_sign(place.case, place.reader, letter_f(place.volume.shape_zyx))
    second = read_and_sign(place.case, place.other_reader, letter_f(place.volume.shape_zyx) * 0)
    members = unzipped(body_of(client_of(place.coordinator).get("/campaigns/covid/exports/nifti.zip")))
    folders = [f"case-0001/review-covid_reader-{first.pk.hex[:8]}", f"case-0001/review-covid_other-{second.pk.hex[:8]}"]
    assert set(members) == {"README.txt", "measurements.csv", "case-0001/image.nii.gz"} | {
        f"{folder}/{name}.nii.gz" for folder in folders for name in ("lung", "lesion", "findings")
    }
    mine = unzipped(body_of(client_of(place.reader).get("/campaigns/covid/exports/nifti.zip")))
    assert not any(second.pk.hex[:8] in name for name in mine)
    assert second.signature.version_sha256 not in mine["README.txt"].decode()
    assert members["measurements.csv"].count(b"\r\n") == 3


def test_damaged_archive_refuses_with_a_sentence_and_exports_nothing(place, signed):
    from django.core.files.storage import default_storage

    path = default_storage.path(place.case.scan.slabs[0]["path"])
    with open(path, "r+b") as file:
        file.write(b"damage")
    response = client_of(place.reader).get(URLS[0])
    assert response.status_code == 409
    assert "missing or damaged" in response.content.decode()
    assert not Event.objects.filter(name="export.downloaded").exists()
