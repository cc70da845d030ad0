"""A signed reading on one page: its numbers, pictures with outlines, who and what made it, and what biases it."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Image, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from webapp.archive.remarks import remarks_of
from webapp.masks.models import Version
from webapp.readings.models import Reading
from webapp.releases.measurements import measured
from webapp.releases.pdf_text import BAD, FAINT, INK, RULE, WAIT, fonts, known, style, text
from webapp.releases.report_pictures import Shown, report_pictures

MARGIN = 15 * mm
# Within the frame, which pads by 6 points.
WIDTH = A4[0] - 2 * MARGIN - 12
AXIAL_MM, CORONAL_MM = 54.0, 62.0
FOR_RESEARCH = "For research only. Not a medical device; not to be used for diagnosis or treatment."


@dataclass(frozen=True)
class Moment:
    """Another scan of the patient, in order of time: how it lies to this one, its day, its numbers where measured."""

    words: str
    day: str
    values: dict[str, Any] | None


def report_pdf(reading: Reading, others: Sequence[Moment] = ()) -> bytes:
    """The report of a signed reading as an A4 page; `others` are the patient's scans in order, this one among them."""
    file = io.BytesIO()
    case, signature = reading.case, reading.signature
    title = f"Case {case.number}, {case.campaign}"
    document = SimpleDocTemplate(
        file, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=12 * mm, bottomMargin=16 * mm, title=title
    )
    foot = f"Signed version {signature.version_sha256[:16]} · made {timezone.localtime():%Y-%m-%d %H:%M %Z}"

    def on_page(canvas: Canvas, _: object) -> None:
        canvas.setFont(fonts()[1], 7.5)
        canvas.setFillColor(BAD)
        canvas.drawString(MARGIN, 11 * mm, known(FOR_RESEARCH))
        canvas.setFont(fonts()[0], 7)
        canvas.setFillColor(FAINT)
        canvas.drawString(MARGIN, 7 * mm, known(foot))

    values = measured(signature.version).values
    axial, coronal = report_pictures(signature.version)
    document.build(
        [
            *_head(reading),
            _numbers(values, coronal),
            Spacer(0, 3 * mm),
            _axial(axial),
            Spacer(0, 3 * mm),
            *(_moments(others) if len(others) > 1 else []),
            *_provenance(reading),
            *_warnings(reading),
        ],
        onFirstPage=on_page,
        onLaterPages=on_page,
    )
    return file.getvalue()


def _head(reading: Reading) -> Iterator[Flowable]:
    case = reading.case
    scan, study = case.scan, case.scan.study
    yield Paragraph("Pneumonia on chest CT", style(15, fontName=fonts()[1], textColor=INK))
    day = f"{study.shifted_date:%Y-%m-%d} (shifted)" if study.shifted_date else "day not known"
    facts = [f"patient {study.patient.pseudonym}", day, scan.site or "site not known", f"{scan.shape_zyx[0]} slices"]
    yield Paragraph(text(f"Case {case.number} of {case.campaign}: {', '.join(facts)}"), style(9, textColor=INK))
    yield Spacer(0, 3 * mm)


def _number(value: Any, digits: int, unit: str) -> str:
    return "–" if value is None else f"{value:,.{digits}f} {unit}"


def _numbers(values: dict[str, Any], coronal: Shown) -> Flowable:
    rows = [["", "both", "right", "left"]]
    for word, name, digits, unit in (
        ("Extent", "extent_percent", 2, "%"),
        ("Weight of the lesion", "weight_g", 1, "g"),
        ("Lesion in the lung", "lesion_volume_ml", 1, "mL"),
        ("Lung", "lung_volume_ml", 0, "mL"),
    ):
        cells = [values.get(name), values["right"].get(name), values["left"].get(name)]
        rows.append([word, *(_number(cell, digits, unit) for cell in cells)])
    rows.append(["Lesion outside the lung", _number(values.get("lesion_outside_lung_ml"), 1, "mL"), "", ""])
    mean, spread = values.get("lesion_mean_hu"), values.get("lesion_sd_hu")
    density = "–" if mean is None else f"{mean:,.0f} ± {spread or 0:,.0f} HU"
    rows.append(["Lesion density, mean ± SD", density, "", ""])
    table = _table(rows, [44 * mm, 28 * mm, 20 * mm, 20 * mm])
    width, height = _fitting(coronal, CORONAL_MM)
    beside = Table([[table, Image(io.BytesIO(coronal.png), width, height)]], colWidths=[WIDTH - 66 * mm, 66 * mm])
    beside.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, 0), 0)]))
    return beside


