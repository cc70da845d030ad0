"""Answers in scoring forms: kept change by change, frozen by the signature, seen with the reading, taken away."""

import csv
import hashlib
import io
import json

import pytest
from django.db import DatabaseError, connection, transaction

from tests.factories.filed import a_filed_place
from tests.factories.sites import a_team, client_of, sign, strokes_of
from webapp.audit.refusal import ActionRefused
from webapp.campaigns.protocols import BLOCK, OFF, WARN
from webapp.campaigns.score_presets import PRESET_FORMS
from webapp.readings.actions import amend_reading, sign_reading, start_reading
from webapp.readings.answering import record_answers
from webapp.readings.models import FormEntry
from webapp.readings.scores_beside import scores_for
from webapp.readings.scoring import answers_of

pytestmark = pytest.mark.django_db
PAN = PRESET_FORMS["pan_2020"]
LOBES = [f"region/{lobe}" for lobe in ("rul", "rml", "rll", "lul", "lll")]


def a_scored_team(level: str = OFF, preset: str = "ai_check"):
    return a_team(preset, forms=[PAN], attests={"forms_filled": level})


def tell(user, reading, answers):
    body = json.dumps({"answers": answers})
    return client_of(user).post(f"/api/readings/{reading.pk}/forms/", body, content_type="application/json")


def rows(**values):
    return [{"form": "pan_2020", "item": f"region/{lobe}", "value": value} for lobe, value in values.items()]


FULL = rows(rul=0, rml=1, rll=5, lul=2, lll=4)


def test_answers_are_kept_change_by_change_and_the_last_one_counts():
    team = a_scored_team()
    reading = start_reading(case=team.case(), by=team["robin"])
    said = tell(team["robin"], reading, rows(rul=2, rml=1)).json()
    assert said["answers"] == {"pan_2020": {"region/rul": 2, "region/rml": 1}}
    assert said["totals"] == {"pan_2020": {"value": 3, "most": 25, "complete": False}}
    said = tell(team["robin"], reading, rows(rul=5, rml=None)).json()
    assert said["answers"] == {"pan_2020": {"region/rul": 5}}
    tell(team["robin"], reading, rows(rul=5))
    assert [entry.value for entry in FormEntry.objects.order_by("pk")] == [2, 1, 5, None]
    assert client_of(team["robin"]).get(f"/api/readings/{reading.pk}/").json()["forms"]["answers"] == said["answers"]
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute("UPDATE readings_formentry SET value = '1'")


@pytest.mark.parametrize(
    "answers",
    [None, {}, "x", [1], [{}], rows(rul=6), rows(rul="1"), rows(rul=True), rows(spleen=1),
     [{"form": "else", "item": "region/rul", "value": 1}], [{"form": "pan_2020", "item": "region/rul"}],
     [{"form": ["pan_2020"], "item": "region/rul", "value": 1}], [*rows(rul=1), *rows(rml=9)]],
)  # fmt: skip
def test_what_is_no_answer_writes_nothing(answers):
    team = a_scored_team()
    reading = start_reading(case=team.case(), by=team["robin"])
    assert tell(team["robin"], reading, answers).json()["error"] == "malformed"
    assert not FormEntry.objects.exists()


def test_only_the_reader_answers_and_only_while_the_reading_is_open():
    team = a_scored_team()
    reading = start_reading(case=team.case(), by=team["robin"])
    assert tell(team["clara"], reading, FULL).json()["error"] == "not_yours"
    assert tell(team["amara"], reading, FULL).status_code == 404
    assert tell(team["mallory"], reading, FULL).status_code == 404
    sign(reading)
    assert tell(team["robin"], reading, FULL).json()["error"] == "signed"


def test_a_block_keeps_the_signature_back_until_every_form_is_filled():
    team = a_scored_team(BLOCK)
    reading = start_reading(case=team.case(), by=team["robin"])
    tell(team["robin"], reading, rows(rul=0, rml=0, rll=0))
    with pytest.raises(ActionRefused, match=r"CT score \(Pan 2020\): 2 of 5 missing \(Left upper lobe, Left lower"):
        sign(reading)
    asked = client_of(team["robin"]).get(f"/api/readings/{reading.pk}/attesting/").json()["missing"]
    assert [(one["code"], one["level"]) for one in asked] == [("forms_filled", "block")]
    tell(team["robin"], reading, FULL)
    assert sign(reading).acknowledged == []


