"""Text of PDFs: fonts that know Europe's letters, and nothing that the library would take for its own markup."""

from functools import cache
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

INK, FAINT, RULE, BAD, WAIT = (HexColor(c) for c in ("#1a2128", "#55616b", "#c9d1d8", "#a32420", "#8a5a00"))


@cache
def fonts() -> tuple[str, str]:
    """Plain and bold. They come with the library; the standard PDF fonts know only half of Europe's letters."""
    for name, file in (("Plain", "Vera.ttf"), ("Bold", "VeraBd.ttf")):
        pdfmetrics.registerFont(TTFont(name, file))
    pdfmetrics.registerFontFamily("Plain", normal="Plain", bold="Bold", italic="Plain", boldItalic="Bold")
    return "Plain", "Bold"


def style(size: float, **more: object) -> ParagraphStyle:
    """A paragraph of a size in points."""
    return ParagraphStyle("text", **{"fontName": fonts()[0], "fontSize": size, "leading": size * 1.35, **more})


def text(of: str) -> str:
    """A text as the library's own small markup takes it."""
    return escape(known(of))


def known(of: str) -> str:
    """A text without letters that the font has no picture of: each becomes a question mark, not a gap."""
    face = pdfmetrics.getFont(fonts()[0]).face
    return "".join(letter if ord(letter) in face.charToGlyph else "?" for letter in of)