def _fitting(shown: Shown, most_mm: float) -> tuple[float, float]:
    """Width and height of a picture in points, no side longer than so many mm."""
    scale = most_mm / max(shown.width_mm, shown.height_mm)
    return shown.width_mm * scale * mm, shown.height_mm * scale * mm


def _axial(pictures: Sequence[Shown]) -> Flowable:
    per_row = 3
    cells: list[Any] = []
    for shown in pictures:
        width, height = _fitting(shown, AXIAL_MM)
        cells.append(
            [Image(io.BytesIO(shown.png), width, height), Paragraph(text(shown.words), style(7, textColor=FAINT))]
        )
    rows = [cells[i : i + per_row] for i in range(0, len(cells), per_row)]
    rows[-1] += [""] * (per_row - len(rows[-1]))
    table = Table(rows, colWidths=[WIDTH / per_row] * per_row)
    table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)]))
    return table


def _moments(others: Iterable[Moment]) -> Iterator[Flowable]:
    rows = [["Scans of this patient", "day (shifted)", "extent", "weight", "lesion", "lung"]]
    for moment in others:
        v = moment.values or {}
        rows.append(
            [
                moment.words,
                moment.day,
                _number(v.get("extent_percent"), 2, "%"),
                _number(v.get("weight_g"), 1, "g"),
                _number(v.get("lesion_volume_ml"), 1, "mL"),
                _number(v.get("lung_volume_ml"), 0, "mL"),
            ]
        )
    yield _table(rows, [50 * mm, 30 * mm, 22 * mm, 24 * mm, 24 * mm, 24 * mm])
    yield Spacer(0, 3 * mm)


def _table(rows: list[list[str]], widths: list[float]) -> Table:
    table = Table([[known(cell) for cell in row] for row in rows], colWidths=widths)
    table.setStyle(
        TableStyle(
            [
                ("FONT", (0, 0), (-1, -1), fonts()[0], 8),
                ("FONT", (0, 0), (-1, 0), fonts()[1], 8),
                ("TEXTCOLOR", (0, 0), (-1, -1), INK),
                ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
                ("LEFTPADDING", (0, 0), (0, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            ]
        )
    )
    return table


def _provenance(reading: Reading) -> Iterator[Flowable]:
    signature, plain = reading.signature, style(8, textColor=INK)
    hands = [_hand(version) for version in _lineage(signature.version)]
    yield Paragraph(text("Made by: " + ", then ".join(hands)), plain)
    signed = timezone.localtime(signature.signed_at)
    years = f", {reading.reader.experience_years} years of experience" if reading.reader.experience_years else ""
    by = f"{signature.meaning.capitalize()} by {signature.signer_name}{years}, {signed:%Y-%m-%d %H:%M %Z}."
    yield Paragraph(text(by), plain)
    yield Paragraph(text(f"“{signature.statement}”"), style(8, textColor=FAINT))


def _lineage(version: Version) -> list[Version]:
    """The versions that a version came from, whoever's, oldest first, the last of each mask."""
    found = [version]
    while (origin := found[0].mask.forked_from) is not None:
        found.insert(0, origin)
    return found


def _hand(version: Version) -> str:
    kind = version.mask.author_kind
    what = {"algorithm": "the AI draft of ", "import": "the mask of ", "consensus": ""}.get(kind, "")
    return f"{what}{version.author_name}"


def _warnings(reading: Reading) -> Iterator[Flowable]:
    remarks = remarks_of(reading.case.scan)
    if remarks:
        yield Spacer(0, 2 * mm)
    for remark in remarks:
        bias = " It biases weight." if remark.biases_weight else ""
        yield Paragraph(text(f"{remark.sentence}{bias}"), style(8, textColor=WAIT))
