"""What is to be known of a scan is said once, in words, and weight's biases are told from the rest."""

import pytest

from webapp.archive.models import Scan
from webapp.archive.remarks import KINDS, is_sharp, remarks_data, remarks_of, short_of, weight_remarks_of


def a_scan(**fields) -> Scan:
    known = {"source": "dicom", "kernel": "STANDARD", "slice_thickness_mm": 1.0, "warnings": []}
    return Scan(**{**known, **fields})


def codes(scan: Scan) -> list[str]:
    return [remark.code for remark in remarks_of(scan)]


@pytest.mark.parametrize(
    "kernel",
    ["B60f", "B70s", "Br64f", "I70f", "Bl57d\\3", "FC51", "FC30", "FC86", "LUNG", "Lung", "BONEPLUS", "YA", "YB"],
)
def test_sharp_kernels_of_each_maker_are_known(kernel):
    assert is_sharp(kernel)


@pytest.mark.parametrize(
    "kernel", ["", "B30f", "Br40", "D40s", "I31f", "FC18", "FC02", "STANDARD", "SOFT", "B", "C", "unknown", "<script>"]
)
def test_soft_and_unknown_kernels_are_not_taken_for_sharp(kernel):
    assert not is_sharp(kernel)


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


def test_every_kind_has_a_short_word_and_a_reason():
    for code, kind in KINDS.items():
        assert 0 < len(kind.short) <= 24, code
        assert kind.why.endswith("."), code


def test_warning_that_is_not_known_here_is_shown_and_counts_for_weight():
    scan = a_scan(warnings=[{"code": "something_new", "sentence": "Something new was found."}])
    (said,) = remarks_data(scan)
    assert said["sentence"] == "Something new was found."
    assert (said["short"], said["biases_weight"]) == ("something new", True)
    assert short_of("something_new") == "something new"
