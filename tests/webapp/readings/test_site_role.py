"""The running site's lesser role does a reader's whole work, and can undo none of it."""

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from tests.factories.sites import Tab, a_reading, a_workplace
from webapp.masks.queries import head_layers
from webapp.readings.actions import sign_reading

pytestmark = pytest.mark.django_db

APPEND_ONLY = [
    "audit_event",
    "masks_stroke",
    "masks_version",
    "masks_sliceblob",
    "masks_checkpoint",
    "masks_labelset",
    "readings_signature",
]


def test_site_role_reads_paints_and_signs(site_role):
    with site_role():
        place = a_workplace()
        reading = a_reading(place)
        before = head_layers(reading.mask)["findings"]
        after = before.copy()
        after[4, 5:9, 5:9] = 3
        tab = Tab(reading, place.reader)
        tab.send(tab.stroke(before, after))
        sign_reading(reading=reading, stroke_sequence=1, statement=reading.protocol.statement, by=place.reader)


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("sql", ["UPDATE {t} SET {c} = {c}", "DELETE FROM {t}", "TRUNCATE {t} CASCADE"])
def test_site_role_cannot_change_the_record(site_role, table, sql):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY column_name LIMIT 1",
            [table],
        )
        (column,) = cursor.fetchone()
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), site_role():
        connection.cursor().execute(sql.format(t=table, c=column))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_chainhead SET seq = 0",
        "DELETE FROM audit_chainhead",
        "ALTER TABLE audit_event DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "DROP TABLE masks_stroke CASCADE",
        "CREATE TABLE mine (x int)",
    ],
)
def test_site_role_cannot_get_round_the_triggers(site_role, sql):
    with pytest.raises(DatabaseError), transaction.atomic(), site_role():
        connection.cursor().execute(sql)
