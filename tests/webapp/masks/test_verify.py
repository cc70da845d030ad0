"""What `manage.py masks verify` finds: nothing in an honest store, and every change made behind the triggers."""

import numpy as np
import pytest
from django.core.management import call_command
from django.db import connection

from inference.imaging.masks import encode_slice, slice_sha256
from tests.factories.sites import Tab, a_reading, a_workplace
from webapp.masks import checkpoints
from webapp.masks.actions import cut_version
from webapp.masks.branches import restore_state
from webapp.masks.history import state_at
from webapp.masks.models import HeadSlice, Mask
from webapp.masks.queries import head_layers
from webapp.masks.verify import faults
from webapp.readings.actions import sign_reading

pytestmark = pytest.mark.django_db
TABLES = ("masks_stroke", "masks_version", "masks_checkpoint", "masks_sliceblob", "readings_signature", "audit_event")


@pytest.fixture
def reading(monkeypatch):
    """A signed reading with a long story: strokes of both layers, undo, branch, restore, versions, checkpoints."""
    monkeypatch.setattr(checkpoints, "MOST_COST", 6)
    reading = a_reading(a_workplace())
    tab = Tab(reading, reading.reader)
    states = [head_layers(reading.mask)]

    def paint(layer: str, value: int, *box: slice, **fields):
        new = {name: voxels.copy() for name, voxels in states[-1].items()}
        new[layer][box] = value
        stroke = tab.stroke(states[-1][layer], new[layer], layer=layer, **fields)
        tab.send(stroke)
        states.append(new)
        return stroke

    paint("findings", 2, slice(2, 4), slice(0, 9), slice(0, 9))
    last = paint("anatomy", 0, slice(3, 4), slice(10, 20), slice(10, 20))
    tab.send(tab.stroke(states[-1]["anatomy"], states[-2]["anatomy"], layer="anatomy", tool="undo", undoes=last.id))
    states.append(states[-2])
    cut_version(mask=reading.mask, reason="submit", by=reading.reader)
    late = Tab(reading, reading.reader, take_over=True)
    late.id = tab.id
    paint("findings", 3, slice(5, 6), slice(0, 9), slice(0, 9))
    states.pop()
    tab = Tab(reading, reading.reader, take_over=True)
    paint("findings", 1, slice(6, 8), slice(0, 9), slice(0, 9))
    reading.mask.refresh_from_db()
    past = state_at(reading.mask, 0)
    restore_state(mask=reading.mask, state=past, named="x", tab=tab.id, epoch=tab.epoch, by=reading.reader)
    states.append(states[0])
    paint("findings", 4, slice(1, 2), slice(0, 5), slice(0, 5))
    reading.mask.refresh_from_db()
    sign_reading(
        reading=reading,
        stroke_sequence=reading.mask.stroke_sequence,
        statement=reading.protocol.statement,
        by=reading.reader,
    )
    return reading


def found(mask=None) -> list[str]:
    return list(faults(mask))


def tamper(sql: str, *values) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what the test wrote is checked now, not in the middle
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(sql, values)
        assert cursor.rowcount >= 1, "nothing was changed: the test has shown nothing"
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def test_honest_store_has_no_faults(reading, capsys):
    assert [s.applied for s in reading.mask.strokes.order_by("stroke_sequence")].count(False) == 1
    assert reading.mask.checkpoints.count() >= 3
    assert found() == []
    call_command("masks", "verify")
    assert "2 masks, 0 faults." in capsys.readouterr().out


