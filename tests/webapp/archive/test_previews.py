"""Previews of scans: made with the scan, or by a worker for a scan that has none."""

from pathlib import Path

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.test import Client

from inference.imaging.preview import encoded_preview
from inference.imaging.slabs import decode_slab
from tests.factories.filed import a_filed_place
from webapp.archive.models import Preview
from webapp.archive.queries import preview_bytes
from webapp.archive.tasks import make_preview
from webapp.archive.upkeep import damaged_files
from webapp.readings.actions import start_reading

pytestmark = pytest.mark.django_db


@pytest.fixture
def place(tmp_path):
    return a_filed_place(tmp_path)


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def described(place) -> dict | None:
    reading = place.case.readings.first() or start_reading(case=place.case, by=place.reader)
    return client_of(place.reader).get(f"/api/readings/{reading.pk}/").json()["preview"]


def test_viewer_is_told_of_the_preview_and_gets_it(place):
    said = described(place)
    content, small = encoded_preview(place.volume)
    assert said["shape_zyx"] == list(small.shape_zyx)
    np.testing.assert_allclose(said["affine_lps"], small.affine_lps)
    answer = client_of(place.reader).get(said["url"], headers={"Accept-Encoding": "zstd"})
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    assert len(answer.content) == said["bytes"] == len(content)
    np.testing.assert_array_equal(decode_slab(answer.content, tuple(said["shape_zyx"])), small.hu)


def test_right_to_a_preview_is_the_cases(place):
    url = described(place)["url"]
    for member in (place.reader, place.other_reader, place.coordinator):
        assert client_of(member).get(url).status_code == 200
    assert client_of(place.outsider).get(url).status_code == 404
    assert Client().get(url).status_code == 401
    assert client_of(place.reader).get(f"/api/cases/{place.case.pk}/preview/{'0' * 64}/").status_code == 404


def test_scan_without_one_gets_it_from_a_worker_once(place, run_jobs):
    first = Preview.objects.get()
    Path(default_storage.path(first.path)).unlink()
    Preview.objects.all().delete()
    assert described(place) is None
    assert "archive.make_preview" in run_jobs()
    assert described(place)["url"].endswith(f"/{first.sha256}/")
    assert preview_bytes(Preview.objects.get())
    make_preview(str(place.case.scan_id))
    assert Preview.objects.count() == 1
    assert "archive.make_preview" not in run_jobs()


def test_damaged_scan_gets_no_preview_and_no_noise_of_retries(place, caplog):
    Preview.objects.all().delete()
    Path(default_storage.path(place.case.scan.slabs[0]["path"])).unlink()
    make_preview(str(place.case.scan_id))
    assert not Preview.objects.exists()
    assert str(place.case.scan_id) in caplog.text


def test_damaged_preview_is_noticed_and_never_shown(place):
    url = described(place)["url"]
    preview = Preview.objects.get()
    path = Path(default_storage.path(preview.path))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    answer = client_of(place.reader).get(url)
    assert (answer.status_code, answer.json()["error"]) == (500, "damaged")
    assert any(preview.path in sentence for sentence in damaged_files())
