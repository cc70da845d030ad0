"""Readings that begin from the mask of a data set: named as such everywhere, unknown to whoever is blinded to it."""

from dataclasses import replace

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from inference.phantoms import make_phantom
from tests.factories.pairs import lesion_of, write_volumes
from tests.factories.protocol_forms import sent_by
from tests.factories.sites import Tab, a_campaign, a_person, client_of
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused
from webapp.campaigns.actions import set_protocol
from webapp.campaigns.models import Case
from webapp.campaigns.queries import current_protocol
from webapp.masks.models import DataSet, ImportedMask, Version
from webapp.masks.queries import head_layers, imported_version
from webapp.masks.verify import faults
from webapp.readings.actions import sign_reading, start_reading
from webapp.readings.models import Reading
from webapp.readings.queries import imports_shown
from webapp.readings.serialisers import comparable_states, lineage_of
from webapp.readings.standing import settle
from webapp.releases.exports import table_row

pytestmark = pytest.mark.django_db


@pytest.fixture
def place(tmp_path, settings):
    """A campaign with one case whose masks are those of the data set "Shanghai"."""
    settings.GROUNDGLASS_HOME = tmp_path / "home"
    campaign = a_campaign("covid")
    phantom = make_phantom(3, shape_zyx=(14, 48, 64), spacing_zyx_mm=(20.0, 7.0, 6.5))
    folder = write_volumes(tmp_path / "sent", phantom)
    call_command("ingest", str(folder), campaign="covid", data_set="Shanghai", licence="CC0", no_hold=True)
    return campaign, Case.objects.get(), phantom


def begin(campaign, data_set: DataSet | None, by, starts_from: str = "imported_mask"):
    """Let readings begin from a data set's mask."""
    now = current_protocol(campaign)
    stage = replace(now.stage_list[0], starts_from=starts_from, data_set=str(data_set.pk) if data_set else None)
    return set_protocol(
        campaign=campaign,
        stages=[stage],
        terms=now.said,
        statement=now.statement,
        note="",
        known_version=now.version,
        by=by,
    )


def seen_at(client: Client, reading: Reading, **query: str) -> dict:
    """A reading as the viewer gets it."""
    return client.get(f"/api/readings/{reading.pk}/", query).json()


def test_reading_begins_from_the_imported_mask_and_says_so_everywhere(place, run_jobs):
    campaign, case, phantom = place
    clara = a_person("clara", campaign, "coordinator")
    robin = a_person("robin", campaign, "radiologist")
    begin(campaign, DataSet.objects.get(), clara)
    event = Event.objects.filter(name="campaign.protocol_set").latest("id").content["details"]
    assert event["changed"] == ["Stage 1"]
    assert "the imported mask of Shanghai" in event["after"]["Stage 1"]
    reading = start_reading(case=case, by=robin)
    layers = head_layers(reading.mask)
    assert np.array_equal(layers["anatomy"], phantom.anatomy)
    assert np.array_equal(layers["findings"], lesion_of(phantom))
    version = imported_version(ImportedMask.objects.get())
    assert reading.mask.forked_from == version
    started = Event.objects.get(name="reading.started").content["details"]
    assert started["starts_from"] == "imported_mask"
    assert (started["forked_from"], started["forked_from_author"]) == (version.sha256, "Shanghai")

    assert comparable_states(reading, robin)[0] == {
        "state": f"version:{version.pk}",
        "label": "Imported mask, Shanghai",
    }
    assert [(step["who"], step["what"]) for step in lineage_of(reading)] == [
        ("Shanghai", "import"),
        ("Robin", "review"),
    ]
    client = Client()
    client.force_login(robin)
    chapters = client.get(f"/api/readings/{reading.pk}/history/").json()["chapters"]
    assert [(c["who"], c["kind"], c["stage"]) for c in chapters] == [
        ("Shanghai", "import", "imported"),
        ("Robin", "person", "review"),
    ]
    z, y, x = np.argwhere(phantom.findings)[0]
    answer = client.get(f"/api/readings/{reading.pk}/provenance/?layer=findings&i={x}&j={y}&k={z}").json()
    assert [(e["who"], e["kind"], e["what"]) for e in answer["events"]] == [("Shanghai", "import", "imported")]
    assert client.get(f"/api/readings/{reading.pk}/states/version:{version.pk}/mask/").status_code == 200

    after = layers["findings"].copy()
    after[5, 10:14, 10:14] = 2
    tab = Tab(reading, robin)
    tab.send(tab.stroke(layers["findings"], after))
    sign_reading(reading=reading, stroke_sequence=1, statement=reading.protocol.statement, by=robin)
    signed = Reading.objects.get()
    assert signed.signature.version.parent == version
    facts = table_row(signed).facts
    assert (facts["imported_mask"], facts["draft_algorithm"]) == ("Shanghai", "")
    page = client.get(f"/campaigns/covid/cases/{case.number}/").content.decode()
    assert "Imported mask" in page
    assert "began from the imported mask of Shanghai" in page
    assert "By where they lie, 1 is the left lung and 2 the right." in page
    scan_page = client.get(f"/scans/{case.scan_id}/").content.decode()
    assert "Masks that came with it" in scan_page
    assert "CC0" in scan_page
    assert list(faults()) == []


