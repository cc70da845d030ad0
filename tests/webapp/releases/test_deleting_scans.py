"""A scan is deleted with a reason, by whoever may, unless something signed needs it; a tombstone stays."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client

from tests.factories.filed import a_filed_place, a_filed_scan, draft_case, letter_f, read_and_sign
from tests.factories.sites import Tab, a_campaign, a_person
from webapp.algorithms.actions import finish_draft, request_draft, start_draft
from webapp.algorithms.models import DraftRun
from webapp.archive import storage
from webapp.archive.models import Instance, Picture, Preview, Scan
from webapp.audit.actor import SYSTEM
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused
from webapp.campaigns.actions import add_case, add_member
from webapp.campaigns.models import Case
from webapp.masks.models import HeadSlice, Stroke, Version
from webapp.masks.queries import head_layers
from webapp.readings.actions import sign_reading, start_reading
from webapp.readings.models import Reading
from webapp.releases.actions import delete_scan
from webapp.releases.rules import may_delete_scan

pytestmark = pytest.mark.django_db
REASON = "Consent was withdrawn."


@pytest.fixture
def place(tmp_path):
    return a_filed_place(tmp_path)


def folder_of(scan: Scan) -> Path:
    return Path(default_storage.path(storage.scan_folder(scan.pk)))


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def painted(place) -> Reading:
    """An open reading with one stroke."""
    reading = start_reading(case=place.case, by=place.reader)
    tab = Tab(reading, place.reader)
    tab.send(tab.stroke(*_one_voxel(reading)))
    return reading


def _one_voxel(reading: Reading):
    before = head_layers(reading.mask)["findings"]
    after = before.copy()
    after[5, 5, 5] = 0 if after[5, 5, 5] else 1
    return before, after


def test_pixels_go_and_records_stay(place, run_jobs, site_role):
    scan, reading = place.case.scan, painted(place)
    strokes, versions = Stroke.objects.count(), Version.objects.count()
    assert strokes == 1
    assert HeadSlice.objects.exists()
    with site_role():  # the running site's own rights are enough, and append-only tables are not touched
        delete_scan(scan=scan, reason=f"  {REASON}\n", by=place.coordinator)
    assert folder_of(scan).exists()  # files go after the commit, by a job
    assert "archive.remove_files" in run_jobs()
    assert not folder_of(scan).exists()
    assert not any(model.objects.exists() for model in (Instance, Preview, Picture, HeadSlice))
    assert (Stroke.objects.count(), Version.objects.count()) == (strokes, versions)
    tombstone = Scan.ever.get()
    assert (tombstone.deletion_reason, tombstone.deleted_by_name) == (REASON, str(place.coordinator))
    assert tombstone.voxels_sha256 == scan.voxels_sha256
    assert not Scan.objects.exists()
    assert not Case.objects.exists()
    assert Reading.objects.get(pk=reading.pk)


def test_deletion_is_in_the_trail_of_the_site_and_of_each_campaign(place):
    other = a_campaign("second")
    add_member(campaign=other, user=place.coordinator, role="coordinator", by=SYSTEM)
    add_case(campaign=other, scan=place.case.scan, by=place.coordinator)
    delete_scan(scan=place.case.scan, reason=REASON, by=place.coordinator)
    (filed,) = Event.objects.filter(name="scan.deleted")
    assert (filed.chain, filed.content["details"]["reason"]) == ("site", REASON)
    assert filed.content["actor"]["name"] == str(place.coordinator)
    chains = {event.chain for event in Event.objects.filter(name="case.deleted")}
    assert chains == {f"campaign:{place.campaign.pk}", f"campaign:{other.pk}"}


def test_only_a_coordinator_of_every_campaign_or_an_administrator_may(place):
    scan = place.case.scan
    technician = a_person("tech", place.campaign, "technician")
    auditor = a_person("auditor", place.campaign, "auditor")
    for person in (place.reader, place.outsider, technician, auditor):
        with pytest.raises(ActionRefused) as refused:
            delete_scan(scan=scan, reason=REASON, by=person)
        assert refused.value.code == "not_coordinator"
    second = a_campaign("second")
    add_case(campaign=second, scan=scan, by=SYSTEM)
    assert may_delete_scan(scan, place.coordinator).code == "not_coordinator"
    assert Scan.objects.filter(pk=scan.pk).exists()
    administrator = a_person("root")
    administrator.is_superuser = True
    administrator.save()
    assert may_delete_scan(scan, administrator) is None
    add_member(campaign=second, user=place.coordinator, role="coordinator", by=SYSTEM)
    delete_scan(scan=scan, reason=REASON, by=place.coordinator)


def test_signed_reading_keeps_its_scan_even_when_it_is_superseded(place):
    scan = place.case.scan
    reading = read_and_sign(place.case, place.reader, letter_f(place.volume.shape_zyx))
    for state in (Reading.SIGNED, Reading.SUPERSEDED):
        Reading.objects.filter(pk=reading.pk).update(state=state)
        with pytest.raises(ActionRefused, match=r"A signed reading needs it \(case 1 of Covid\)") as refused:
            delete_scan(scan=scan, reason=REASON, by=place.coordinator)
        assert refused.value.code == "signed"
    assert folder_of(scan).exists()
    assert Scan.objects.get().deleted_at is None


def test_sentence_tells_a_blinded_administrator_no_case(place):
    read_and_sign(place.case, place.reader, letter_f(place.volume.shape_zyx))
    place.other_reader.is_superuser = True
    place.other_reader.save()
    sentence = may_delete_scan(place.case.scan, place.other_reader).sentence
    assert "signed reading" in sentence
    assert "case" not in sentence
    assert str(place.reader) not in sentence


@pytest.mark.parametrize("reason", ["", "   \n ", "x", "\0\0\0\0\0\0"])
def test_reason_must_say_something(place, reason):
    with pytest.raises(ActionRefused) as refused:
        delete_scan(scan=place.case.scan, reason=reason, by=place.coordinator)
    assert refused.value.code == "no_reason"


def test_second_deletion_is_refused(place):
    delete_scan(scan=place.case.scan, reason=REASON, by=place.coordinator)
    with pytest.raises(ActionRefused, match="deleted already"):
        delete_scan(scan=place.case.scan, reason=REASON, by=place.coordinator)


def test_every_address_of_the_scan_is_gone(place):
    scan, case = place.case.scan, place.case
    reading = painted(place)
    slab = scan.slabs[0]
    addresses = [
        f"/campaigns/covid/cases/{case.number}/",
        f"/campaigns/covid/cases/{case.number}/picture.png",
        f"/campaigns/covid/cases/{case.number}/exports/nifti.zip",
        f"/api/cases/{case.pk}/slabs/0/{slab['sha256']}/",
        f"/api/cases/{case.pk}/preview/{scan.preview.sha256}/",
        f"/readings/{reading.pk}/",
        f"/api/readings/{reading.pk}/",
        f"/api/readings/{reading.pk}/mask/",
        f"/api/readings/{reading.pk}/strokes/",
        f"/api/readings/{reading.pk}/history/",
    ]
    people = (place.reader, place.coordinator)
    before = {(a, p.username): client_of(p).get(a).status_code for a in addresses for p in people}
    assert set(before.values()) <= {200, 409}  # nothing is signed yet: no export
    delete_scan(scan=scan, reason=REASON, by=place.coordinator)
    after = {(a, p.username): client_of(p).get(a).status_code for a in addresses for p in people}
    assert set(after.values()) == {404}, after
    worklist = client_of(place.coordinator).get("/campaigns/covid/").content.decode()
    assert scan.study.patient.pseudonym not in worklist
    for person in people:
        assert str(reading.pk) not in client_of(person).get("/").content.decode()


def test_reading_that_is_open_takes_no_stroke_and_no_signature_any_more(place):
    reading = painted(place)
    delete_scan(scan=place.case.scan, reason=REASON, by=place.coordinator)
    url = f"/api/readings/{reading.pk}/strokes/"
    assert client_of(place.reader).post(url, {"strokes": []}, "application/json").status_code == 404
    with pytest.raises(ActionRefused) as refused:
        sign_reading(reading=reading, stroke_sequence=1, statement=reading.protocol.statement, by=place.reader)
    assert refused.value.code == "scan_deleted"
    with pytest.raises(ActionRefused) as refused:
        start_reading(case=place.case, by=place.other_reader)
    assert refused.value.code == "scan_deleted"


def test_draft_under_way_ends_and_its_result_is_not_kept(place):
    scan, campaign = place.case.scan, place.campaign
    DraftRun.objects.update(state=DraftRun.FAILED)
    run = start_draft(
        run=request_draft(
            scan=scan, algorithm=campaign.draft_algorithm, label_set=campaign.label_set, by=place.coordinator
        )
    )
    delete_scan(scan=scan, reason=REASON, by=place.coordinator)
    empty = np.zeros(place.volume.shape_zyx, np.uint8)
    ended = finish_draft(run=run, layers={"anatomy": empty}, duration_s=1, device="cpu", options={})
    assert (ended.state, ended.failure_sentence) == (DraftRun.FAILED, "The scan was deleted.")
    with pytest.raises(ActionRefused, match="nothing to draft"):
        request_draft(scan=scan, algorithm=campaign.draft_algorithm, label_set=campaign.label_set, by=SYSTEM)


def test_same_series_sent_again_is_filed_anew_under_a_new_number(place, tmp_path, run_jobs):
    old = place.case.scan
    delete_scan(scan=old, reason=REASON, by=place.coordinator)
    again, volume, phantom = a_filed_scan(tmp_path)
    run_jobs()
    assert again.pk != old.pk
    assert again.series_uid == old.series_uid
    assert folder_of(again).exists()
    assert not folder_of(old).exists()
    layers = {"anatomy": phantom.anatomy, "findings": (phantom.findings > 0).astype(np.uint8)}
    case = draft_case(place.campaign, again, layers)
    assert case.number == 2
    assert client_of(place.reader).get("/campaigns/covid/cases/2/").status_code == 200
    reading = read_and_sign(case, place.reader, letter_f(volume.shape_zyx))
    assert reading.state == Reading.SIGNED
    assert may_delete_scan(again, place.coordinator).code == "signed"


def test_of_a_signature_and_a_deletion_at_once_one_wins(transactional_db, tmp_path):
    place = a_filed_place(tmp_path)
    reading = start_reading(case=place.case, by=place.reader)

    def sign() -> str:
        try:
            sign_reading(reading=reading, stroke_sequence=0, statement=reading.protocol.statement, by=place.reader)
            return "signed"
        except ActionRefused as refused:
            return refused.code
        finally:
            connection.close()

    def delete() -> str:
        try:
            delete_scan(scan=place.case.scan, reason=REASON, by=place.coordinator)
            return "deleted"
        except ActionRefused as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        outcome = (pool.submit(sign), pool.submit(delete))
        signing, deleting = (future.result() for future in outcome)
    # "signed" is also the code by which the deletion is refused.
    assert (signing, deleting) in (("signed", "signed"), ("scan_deleted", "deleted"))
    assert Scan.objects.exists() == (Reading.objects.get().state == Reading.SIGNED)
