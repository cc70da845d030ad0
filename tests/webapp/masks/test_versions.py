"""Versions never change, and their hash covers voxels, geometry, label set and parent."""

import hashlib
import json

import numpy as np
import pytest
from django.db import transaction
from django.db.utils import DatabaseError

from inference.imaging.masks import read_container
from tests.factories.sites import Tab, a_reading, a_workplace
from webapp.masks.actions import cut_version
from webapp.masks.history import head_state
from webapp.masks.models import LabelSet, SliceBlob, Stroke, Version
from webapp.masks.queries import head_layers, version_layers

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return a_workplace()


def test_reading_begins_as_the_draft_and_owns_its_mask(place):
    reading = a_reading(place)
    layers = head_layers(reading.mask)
    np.testing.assert_array_equal(layers["anatomy"], place.phantom.anatomy)
    np.testing.assert_array_equal(layers["findings"], place.phantom.findings > 0)
    assert reading.mask.forked_from.mask_id != reading.mask_id
    assert reading.mask.forked_from.reason == "draft"


def test_version_keeps_its_voxels_while_the_mask_goes_on(place):
    reading = a_reading(place)
    before = head_layers(reading.mask)["findings"]
    after = before.copy()
    after[2:5, 8:30, 9:33] = 4
    tab = Tab(reading, reading.reader)
    first = cut_version(mask=reading.mask, reason="submit", by=reading.reader)
    tab.send(tab.stroke(before, after))
    second = cut_version(mask=reading.mask, reason="submit", by=reading.reader)
    np.testing.assert_array_equal(version_layers(first)["findings"], before)
    np.testing.assert_array_equal(version_layers(second)["findings"], after)
    assert (second.number, second.parent_id, second.stroke_sequence) == (2, first.pk, 1)


def test_version_hash_is_what_anyone_computes_from_the_voxels(place):
    reading = a_reading(place)
    version = cut_version(mask=reading.mask, reason="submit", by=reading.reader)

    def manifest(layer: np.ndarray) -> str:
        parts = (hashlib.sha256(s.tobytes()).digest() if s.any() else bytes(32) for s in layer)
        return hashlib.sha256(b"".join(parts)).hexdigest()

    layers = version_layers(version)
    content = {
        "format": "groundglass-version-1",
        "geometry": place.case.scan.geometry_sha256,
        "label_set": place.campaign.label_set.sha256,
        "parent": reading.mask.forked_from.sha256,
        "anatomy": manifest(layers["anatomy"]),
        "findings": manifest(layers["findings"]),
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert version.sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_container_holds_the_working_state(place):
    reading = a_reading(place)
    container = read_container(head_state(reading.mask).container())
    layers = head_layers(reading.mask)
    np.testing.assert_array_equal(container.anatomy, layers["anatomy"])
    np.testing.assert_array_equal(container.findings, layers["findings"])


@pytest.mark.parametrize("model", [Version, Stroke, SliceBlob, LabelSet])
@pytest.mark.parametrize("change", ["update", "delete"])
def test_append_only_rows_cannot_be_changed(place, model, change):
    reading = a_reading(place)
    before = head_layers(reading.mask)["findings"]
    after = before.copy()
    after[0, :3, :3] = 2
    tab = Tab(reading, reading.reader)
    tab.send(tab.stroke(before, after))
    row = model.objects.order_by("pk").first()
    field = next(f.column for f in model._meta.concrete_fields if not f.primary_key)
    table, key = model._meta.db_table, model._meta.pk.column
    sql = f"UPDATE {table} SET {field} = {field} WHERE {key} = %s"
    if change == "delete":
        sql = f"DELETE FROM {table} WHERE {key} = %s"
    from django.db import connection

    with pytest.raises(DatabaseError, match=r"append-only|permission denied"), transaction.atomic():
        connection.cursor().execute(sql, [row.pk])
    assert model.objects.filter(pk=row.pk).exists()
