"""Blinding to metadata: no page, list, export or DICOM answer tells a reader age, sex, site or scanner."""

import io

import numpy as np
import pytest
from django.utils import timezone
from pypdf import PdfReader

from tests.factories.filed import a_filed_place, read_and_sign
from webapp.archive.models import Scan
from webapp.campaigns.models import Membership

pytestmark = pytest.mark.django_db
SECRETS = {
    "site": "Wuhan Union",
    "manufacturer": "KRAKENMED",
    "model_name": "Octopus 64",
    "kernel": "Zq70f",
    "description": "Octopus thorax",
}


@pytest.fixture
def place(tmp_path, run_jobs):
    place = a_filed_place(tmp_path)
    findings = np.zeros(place.volume.shape_zyx, np.uint8)
    findings[3:6, 10:20, 10:20] = 1
    read_and_sign(place.case, place.reader, findings)
    run_jobs()
    warnings = [{"code": "sharp_kernel", "sentence": "Reconstructed with a sharp kernel (Zq70f)."}]
    Scan.objects.filter(pk=place.case.scan_id).update(**SECRETS, sex="F", patient_age_years=73, warnings=warnings)
    return place


# DICOM carries the metadata, in answers to searches too.
CARRIERS = ("SEG", "SR", "instances", "studies", "series", "metadata")


def hide(place) -> None:
    protocol = place.campaign.protocols.order_by("-version")[0]
    place.campaign.protocols.filter(pk=protocol.pk).update(terms={**protocol.terms, "hides_metadata": True})


def pages(place) -> dict[str, str]:
    case, scan = place.case, place.case.scan
    campaign = f"/campaigns/{place.campaign.slug}/"
    reading = place.case.readings.get()
    return {
        "worklist": campaign,
        "home": "/",
        "case": f"{campaign}cases/{case.number}/",
        "scan": f"/scans/{scan.pk}/",
        "scans": "/scans/",
        "found by site": "/scans/?q=Wuhan",
        "patient": f"/patients/{scan.study.patient.pseudonym}/",
        "viewer": f"/readings/{reading.pk}/",
        "viewer data": f"/api/readings/{reading.pk}/",
        "measurements": f"{campaign}cases/{case.number}/exports/measurements.csv",
        "all measurements": f"{campaign}exports/measurements.csv",
        "studies": f"/dicomweb/{place.campaign.slug}/studies?includefield=all",
        "series": f"/dicomweb/{place.campaign.slug}/series?includefield=all",
        "metadata": f"/dicomweb/{place.campaign.slug}/studies/{scan.study.uid}/metadata",
        "instances": f"/dicomweb/{place.campaign.slug}/studies/{scan.study.uid}",
        "report": f"{campaign}cases/{case.number}/report.pdf",
        "SEG": f"{campaign}cases/{case.number}/exports/findings.seg.dcm",
        "SR": f"{campaign}cases/{case.number}/exports/report.sr.dcm",
    }


def told(client, person, place) -> set[str]:
    """The addresses that tell a person something of the metadata."""
    client.force_login(person)
    found = set()
    for name, address in pages(place).items():
        answer = client.get(address)
        content = b"" if answer.streaming else answer.content
        text = content.decode("utf-8", "replace")
        words = ["Wuhan Union", "KRAKENMED", "Octopus", "Zq70f", "73 years", ">73<", "female"]
        if content.startswith(b"%PDF"):
            text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
        if any(word in text for word in words) or (name in CARRIERS and answer.status_code == 200):
            found.add(name)
    return found


def test_reader_is_told_nothing_of_what_the_campaign_hides(client, place):
    open_ones = told(client, place.reader, place)
    assert {"case", "scan", "scans", "patient", "measurements", "studies", "series", "SEG", "SR"} <= open_ones
    hide(place)
    assert told(client, place.reader, place) == set()
    assert told(client, place.other_reader, place) == set()
    # Who coordinates sees it, unless they read as well.
    assert {"case", "scan", "scans", "patient", "studies"} <= told(client, place.coordinator, place)
    Membership.objects.create(campaign=place.campaign, user=place.coordinator, role="radiologist")
    assert told(client, place.coordinator, place) == set()
    Scan.objects.get(pk=place.case.scan_id, **SECRETS, sex="F", patient_age_years=73)


def test_what_biases_weight_is_said_all_the_same_and_ends_with_the_campaign(client, place):
    hide(place)
    client.force_login(place.reader)
    page = client.get(pages(place)["case"]).content.decode()
    assert "Reconstructed with a sharp kernel (…)." in page
    assert "are hidden from you there" in client.get("/scans/").content.decode()
    place.campaign.closed_at = timezone.now()
    place.campaign.save()
    assert "KRAKENMED" in client.get(pages(place)["case"]).content.decode()
