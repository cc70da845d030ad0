"""What a sender says beside the files: the site of the scans, the data set of the masks, what a picture is."""

import numpy as np
import pytest
from django.test import Client

from inference.phantoms import make_phantom
from tests.factories.pairs import the_import, write_volumes
from tests.factories.sites import a_person
from webapp.archive.models import Scan
from webapp.audit.models import Event
from webapp.intake.models import Batch, SeriesLine
from webapp.intake.receiving import Said
from webapp.intake.watching import Watch
from webapp.masks.imports import name_data_set
from webapp.masks.models import DataSet

pytestmark = pytest.mark.django_db
SAID = {"campaign": "covid", "site": " Porto\n Alegre ", "data_set": "Shanghai  2020", "licence": "CC BY 4.0"}


@pytest.fixture
def clara(campaign):
    return a_person("clara", campaign, "coordinator")


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def opened(client: Client, **said: object):
    return client.post("/intake/batches/", said, content_type="application/json")


def test_upload_with_site_and_data_set(clara, tmp_path, run_jobs):
    client = signed_in(clara)
    phantom = make_phantom(3, shape_zyx=(14, 48, 64), spacing_zyx_mm=(20.0, 7.0, 6.5))
    batch = opened(client, **SAID).json()
    assert (batch["site"], batch["data_set"], batch["single_pictures"]) == ("Porto Alegre", "Shanghai 2020", False)
    for path in write_volumes(tmp_path / "sent", phantom).iterdir():
        content = path.read_bytes()
        headers = {"X-File-Name": f"case/{path.name}", "X-File-Size": str(len(content))}
        client.post(batch["files_url"], content, content_type="application/octet-stream", headers=headers)
    client.post(batch["finish_url"])
    run_jobs()
    imported, layers = the_import()
    assert np.array_equal(layers["anatomy"], phantom.anatomy)
    assert (imported.data_set.name, imported.data_set.licence) == ("Shanghai 2020", "CC BY 4.0")
    assert imported.imported_by_name == "Clara"
    assert Scan.objects.get().site == "Porto Alegre"
    details = Event.objects.get(name="batch.opened").content["details"]
    assert (details["site"], details["data_set"]) == ("Porto Alegre", "Shanghai 2020")
    assert Event.objects.get(name="data_set.named").actor_id == clara.actor.identifier
    page = client.get(f"/intake/batches/{batch['id']}/").content.decode()
    assert "masks of Shanghai 2020 (CC BY 4.0)" in page
    assert "site Porto Alegre" in page
    assert '<option value="Shanghai 2020">' in client.get("/intake/").content.decode()


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"campaign": "covid", "site": "x" * 61}, 400, "malformed"),
        ({"campaign": "covid", "data_set": "x" * 121}, 400, "malformed"),
        ({"site": "Porto"}, 400, "no_campaign"),
        ({"campaign": "covid", "data_set": "Known", "licence": "CC BY"}, 409, "data_set_differs"),
    ],
)
def test_what_cannot_be_kept_opens_nothing(clara, said, status, code):
    name_data_set(name="Known", licence="CC0", by=clara)
    answer = opened(signed_in(clara), **said)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert Batch.objects.count() == 0
    assert list(DataSet.objects.values_list("name", "licence")) == [("Known", "CC0")]


def test_who_may_not_send_names_no_data_set(campaign):
    answer = opened(signed_in(a_person("robin", campaign, "radiologist")), **SAID)
    assert answer.status_code == 403
    assert DataSet.objects.count() == 0
    assert opened(signed_in(a_person("olaf")), **SAID).status_code == 404


def test_hostile_names_are_one_line_and_escaped(clara):
    client = signed_in(clara)
    name = "<script>alert(1)</script>\x00\u202e\n end"
    batch = opened(client, campaign="covid", data_set=name.replace("\x00", ""), site="<b>").json()
    assert DataSet.objects.get().name == "<script>alert(1)</script> end"
    for page in (f"/intake/batches/{batch['id']}/", "/intake/"):
        content = client.get(page).content.decode()
        assert "<script>alert" not in content
        assert "<b>" not in content


def test_site_of_the_sender_comes_before_the_campaigns(clara, campaign, tmp_path, series, ingest):
    campaign.default_site = "Home"
    campaign.save()
    ingest(series()[0].parent)
    assert Scan.objects.get().site == "Home"
    folder = tmp_path / "inbox"
    (folder / "one").mkdir(parents=True)
    for path in (tmp_path / "sent" / "series").iterdir():
        (folder / "one" / path.name).write_bytes(path.read_bytes())
    watch = Watch(
        folder, campaign, 1, lambda line: None, Said(site="Elsewhere", data_set=name_data_set(name="A", by=clara))
    )
    watch.look(0)
    assert watch.look(2) == 1
    from webapp.intake.tasks import process_batch

    batch = Batch.objects.get(source="watch")
    process_batch(str(batch.pk))
    assert (batch.site, batch.data_set.name) == ("Elsewhere", "A")
    assert SeriesLine.objects.filter(batch=batch, state="accepted").count() == 1
    assert Scan.objects.get().site == "Elsewhere"
    assert Event.objects.filter(name="scan.site_named").count() == 1
