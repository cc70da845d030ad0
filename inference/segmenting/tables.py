"""Measurements of scans as rows of a table (CSV)."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from inference.measures.tables import NUMBERS, SIDE_COLUMNS, SIDES, number, safe_text


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
            *(f"{side}_{name}" for side in SIDES for name in SIDE_COLUMNS),
            *(f"band_{band}_ml" for band in bands),
            "seconds",
            "warnings",
        ]
    ]
    for report in reports:
        values, algorithm = report["measurements"], report["algorithm"]
        rows.append(
            [
                safe_text(report["scan"]["name"]),
                safe_text(algorithm["name"]),
                safe_text(algorithm["version"]),
                algorithm["weights_sha256"] or "",
                *(number(values[name]) for name in NUMBERS),
                *(number(values[side][name]) for side in SIDES for name in SIDE_COLUMNS),
                *(number((values["band_volumes_ml"] or {}).get(band)) for band in bands),
                number(report["seconds"]),
                safe_text(" ".join(report["warnings"])),
            ]
        )
    return to_csv(rows)


def to_csv(rows: Sequence[Sequence[str]]) -> str:
    """Rows of text as CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()
