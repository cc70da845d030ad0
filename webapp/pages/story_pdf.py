"""The story of a case as a PDF to print, to file and to sign off: what the page tells, with nothing folded away."""

import io
from collections.abc import Iterable, Iterator

from django.utils import timezone
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from webapp.campaigns.models import Case
from webapp.pages.audit_holding import Holding
from webapp.pages.audit_lines import Line
from webapp.releases.pdf_text import BAD, FAINT, INK, RULE, fonts, known, style, text

MARGIN, WIDTHS_MM = 16 * mm, (24, 92, 62)


def story_pdf(case: Case, lines: Iterable[Line], holdings: Iterable[tuple[str, Holding]], note: str, by: str) -> bytes:
    """The PDF of a case's lines, oldest first; `note` is what was left out and why, `by` who had it made."""
    file = io.BytesIO()
    title = f"Story of case {case.number}, {case.campaign}"
    document = SimpleDocTemplate(
        file, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=MARGIN, title=title
    )
    foot = f"{title} · made {timezone.localtime():%Y-%m-%d %H:%M %Z} for {by}"

    def on_page(canvas: Canvas, _: object) -> None:
        canvas.setFont(fonts()[0], 7)
        canvas.setFillColor(FAINT)
        canvas.drawString(MARGIN, 9 * mm, known(foot))
        canvas.drawRightString(A4[0] - MARGIN, 9 * mm, f"page {canvas.getPageNumber()}")

    document.build([*_head(case, holdings, note), _table(list(lines))], onFirstPage=on_page, onLaterPages=on_page)
    return file.getvalue()


def _head(case: Case, holdings: Iterable[tuple[str, Holding]], note: str) -> Iterator[Flowable]:
    small = style(8, textColor=FAINT)
    yield Paragraph(text(f"Story of case {case.number}"), style(16, fontName=fonts()[1], textColor=INK))
    yield Paragraph(text(f"{case.campaign} · {case.scan.study.patient.pseudonym}"), style(10, textColor=INK))
    yield Spacer(0, 2 * mm)
    yield Paragraph(text(f"SHA-256 of the scan's voxels: {case.scan.voxels_sha256}"), small)
    for name, holding in holdings:
        yield Paragraph(text(f"{name}: {_holding_words(holding)}"), small)
        for fault in holding.faults:
            yield Paragraph(text(fault), style(8, textColor=BAD))
    if note:
        yield Paragraph(text(note), small)
    yield Spacer(0, 4 * mm)


def _holding_words(holding: Holding) -> str:
    if holding.checked_at is None:
        return holding.word
    checked = timezone.localtime(holding.checked_at)
    return f"{holding.word}; {holding.events:,} events, the newest checked {checked:%Y-%m-%d %H:%M %Z}"


def _table(lines: list[Line]) -> Flowable:
    plain, mono = style(8, textColor=INK), style(6.2, fontName="Courier", textColor=FAINT, splitLongWords=True)
    if not lines:
        return Paragraph("No event of this case may be told to you.", plain)
    rows = [
        [Paragraph(_when(line), plain), Paragraph(_what(line), plain), Paragraph(_hashes(line), mono)] for line in lines
    ]
    table = LongTable(rows, colWidths=[width * mm for width in WIDTHS_MM])
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 2.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
            ]
        )
    )
    return table


def _when(line: Line) -> str:
    at = timezone.localtime(line.at)
    return f"{at:%Y-%m-%d}<br/>{at:%H:%M:%S}"


def _what(line: Line) -> str:
    roles = f" ({', '.join(line.roles)})" if line.roles else ""
    return f"<b>{text(line.who or 'somebody')}</b>{text(roles)} {text(line.sentence)}"


def _hashes(line: Line) -> str:
    event = line.event
    rows = [f"{event.chain} #{event.seq}", event.hash, *([f"about {line.digest}"] if line.digest else [])]
    return "<br/>".join(text(row) for row in rows)
