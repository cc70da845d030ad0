"""The gate's table: every row can be shown, and nothing else can be said."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import inference.imaging
from inference.imaging import gate
from inference.imaging.findings import SeriesRefused
from inference.imaging.gate import TABLE, GateTolerances, Verdict
from tests.factories import broken_masks, broken_series, broken_volumes  # noqa: F401 - they fill EXAMPLES
from tests.factories.gate_examples import EXAMPLES, Bench, a_bench

SOURCES = sorted(Path(inference.imaging.__file__).parent.rglob("*.py"))


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return a_bench(tmp_path_factory.mktemp("bench"))


@pytest.fixture
def bench(pristine: Bench, tmp_path: Path) -> Bench:
    (tmp_path / "slices").symlink_to(pristine.folder / "slices")
    return Bench(tmp_path, pristine.phantom, pristine.pristine)


def codes_of(read: Any) -> set[str]:
    return {finding.code for finding in (*getattr(read, "warnings", ()), *getattr(read, "notes", ()))}


@pytest.mark.parametrize("code", sorted(TABLE))
def test_every_row_is_shown_by_something_made_up(bench: Bench, code: str) -> None:
    row = TABLE[code]
    if row.verdict is Verdict.REFUSED:
        with pytest.raises(SeriesRefused) as refusal:
            EXAMPLES[code](bench)
        assert refusal.value.code == code
        said = refusal.value.sentence
    else:
        read = EXAMPLES[code](bench)
        among = read.warnings if row.verdict is Verdict.WARNING else read.notes
        [said] = [finding.sentence for finding in among if finding.code == code]
    assert "{" not in said
    assert len(said.split()) >= 3
    assert said.endswith(".")


def test_a_series_without_anything_odd_gets_no_finding(bench: Bench) -> None:
    read = bench.read()
    assert codes_of(read) == set()
    assert (read.volume.hu == bench.volume.hu).all()


def test_examples_are_of_rows_that_exist() -> None:
    assert set(EXAMPLES) == set(TABLE)


def said_in_the_code() -> Iterator[tuple[str, str]]:
    """Every code that the package's own sources speak of, and where."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
                if name in ("refuse", "say") and node.args:
                    for part in ast.walk(node.args[0]):
                        if isinstance(part, ast.Constant) and isinstance(part.value, str):
                            yield part.value, path.name


def test_no_code_outside_the_table_is_spoken_of() -> None:
    said = dict(said_in_the_code())
    # One row is chosen among two by the kind of image.
    assert set(TABLE) - set(said) <= {"projection", "computed_map"}
    assert set(said) <= set(TABLE)


def test_only_the_gate_makes_refusals_and_findings() -> None:
    for path in SOURCES:
        makes = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        if "gate" not in path.parts:
            assert "SeriesRefused" not in makes, path.name
            assert "Finding" not in makes or path.name == "reading.py", path.name


def test_a_row_speaks_only_by_its_verdict() -> None:
    findings = gate.Findings()
    with pytest.raises(ValueError, match="refuses"):
        findings.say("empty")
    with pytest.raises(ValueError, match="accepts"):
        gate.refuse("contrast")
    with pytest.raises(KeyError):
        gate.refuse("no such row")
    findings.say("contrast")
    findings.say("contrast")
    assert [finding.code for finding in findings.warnings] == ["contrast"]


def test_hostile_words_in_a_sentence_stay_words() -> None:
    assert "{name.__class__}" in gate.refuse("not_dicom", name="{name.__class__}").sentence


def test_every_row_says_why_and_every_refusal_what_to_do() -> None:
    for code, row in TABLE.items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", code)
        assert row.why.endswith("."), code
        assert row.remedy.endswith(".") or row.verdict is not Verdict.REFUSED, code
        assert not row.biases_weight or row.verdict is Verdict.WARNING, code


def test_what_makes_weight_wrong_is_known_by_its_code() -> None:
    assert all(gate.bias_weight(code) for code in ("contrast", "sharp_kernel", "thick_slices", "no_hu", "no_spacing"))
    assert not any(gate.bias_weight(code) for code in ("uneven_spacing", "empty", "no such row"))


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_tolerances_are_positive_numbers(value: float) -> None:
    with pytest.raises(ValueError, match="spacing_mm"):
        GateTolerances(spacing_mm=value)