def test_a_warning_is_acknowledged_and_stays_on_the_signature():
    team = a_scored_team(WARN)
    reading = start_reading(case=team.case(), by=team["robin"])
    with pytest.raises(ActionRefused, match="in spite of it"):
        sign(reading)
    signature = sign(reading, acknowledged=["forms_filled"])
    assert signature.acknowledged == ["forms_filled"]
    assert signature.attested["forms"]["pan_2020"] == {"answers": {}, "sum": None, "missing": 5}


def test_a_signature_freezes_the_answers_with_a_digest():
    team = a_scored_team()
    reading = start_reading(case=team.case(), by=team["robin"])
    tell(team["robin"], reading, FULL)
    attested = sign(reading).attested
    expected = {"pan_2020": {"answers": dict(zip(LOBES, (0, 1, 5, 2, 4), strict=True)), "sum": 12, "missing": 0}}
    assert attested["forms"] == expected
    text = json.dumps(expected, sort_keys=True, separators=(",", ":"))
    assert attested["forms_sha256"] == hashlib.sha256(text.encode()).hexdigest()


def test_a_protocol_without_forms_says_nothing_of_them():
    team = a_team("ai_check", attests={"forms_filled": BLOCK})
    reading = start_reading(case=team.case(), by=team["robin"])
    assert "forms" not in sign(reading).attested


def test_an_amendment_begins_with_the_answers_that_it_amends_and_changes_none_of_them():
    team = a_scored_team()
    reading = start_reading(case=team.case(), by=team["robin"])
    record_answers(reading=reading, answers=FULL, by=team["robin"])
    first = sign(reading)
    reading.refresh_from_db()
    amendment = amend_reading(reading=reading, reason="Left lower lobe anew", by=team["robin"])
    assert answers_of(amendment) == answers_of(reading)
    record_answers(reading=amendment, answers=rows(lll=0, rul=None), by=team["robin"])
    second = sign_reading(
        reading=amendment,
        stroke_sequence=strokes_of(amendment),
        statement=amendment.protocol.statement,
        by=team["robin"],
    )
    assert second.attested["forms"]["pan_2020"]["answers"]["region/lll"] == 0
    assert "region/rul" not in second.attested["forms"]["pan_2020"]["answers"]
    first.refresh_from_db()
    assert first.attested["forms"]["pan_2020"]["sum"] == 12


def test_scores_of_two_readers_stand_side_by_side_for_whom_blinding_lets_see_both():
    team = a_scored_team(preset="double_reading")
    first = start_reading(case=team.case(), by=team["robin"])
    second = start_reading(case=team.case(), by=team["amara"])
    record_answers(reading=first, answers=FULL, by=team["robin"])
    record_answers(reading=second, answers=rows(rul=1), by=team["amara"])
    (seen,) = scores_for(team["clara"], team.case())
    assert [str(reading.reader) for reading in seen.readings] == ["Robin", "Amara"]
    assert seen.sums == ["12", "1 (incomplete)"]
    assert seen.rows[0] == ("Right upper lobe", ["0", "1"])
    (own,) = scores_for(team["amara"], team.case())
    assert own.sums == ["1 (incomplete)"]
    page = client_of(team["amara"]).get("/campaigns/team/cases/1/").content.decode()
    assert "CT score (Pan 2020)" in page
    assert "Robin" not in page
    page = client_of(team["clara"]).get("/campaigns/team/cases/1/").content.decode()
    assert "Robin" in page
    assert scores_for(team["kim"], team.case()) == []


def test_the_table_of_measurements_has_a_column_for_each_answer(tmp_path, run_jobs):
    place = a_filed_place(tmp_path)
    run_jobs()
    protocol = place.campaign.protocols.get()
    text = {"key": "remark", "title": "Remark", "kind": "text", "required": False}
    protocol.terms = {**protocol.terms, "forms": [PAN, {"key": "own", "title": "Own", "source": "", "fields": [text]}]}
    protocol.save()
    reading = start_reading(case=place.case, by=place.reader)
    own = {"form": "own", "item": "remark", "value": "=1+1"}
    record_answers(reading=reading, answers=[*FULL, own], by=place.reader)
    sign(reading)
    run_jobs()
    answer = client_of(place.reader).get(f"/campaigns/{place.campaign.slug}/cases/1/exports/measurements.csv")
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    (row,) = csv.DictReader(io.StringIO(content.decode(), newline=""))
    assert [row[f"form_pan_2020_region_{lobe}"] for lobe in ("rul", "rml", "rll", "lul", "lll")] == list("01524")
    assert (row["form_pan_2020_sum"], row["form_pan_2020_missing"]) == ("12", "0")
    assert row["form_own_remark"] == "'=1+1"
