"""Pixels by case: what comes, how long it may be kept, and who gets it."""

import numpy as np
import pytest
import zstandard
from django.test import Client

from inference.imaging.slabs import decode_slab
from tests.factories.filed import a_filed_place
from tests.factories.sites import a_person
from webapp.campaigns.models import Membership
from webapp.readings.actions import start_reading

pytestmark = pytest.mark.django_db


@pytest.fixture
def place(tmp_path):
    return a_filed_place(tmp_path)


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def slab_url(place, index: int = 0) -> str:
    return f"/api/cases/{place.case.pk}/slabs/{index}/{place.case.scan.slabs[index]['sha256']}/"


def test_slabs_hold_the_volume_and_may_be_kept_for_ever(place):
    client = client_of(place.reader)
    nz, ny, nx = place.volume.shape_zyx
    found = np.empty((nz, ny, nx), np.int16)
    for index, slab in enumerate(place.case.scan.slabs):
        answer = client.get(slab_url(place, index), headers={"Accept-Encoding": "gzip, zstd"})
        assert answer["Content-Encoding"] == "zstd"
        assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
        start, count = slab["z_start"], slab["z_count"]
        found[start : start + count] = decode_slab(answer.content, (count, ny, nx))
    np.testing.assert_array_equal(found, place.volume.hu)


def test_browser_without_zstd_gets_the_same_voxels(place):
    answer = client_of(place.reader).get(slab_url(place))
    assert "Content-Encoding" not in answer
    framed = zstandard.ZstdCompressor().compress(answer.content)
    slab = place.case.scan.slabs[0]
    voxels = decode_slab(framed, (slab["z_count"], *place.volume.shape_zyx[1:]))
    np.testing.assert_array_equal(voxels, place.volume.hu[: slab["z_count"]])


def test_right_to_a_slab_is_the_campaigns_and_is_asked_each_time(place):
    url = slab_url(place)
    for member in (place.reader, place.other_reader, place.coordinator):
        assert client_of(member).get(url).status_code == 200
    stranger = a_person("of-another-campaign")
    for outsider in (place.outsider, stranger):
        assert client_of(outsider).get(url).status_code == 404
    assert Client().get(url).status_code == 401
    leaver = client_of(place.reader)
    assert leaver.get(url).status_code == 200
    Membership.objects.filter(user=place.reader).delete()
    assert leaver.get(url).status_code == 404


def test_hash_must_be_the_slabs(place):
    client = client_of(place.reader)
    assert client.get(f"/api/cases/{place.case.pk}/slabs/0/{'0' * 64}/").status_code == 404
    assert client.get(f"/api/cases/{place.case.pk}/slabs/99/{place.case.scan.slabs[0]['sha256']}/").status_code == 404


def test_reading_names_its_slabs_by_case(place):
    reading = start_reading(case=place.case, by=place.reader)
    said = client_of(place.reader).get(f"/api/readings/{reading.pk}/").json()
    assert [slab["url"] for slab in said["scan"]["slabs"]] == [
        slab_url(place, index) for index in range(len(place.case.scan.slabs))
    ]