def test_tolerances_may_be_chosen(bench: Bench) -> None:
    from inference.imaging.dicom import volume_from_datasets

    EXAMPLES["uneven_spacing"](bench)
    assert "uneven_spacing" in codes_of(bench.read())
    strict = GateTolerances(spacing_mm=0.01, spacing_fraction=0.001)
    with pytest.raises(SeriesRefused, match="not evenly spaced"):
        volume_from_datasets(bench.slices, tolerances=strict)
    lenient = GateTolerances(noted_unevenness_mm=1.0)
    assert codes_of(volume_from_datasets(bench.slices, tolerances=lenient)) == set()


def test_a_loss_that_only_the_transfer_syntax_tells_is_told(bench: Bench) -> None:
    assert "lossy" in codes_of(broken_series.near_lossless(bench))


@pytest.mark.parametrize("kernel", ["B60f", "B80s", "Bl57d", "I70f", "Hr64d", "LUNG", "BONEPLUS", "FC51", "YB"])
def test_sharp_kernels_are_known(bench: Bench, kernel: str) -> None:
    bench.on_all("ConvolutionKernel", kernel)
    assert codes_of(bench.read()) == {"sharp_kernel"}


@pytest.mark.parametrize("kernel", ["B30f", "Br40", "STANDARD", "SOFT", "FC08", "C", "Jane Doe", "", "B99999"])
def test_other_kernels_are_no_finding(bench: Bench, kernel: str) -> None:
    bench.on_all("ConvolutionKernel", kernel)
    assert codes_of(bench.read()) == set()


@pytest.mark.parametrize("agent", ["", "None", "NO", "nativ", "W/O"])
def test_words_for_no_contrast_are_no_contrast(bench: Bench, agent: str) -> None:
    bench.on_all("ContrastBolusAgent", agent)
    assert codes_of(bench.read()) == set()


def test_hounsfield_written_out_or_misspelt_is_hounsfield(bench: Bench) -> None:
    bench.on_all("RescaleType", "Houndsfield Unit")
    assert bench.read().volume.has_hu


def test_words_of_a_header_are_never_repeated_to_readers(bench: Bench) -> None:
    bench.on_all("RescaleType", "DOE JANE")
    bench.on_all("ConvolutionKernel", "B70f Doe")
    bench.on_all("ContrastBolusAgent", "Jane Doe 300")
    bench.on_all("ImageType", ["DERIVED", "PRIMARY", "AXIAL", "DOE^JANE"])
    read = bench.read()
    assert {"no_hu", "contrast"} <= codes_of(read)
    assert not any("doe" in finding.sentence.lower() for finding in (*read.warnings, *read.notes))


def with_padding(bench: Bench, **elements: int) -> None:
    for dataset in bench.slices:
        pixels = dataset.pixel_array.copy()
        pixels[:2], pixels[2:4] = 1000, 1040
        dataset.PixelData = pixels.astype("<i2").tobytes()
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)


@pytest.mark.parametrize(("value", "limit", "count"), [(1000, None, 2), (1000, 1064, 4), (1064, 1000, 4)])
def test_a_range_of_padding_is_counted_whole(bench: Bench, value: int, limit: int | None, count: int) -> None:
    with_padding(bench, PixelPaddingValue=value, **({} if limit is None else {"PixelPaddingRangeLimit": limit}))
    [warning] = [w for w in bench.read().warnings if w.code == "padding_as_tissue"]
    others = int(((bench.volume.hu[:, 4:] >= -24) & (bench.volume.hu[:, 4:] <= (-24 if limit is None else 40))).sum())
    assert f"({count * 32 * 8 + others:,} voxels)" in warning.sentence


def test_padding_that_was_written_as_unsigned_is_understood(bench: Bench) -> None:
    for dataset in bench.slices:
        pixels = dataset.pixel_array.copy()
        pixels[:2] = -32768
        dataset.PixelData = pixels.astype("<i2").tobytes()
        dataset.add_new(0x00280120, "US", 32768)
    assert codes_of(bench.read()) == {"padding"}
