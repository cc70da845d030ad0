"""What the templates of every app share: icons, build files, numbers and ages in words."""

from datetime import datetime
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from webapp.campaigns.models import Campaign
from webapp.notices.queries import MOST_COUNTED, unseen_count
from webapp.pages import vite
from webapp.pages.algorithm_card import name_of, words
from webapp.pages.algorithm_queries import choices_of

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """One icon of the sprite; it says nothing by itself, a word always stands beside it."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', static("pages/icons.svg"), name
    )


@register.simple_tag
def built(entry: str) -> SafeString:
    """The script and style elements of a Vite entry; nothing where the front end is not built."""
    assets = vite.assets_of(entry)
    if not assets:
        return SafeString("")
    styles = format_html_join("", '<link rel="stylesheet" href="{}">', ((static(s),) for s in assets.styles))
    preloads = format_html_join("", '<link rel="modulepreload" href="{}">', ((static(p),) for p in assets.preloads))
    return styles + preloads + format_html('<script type="module" src="{}"></script>', static(assets.script))


@register.inclusion_tag("pages/bell.html", takes_context=True)
def bell(context: template.Context) -> dict[str, Any]:
    """The bell of the page's header: how many notices of the person who looks are new."""
    count = unseen_count(context["request"].user)
    words = f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count) if count else ""
    return {"words": words, "request": context["request"]}


@register.inclusion_tag("pages/algorithms_of_campaign.html", takes_context=True)
def algorithms_of_campaign(context: template.Context, campaign: Campaign) -> dict[str, Any]:
    """The algorithms of a campaign, and for its coordinators the buttons that change them."""
    return {**choices_of(context["request"].user, campaign), "csrf_token": context.get("csrf_token")}


@register.filter
def named(key: str) -> str:
    """The name of a recorded value as people read it."""
    return name_of(key)


@register.filter
def said(value: Any) -> str:
    """A recorded value as people read it."""
    return words(value)


@register.filter
def figure(value: float | None, digits: int = 1) -> str:
    """A number with a fixed count of decimals and thousands marked; a dash where there is none."""
    if value is None:
        return "–"
    # Rounded first: what is nought at this precision has no sign.
    return f"{round(value, digits) + 0.0:,.{digits}f}"


@register.filter
def percent_of(value: float | None, whole: float) -> str:
    """So many per cent of a length, for a drawing."""
    return f"{min(max(value or 0.0, 0.0), 100.0) * float(whole) / 100:.2f}"


@register.filter
def age(moment: datetime | None) -> str:
    """How long ago, in one short word: "12 min", "3 h", "5 d"."""
    if moment is None:
        return ""
    seconds = max(0, int((timezone.now() - moment).total_seconds()))
    if seconds < 60:
        return "now"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return "now"


@register.filter
def short_hash(digest: str) -> str:
    """The first twelve digits of a hash: enough for people to compare."""
    return digest[:12]


@register.filter
def split_words(text: str) -> list[str]:
    """The words of a text, for a loop over a few fixed ones."""
    return text.split()