def test_who_is_blinded_to_the_mask_learns_nothing_of_it(place):
    """It may be the reference that readers are compared with."""
    campaign, case, _ = place
    robin = a_person("robin", campaign, "radiologist")
    auditor = a_person("ada", campaign, "auditor")
    clara = a_person("clara", campaign, "coordinator")
    outsider = a_person("olaf")
    begin(campaign, None, clara, "empty")
    reading = start_reading(case=case, by=robin)
    assert reading.mask.forked_from is None
    version = imported_version(ImportedMask.objects.get())
    client = Client()
    client.force_login(robin)
    assert imports_shown(robin, case) == imports_shown(outsider, case) == []
    assert client.get(f"/api/readings/{reading.pk}/states/version:{version.pk}/mask/").status_code == 404
    difference = f"/api/readings/{reading.pk}/difference/?a=version:{version.pk}&b=head"
    assert client.get(difference).status_code == 404
    pages = ["/campaigns/covid/", f"/campaigns/covid/cases/{case.number}/", f"/scans/{case.scan_id}/", "/scans/"]
    pages += [f"/patients/{case.scan.study.patient.pseudonym}/", f"/api/readings/{reading.pk}/"]
    for page in pages:
        assert b"Shanghai" not in client.get(page).content, page
    picture = f"/campaigns/covid/cases/{case.number}/picture.png?size=640"
    assert client.get(picture).status_code == 200
    for overseer in (auditor, clara):
        client.force_login(overseer)
        assert [one.data_set.name for one in imports_shown(overseer, case)] == ["Shanghai"]
        labels = [state["label"] for state in seen_at(client, reading)["comparable"]]
        assert "Imported mask, Shanghai" in labels
        assert client.get(difference).status_code == 200
        assert b"Shanghai" in client.get(f"/scans/{case.scan_id}/").content


def test_case_without_the_mask_begins_empty_and_another_data_set_is_not_shown(place):
    campaign, case, _ = place
    clara = a_person("clara", campaign, "coordinator")
    robin = a_person("robin", campaign, "radiologist")
    other = DataSet.objects.create(name="Elsewhere")
    begin(campaign, other, clara)
    assert imports_shown(robin, case) == []
    assert start_reading(case=case, by=robin).mask.forked_from is None