MINE = "mask_id = %s AND stroke_sequence = "


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        (f"UPDATE masks_stroke SET tool = 'eraser' WHERE {MINE} 1", "stroke 1 is not what was hashed"),
        (f"UPDATE masks_stroke SET applied = true, branch_reason = '' WHERE {MINE} 4", "stroke 4 is not what"),
        (f"UPDATE masks_stroke SET prev_hash = repeat('0', 64) WHERE {MINE} 2", "stroke 2 does not follow"),
        (f"UPDATE masks_stroke SET z_last = z_last + 1 WHERE {MINE} 1", "lies on other slices"),
        (f"UPDATE masks_stroke SET stroke_sequence = 90 WHERE {MINE} 2", "strokes are missing"),
        (
            "UPDATE masks_stroke s SET payload = o.payload FROM masks_stroke o"
            " WHERE s.mask_id = %s AND s.stroke_sequence = 1 AND o.mask_id = s.mask_id AND o.stroke_sequence = 5",
            "stroke 1: its voxels are not those that were hashed",
        ),
        (f"UPDATE masks_stroke SET payload = 'x' WHERE {MINE} 1", "stroke 1 cannot be read"),
        ("UPDATE masks_mask SET stroke_sequence = 2 WHERE id = %s", "its log ends with stroke"),
        ("DELETE FROM masks_headslice WHERE mask_id = %s AND layer = 'findings' AND z = 1", "slice 2 of findings"),
        ("UPDATE masks_headslice SET z = 11 WHERE mask_id = %s AND layer = 'findings' AND z = 1", "slice 12 of find"),
        ("UPDATE masks_headslice SET data = 'x' WHERE mask_id = %s AND layer = 'anatomy' AND z = 3", "cannot be read"),
        ("UPDATE masks_version SET sha256 = repeat('1', 64) WHERE mask_id = %s AND number = 1", "its hash is not"),
        (
            "UPDATE masks_version v SET findings_manifest = o.findings_manifest FROM masks_version o"
            " WHERE v.mask_id = %s AND v.number = 3 AND o.mask_id = v.mask_id AND o.number = 1",
            "version 3: slice 2 of findings is not what the strokes before it amount to",
        ),
        (
            "UPDATE masks_checkpoint c SET findings_manifest = v.findings_manifest FROM masks_version v"
            " WHERE c.mask_id = %s AND c.stroke_sequence = 1 AND v.mask_id = c.mask_id AND v.number = 2",
            "the checkpoint after stroke 1: slice 3 of findings is not what the strokes before it amount to",
        ),
        (f"UPDATE masks_checkpoint SET stroke_sequence = 99 WHERE {MINE} 1", "left after stroke 99, which is not in"),
        ("UPDATE masks_version SET stroke_head_hash = 'x' WHERE mask_id = %s AND number = 2", "does not stand on"),
        ("UPDATE masks_version SET stroke_sequence = 99 WHERE mask_id = %s AND number = 1", "is not in the log"),
        (
            "UPDATE readings_signature SET version_sha256 = 'x' WHERE reading_id ="
            " (SELECT id FROM readings_reading WHERE mask_id = %s)",
            "what was signed has another hash",
        ),
        (
            'UPDATE audit_event SET body = replace(body, \'"sha256":"\', \'"sha256":"0\')'
            " WHERE name = 'mask.version_cut' AND subject = 'mask:' || %s",
            "the audit trail does not tell of its cut",
        ),
    ],
)
def test_change_behind_the_triggers_is_found(reading, sql, sentence):
    tamper(sql, str(reading.mask_id))
    said = found(reading.mask_id)
    assert any(sentence in one for one in said), said
    assert all(one.startswith(f"mask {reading.mask_id}: ") for one in said)
    with pytest.raises(SystemExit):
        call_command("masks", "verify", mask=reading.mask_id)


def test_slice_moved_by_one_is_found_even_where_it_says_its_own_hash(reading):
    row = HeadSlice.objects.filter(mask=reading.mask, layer="anatomy").order_by("z")[2]
    shape_yx = reading.mask.scan.shape_zyx[1:]
    voxels = np.zeros(shape_yx, np.uint8)
    voxels[3:9, 4:9] = 1
    row.sha256, row.data = slice_sha256(voxels), encode_slice(voxels)
    row.save()
    place = f"slice {row.z + 1} of anatomy as it is now"
    assert found() == [f"mask {reading.mask_id}: {place} is not what the log amounts to."]


def test_stored_slice_of_a_version_with_other_voxels_is_found(reading):
    tamper("UPDATE masks_sliceblob SET data = %s", encode_slice(np.ones((48, 64), np.uint8)))
    assert any("its voxels are others" in one for one in found())


def test_one_masks_fault_is_not_anothers(reading):
    tamper("UPDATE masks_stroke SET tool = 'eraser' WHERE stroke_sequence = 1")
    draft = Mask.objects.exclude(pk=reading.mask_id).get()
    assert found(draft.pk) == []
    assert found(reading.mask_id)
