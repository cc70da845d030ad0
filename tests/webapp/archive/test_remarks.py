"""What is to be known of a scan is said once, in words, and weight's biases are told from the rest."""

from inference.imaging.gate import GROUPS, TABLE, Verdict
from webapp.archive.models import Scan
from webapp.archive.remarks import SHORT, remarks_data, remarks_of, short_of, weight_remarks_of


def a_scan(**fields) -> Scan:
    known = {"source": "dicom", "kernel": "STANDARD", "slice_thickness_mm": 1.0, "warnings": []}
    return Scan(**{**known, **fields})


def codes(scan: Scan) -> list[str]:
    return [remark.code for remark in remarks_of(scan)]


def test_nothing_is_said_of_a_scan_without_fault():
    assert remarks_of(a_scan()) == []


def test_what_columns_say_is_added_to_what_the_checks_said_and_said_once():
    scan = a_scan(kernel="B60f", contrast=True)
    assert codes(scan) == ["contrast", "sharp_kernel"]
    scan.warnings = [
        {"code": "no_modality", "sentence": "The files do not name a modality."},
        {"code": "sharp_kernel", "sentence": "Sharp reconstruction kernel (B60f)."},
        {"code": "contrast", "sentence": "Contrast medium was given."},
    ]
    assert codes(scan) == ["sharp_kernel", "contrast", "no_modality"]  # what biases weight comes first
    assert [remark.code for remark in weight_remarks_of(scan)] == ["sharp_kernel", "contrast"]


def test_scan_that_carries_nothing_of_its_acquisition_says_so():
    assert codes(a_scan(source="nifti", kernel="", slice_thickness_mm=None)) == ["unknown_acquisition"]
    assert codes(a_scan(source="dicom", kernel="", slice_thickness_mm=None)) == []


def test_every_warning_of_the_gate_has_a_word_for_lists_and_its_reason_on_pages():
    of_masks = set(GROUPS["Masks from elsewhere"])
    warnings = [row for row in TABLE.values() if row.verdict is Verdict.WARNING and row not in of_masks]
    assert len(warnings) > 10
    for row in warnings:
        assert 0 < len(SHORT[row.code]) <= 24, row.code
        (said,) = remarks_of(a_scan(warnings=[{"code": row.code, "sentence": row.sentence}]))
        assert (said.why, said.biases_weight) == (row.why, row.biases_weight)


def test_warning_that_is_not_known_here_is_shown_and_counts_for_weight():
    scan = a_scan(warnings=[{"code": "something_new", "sentence": "Something new was found."}])
    (said,) = remarks_data(scan)
    assert said["sentence"] == "Something new was found."
    assert (said["short"], said["biases_weight"]) == ("something new", True)
    assert short_of("something_new") == "something new"
