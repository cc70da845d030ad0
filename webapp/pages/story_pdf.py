"""The story of a case as a PDF to print, to file and to sign off: what the page tells, with nothing folded away."""

import io
from collections.abc import Iterable, Iterator
from functools import cache
from xml.sax.saxutils import escape

from django.utils import timezone
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from webapp.campaigns.models import Case
from webapp.pages.audit_holding import Holding
from webapp.pages.audit_lines import Line

MARGIN, WIDTHS_MM = 16 * mm, (24, 92, 62)
INK, FAINT, RULE = HexColor("#1a2128"), HexColor("#55616b"), HexColor("#c9d1d8")


@cache
def _fonts() -> tuple[str, str]:
    """Fonts that come with the library and know Europe's letters; the standard PDF fonts know only half of them."""
    for name, file in (("Story", "Vera.ttf"), ("Story-Bold", "VeraBd.ttf")):
        pdfmetrics.registerFont(TTFont(name, file))
    pdfmetrics.registerFontFamily("Story", normal="Story", bold="Story-Bold", italic="Story", boldItalic="Story-Bold")
    return "Story", "Story-Bold"


def _style(size: float, **more: object) -> ParagraphStyle:
    return ParagraphStyle("story", **{"fontName": _fonts()[0], "fontSize": size, "leading": size * 1.35, **more})


def story_pdf(case: Case, lines: Iterable[Line], holdings: Iterable[tuple[str, Holding]], note: str, by: str) -> bytes:
    """The PDF of a case's lines, oldest first; `note` is what was left out and why, `by` who had it made."""
    file = io.BytesIO()
    title = f"Story of case {case.number}, {case.campaign}"
    document = SimpleDocTemplate(
        file, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=MARGIN, title=title
    )
    foot = f"{title} · made {timezone.localtime():%Y-%m-%d %H:%M %Z} for {by}"

    def on_page(canvas: Canvas, _: object) -> None:
        canvas.setFont(_fonts()[0], 7)
        canvas.setFillColor(FAINT)
        canvas.drawString(MARGIN, 9 * mm, _known(foot))
        canvas.drawRightString(A4[0] - MARGIN, 9 * mm, f"page {canvas.getPageNumber()}")

    document.build([*_head(case, holdings, note), _table(list(lines))], onFirstPage=on_page, onLaterPages=on_page)
    return file.getvalue()


def _head(case: Case, holdings: Iterable[tuple[str, Holding]], note: str) -> Iterator[Flowable]:
    small = _style(8, textColor=FAINT)
    yield Paragraph(_text(f"Story of case {case.number}"), _style(16, fontName=_fonts()[1], textColor=INK))
    yield Paragraph(_text(f"{case.campaign} · {case.scan.study.patient.pseudonym}"), _style(10, textColor=INK))
    yield Spacer(0, 2 * mm)
    yield Paragraph(_text(f"SHA-256 of the scan's voxels: {case.scan.voxels_sha256}"), small)
    for name, holding in holdings:
        yield Paragraph(_text(f"{name}: {_holding_words(holding)}"), small)
        for fault in holding.faults:
            yield Paragraph(_text(fault), _style(8, textColor=HexColor("#a32420")))
    if note:
        yield Paragraph(_text(note), small)
    yield Spacer(0, 4 * mm)


def _holding_words(holding: Holding) -> str:
    if holding.checked_at is None:
        return holding.word
    checked = timezone.localtime(holding.checked_at)
    return f"{holding.word}; {holding.events:,} events, the newest checked {checked:%Y-%m-%d %H:%M %Z}"


def _table(lines: list[Line]) -> Flowable:
    plain, mono = _style(8, textColor=INK), _style(6.2, fontName="Courier", textColor=FAINT, splitLongWords=True)
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
    return f"<b>{_text(line.who or 'somebody')}</b>{_text(roles)} {_text(line.sentence)}"


def _hashes(line: Line) -> str:
    event = line.event
    rows = [f"{event.chain} #{event.seq}", event.hash, *([f"about {line.digest}"] if line.digest else [])]
    return "<br/>".join(_text(row) for row in rows)


def _text(text: str) -> str:
    """A text as the library's own small markup takes it."""
    return escape(_known(text))


def _known(text: str) -> str:
    """A text without letters that the font has no picture of: each becomes a question mark, not a gap."""
    face = pdfmetrics.getFont(_fonts()[0]).face
    return "".join(letter if ord(letter) in face.charToGlyph else "?" for letter in text)
