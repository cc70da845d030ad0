"""A guideline's text as people read it: Markdown to harmless HTML, with no pictures but the campaign's own."""

from collections.abc import Mapping
from dataclasses import dataclass

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

# The text stands under a heading of the page or panel that shows it.
HEADINGS_START_AT = 3
TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "img"),
    *("h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title", "width", "height"}, "ol": {"start"}}
LINKS = {"http", "https", "mailto"}


@dataclass(frozen=True)
class ShownPicture:
    """Where a picture is, and its size in pixels, so that nothing jumps when it comes."""

    url: str
    width_px: int
    height_px: int


@dataclass(frozen=True)
class RenderedGuideline:
    """HTML that may be shown as it is, and the pictures that the text names and the campaign does not have."""

    html: str
    unknown_pictures: list[str]


def render_guideline(text: str, pictures: Mapping[str, ShownPicture]) -> RenderedGuideline:
    """Render Markdown (CommonMark and tables; no HTML). `pictures` are those that `![words](name)` may name.

    A picture that is not among them leaves its words alone. The sanitiser has the last word over what comes out.
    """
    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    tokens = markdown.parse(text)
    unknown: list[str] = []
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + HEADINGS_START_AT - 1)}"
        if token.children:
            token.children = [_own_picture(child, pictures, unknown) for child in token.children]
    addresses = {picture.url for picture in pictures.values()}

    def own_addresses_only(tag: str, attribute: str, value: str) -> str | None:
        return None if tag == "img" and attribute == "src" and value not in addresses else value

    html = nh3.clean(
        markdown.renderer.render(tokens, markdown.options, {}),
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=own_addresses_only,
        url_schemes=LINKS,
        link_rel="noopener noreferrer",
        # Beside the image a reader is at work: a link never takes the page away.
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return RenderedGuideline(html, sorted(set(unknown)))


def _own_picture(token: Token, pictures: Mapping[str, ShownPicture], unknown: list[str]) -> Token:
    if token.type != "image":
        return token
    name = str(token.attrGet("src") or "")
    picture = pictures.get(name)
    if picture is None:
        unknown.append(name)
        return Token("text", "", 0, content=token.content)
    token.attrSet("src", picture.url)
    token.attrSet("width", str(picture.width_px))
    token.attrSet("height", str(picture.height_px))
    return token
