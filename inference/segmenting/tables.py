"""Measurements of scans as rows of a table (CSV)."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

NUMBERS = (
    "extent_percent",
    "weight_g",
    "lesion_volume_ml",
    "lesion_outside_lung_ml",
    "lung_volume_ml",
    "lung_weight_g",
    "lesion_mean_hu",
    "lesion_sd_hu",
)
SIDE_NUMBERS = ("lung_volume_ml", "lesion_volume_ml", "extent_percent", "weight_g")
# A spreadsheet takes a cell that begins so for a formula.
FORMULA_STARTS = ("=", "+", "-", "@")


def measurements_csv(reports: Sequence[Mapping[str, Any]]) -> str:
    """CSV (RFC 4180, UTF-8) with a line for each scan's report, as `results.report_of` makes it.

    Numbers are written so that reading them back gives the same float; what is undefined is empty.
    """
    bands = list(dict.fromkeys(band for one in reports for band in one["measurements"]["band_volumes_ml"] or {}))
    rows = [
        [
            "scan",
            "algorithm",
            "algorithm_version",
            "weights_sha256",
            *NUMBERS,
            *(f"{side}_{name}" for side in ("left", "right") for name in SIDE_NUMBERS),
            *(f"band_{band}_ml" for band in bands),
            "seconds",
            "warnings",
        ]
    ]
    for report in reports:
        values, algorithm = report["measurements"], report["algorithm"]
        rows.append(
            [
                text(report["scan"]["name"]),
                text(algorithm["name"]),
                text(algorithm["version"]),
                algorithm["weights_sha256"] or "",
                *(number(values[name]) for name in NUMBERS),
                *(number(values[side][name]) for side in ("left", "right") for name in SIDE_NUMBERS),
                *(number((values["band_volumes_ml"] or {}).get(band)) for band in bands),
                number(report["seconds"]),
                text(" ".join(report["warnings"])),
            ]
        )
    return to_csv(rows)


def to_csv(rows: Sequence[Sequence[str]]) -> str:
    """Rows of text as CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def number(value: float | None) -> str:
    """A number in full precision; empty where it is undefined."""
    return "" if value is None else repr(float(value))


def text(words: str) -> str:
    """A cell that no spreadsheet runs, without control characters."""
    clean = "".join(letter if letter.isprintable() else " " for letter in words)
    return f"'{clean}" if clean.lstrip().startswith(FORMULA_STARTS) else clean