def test_newest_mask_of_the_data_set_counts_for_new_readings_alone(place, tmp_path):
    campaign, case, phantom = place
    clara = a_person("clara", campaign, "coordinator")
    begin(campaign, DataSet.objects.get(), clara)
    first = start_reading(case=case, by=a_person("robin", campaign, "radiologist"))
    Reading.objects.filter(pk=first.pk).update(state=Reading.SUPERSEDED)
    settle(case)
    changed = phantom.findings.copy()
    changed[3, 3:6, 3:6] = 1
    folder = write_volumes(tmp_path / "again", phantom)
    from tests.factories.volume_files import write

    array = (changed > 0).astype(np.uint8).transpose(2, 1, 0)
    write(folder / "case01_lesion.nii.gz", array, phantom.volume.affine_lps)
    call_command("ingest", str(folder), campaign="covid", data_set="Shanghai", no_hold=True)
    second = start_reading(case=case, by=a_person("amara", campaign, "radiologist"))
    assert np.array_equal(head_layers(second.mask)["findings"], (changed > 0).astype(np.uint8))
    assert np.array_equal(head_layers(first.mask)["findings"], lesion_of(phantom))
    assert Version.objects.filter(reason="import").count() == 2


def test_start_is_said_in_the_protocols_editor_and_told_on_the_campaigns_page(place):
    campaign, _, _ = place
    clara = a_person("clara", campaign, "coordinator")
    data_set = DataSet.objects.get()
    client = client_of(clara)
    page = client.get("/campaigns/covid/").content.decode()
    assert "New readings begin from the AI draft." in page
    address = reverse("pages:protocol", args=["covid"])
    assert address in page
    now = current_protocol(campaign)
    form = client.get(address).context["protocol"]
    assert (f"imported_mask:{data_set.pk}", "the imported mask of Shanghai") in form.stages[0].fields[
        "starts_from"
    ].choices
    sent = {**sent_by(form), "known_version": now.version, "stage-0-starts_from": f"imported_mask:{data_set.pk}"}
    assert client.post(address, sent).status_code == 302
    stage = current_protocol(campaign).stages[0]
    assert (stage["starts_from"], stage["data_set"]) == ("imported_mask", str(data_set.pk))
    assert "New readings begin from the imported mask of Shanghai." in client.get("/campaigns/covid/").content.decode()
    # Another data set than there is, and another protocol than was seen, change nothing.
    for change in (
        {"known_version": 2, "stage-0-starts_from": "imported_mask:nonsense"},
        {"stage-0-starts_from": "empty"},
    ):
        assert client.post(address, {**sent, **change}).status_code in (400, 409)
    assert current_protocol(campaign).version == 2


def test_editor_keeps_a_data_set_of_which_no_case_has_a_mask_yet(place):
    campaign, _, _ = place
    clara = a_person("clara", campaign, "coordinator")
    other = DataSet.objects.create(name="Elsewhere")
    begin(campaign, other, clara)
    client = client_of(clara)
    form = client.get(reverse("pages:protocol", args=["covid"])).context["protocol"]
    assert form.stages[0]["starts_from"].value() == f"imported_mask:{other.pk}"
    assert f"imported_mask:{other.pk}" in dict(form.stages[0].fields["starts_from"].choices)


@pytest.mark.parametrize(
    ("starts_from", "named", "code"),
    [("imported_mask", False, "malformed"), ("empty", True, "malformed"), ("else", False, "malformed")],
)
def test_start_that_says_nothing_is_refused(place, starts_from, named, code):
    campaign, _, _ = place
    clara = a_person("clara", campaign, "coordinator")
    with pytest.raises(ActionRefused) as refused:
        begin(campaign, DataSet.objects.get() if named else None, clara, starts_from)
    assert refused.value.code == code
    assert current_protocol(campaign).version == 1


def test_deleting_the_scan_counts_its_imported_masks(place):
    campaign, case, _ = place
    client = Client()
    client.force_login(a_person("clara", campaign, "coordinator"))
    assert b"1 imported mask<" in client.get(f"/scans/{case.scan_id}/delete/").content


def test_import_works_in_the_sites_own_role_and_cannot_be_changed(place, site_role, tmp_path):
    from django.db import connection, transaction
    from django.db.utils import DatabaseError

    _, _, phantom = place
    folder = write_volumes(tmp_path / "more", phantom)
    with site_role():
        call_command("ingest", str(folder), campaign="covid", data_set="Another", no_hold=True)
        assert ImportedMask.objects.count() == 2
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE masks_importedmask SET notes = '[]'")
