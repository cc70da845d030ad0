"""The table of measurements: one line a signed reading, units in the names of its columns."""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from inference.measures.tables import NUMBERS, SIDE_COLUMNS, SIDES, number, safe_text

WHO = (
    "campaign",
    "case",
    "pseudonym",
    "reader",
    "stage",
    "repeat",
    "independent",
    "signed_at",
    "draft_algorithm",
    "draft_weights_sha256",
    "draft_options",
    "draft_device",
    "draft_duration_s",
    "in_training_data_of",
    "imported_mask",
    "version_sha256",
    "label_set",
)
# What a weight cannot be read without: it is biased by these.
SCAN = ("kernel", "slice_thickness_mm", "contrast", "weight_biased_by")


@dataclass(frozen=True)
class Row:
    """One signed reading: its `facts` (keys of WHO and SCAN), its numbers as Measurements.as_dict() gives them.

    `labels` names the findings labels by value; `scores` are the answers of its scoring forms by column.
    """

    facts: dict[str, str]
    values: dict[str, Any]
    labels: dict[int, str]
    scores: dict[str, str] = field(default_factory=dict)


def measurements_csv(rows: Iterable[Row]) -> str:
    """CSV (RFC 4180, UTF-8) of all rows; numbers are written so that reading them back gives the same float."""
    listed = list(rows)
    bands = list(dict.fromkeys(b for row in listed for b in row.values["band_volumes_ml"] or {}))
    labels = sorted({value for row in listed for value in row.labels})
    scores = list(dict.fromkeys(column for row in listed for column in row.scores))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(
        [
            *WHO,
            *NUMBERS,
            *SCAN,
            *(f"{side}_{column}" for side in SIDES for column in SIDE_COLUMNS),
            *(f"band_{safe_name(band)}_ml" for band in bands),
            *(f"label_{value}_{quantity}" for value in labels for quantity in ("name", "volume_ml", "weight_g")),
            *scores,
            "options_json",
        ]
    )
    for row in listed:
        writer.writerow(_cells(row, bands, labels, scores))
    return out.getvalue()


def _cells(row: Row, bands: list[str], labels: list[int], scores: list[str]) -> list[str]:
    values = row.values
    by_label = values["by_label"]
    cells = [safe_text(row.facts[column]) for column in WHO]
    cells += [number(values[column]) for column in NUMBERS]
    cells += [safe_text(row.facts[column]) for column in SCAN]
    cells += [number(values[side][column]) for side in SIDES for column in SIDE_COLUMNS]
    cells += [number((values["band_volumes_ml"] or {}).get(band)) for band in bands]
    for value in labels:
        found = by_label.get(str(value))
        if value not in row.labels:
            cells += ["", "", ""]
        elif found is None:
            cells += [safe_text(row.labels[value]), "0.0", "0.0" if values["weight_g"] is not None else ""]
        else:
            cells += [safe_text(row.labels[value]), number(found["volume_ml"]), number(found["weight_g"])]
    cells += [safe_text(row.scores.get(column, "")) for column in scores]
    return [*cells, json.dumps(values["options"], sort_keys=True)]


def safe_name(text: str) -> str:
    """A name fit for a column or a file: lower case letters, digits and underscores."""
    name = "".join(c.lower() if c.isascii() and c.isalnum() else "_" for c in text)
    return "_".join(part for part in name.split("_") if part) or "unnamed"
