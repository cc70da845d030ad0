"""The table of measurements equals inference.measures, and no cell of it is a formula."""

import csv
import io
import json

import pytest

from inference.measures.quantification import measure
from inference.measures.tables import NUMBERS, SIDE_COLUMNS, SIDES, safe_text
from tests.factories.filed import letter_f
from tests.webapp.releases.conftest import body_of, client_of
from webapp.algorithms.models import DraftRun
from webapp.releases.tables import measurements_csv


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_csv_equals_inference_measures_to_the_last_digit(place, signed):
    (row,) = rows_of(body_of(client_of(place.reader).get("/campaigns/covid/cases/1/exports/measurements.csv")))
    labels = place.campaign.label_set
    expected = measure(
        place.volume.hu,
        place.anatomy,
        letter_f(place.volume.shape_zyx),
        place.volume.voxel_volume_ml,
        lesion_values=labels.lesion_values,
        not_lung_values=labels.not_lung_values,
    ).as_dict()
    for column in NUMBERS:
        assert float(row[column]) == expected[column], column
    for side in SIDES:
        for column in SIDE_COLUMNS:
            assert float(row[f"{side}_{column}"]) == expected[side][column]
    for band, volume_ml in expected["band_volumes_ml"].items():
        assert float(row[f"band_{band}_ml"]) == volume_ml
    for value, numbers in expected["by_label"].items():
        assert float(row[f"label_{value}_volume_ml"]) == numbers["volume_ml"]
    assert json.loads(row["options_json"]) == expected["options"]


def test_csv_says_who_signed_what(place, signed):
    (row,) = rows_of(body_of(client_of(place.coordinator).get("/campaigns/covid/exports/measurements.csv")))
    assert (row["campaign"], row["case"], row["stage"]) == ("covid", "1", "review")
    assert row["pseudonym"] == place.case.scan.study.patient.pseudonym
    assert row["reader"] == str(place.reader)
    assert row["version_sha256"] == signed.signature.version_sha256
    assert row["draft_algorithm"] == str(place.campaign.draft_algorithm)


def test_csv_says_what_the_draft_was_made_with_and_nothing_of_how_sure_it_was(place, signed):
    said = {"weights_sha256": "ab" * 32, "options": {"threshold": 0.5}, "device": "cuda:0", "uncertainty": 0.87654}
    DraftRun.objects.update(duration_s=4.25, **said)
    for who in (place.reader, place.coordinator):
        text = body_of(client_of(who).get("/campaigns/covid/cases/1/exports/measurements.csv"))
        (row,) = rows_of(text)
        assert row["draft_weights_sha256"] == "ab" * 32
        assert json.loads(row["draft_options"]) == {"threshold": 0.5}
        assert (row["draft_device"], float(row["draft_duration_s"])) == ("cuda:0", 4.25)
        assert b"0.87654" not in text


def test_weight_never_stands_without_what_biases_it(place, signed):
    (row,) = rows_of(body_of(client_of(place.coordinator).get("/campaigns/covid/exports/measurements.csv")))
    assert float(row["weight_g"]) > 0
    assert row["weight_biased_by"] == "contrast; sharp kernel"
    assert (row["kernel"], row["contrast"]) == ("B60f", "yes")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-2", "@SUM(A1)", "\t=1", "\r=1", " =HYPERLINK(1)"])
def test_text_that_a_spreadsheet_would_run_is_defused(text):
    assert safe_text(text).startswith("'")


def test_plain_text_and_commas_come_through():
    assert safe_text("Kim, Dr. O'Neill") == "Kim, Dr. O'Neill"


def test_undefined_numbers_are_empty_cells_not_zeros(place, signed):
    from webapp.releases.exports import table_row

    row = table_row(signed)
    row.values.update(extent_percent=None, weight_g=None, band_volumes_ml=None)
    (read,) = rows_of(measurements_csv([row]).encode())
    assert read["extent_percent"] == ""
    assert read["weight_g"] == ""
