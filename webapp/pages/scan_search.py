"""Searching scans: words, filters and order read from a page's address, and what to count beside each filter.

A fixed number of queries for any number of scans. What an address says that means nothing is left out; nothing in it
reaches the database but as a value.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, F, OrderBy, Prefetch, Q, QuerySet
from django.http import QueryDict

from webapp.archive.models import Picture, Scan
from webapp.campaigns.models import Campaign
from webapp.pages.scan_facets import FACETS, MOST_OPTIONS, REMARKS, Counts, Facet, counted, grouped

MOST_WORDS, LONGEST_WORDS, MOST_VALUES = 8, 200, 20
ORDERS = {
    "filed": "filed_at",
    "pseudonym": "study__patient__pseudonym",
    "site": "site",
    "scanner": "manufacturer",
    "kernel": "kernel",
    "thickness": "slice_thickness_mm",
    "slices": "slice_count",
    "kvp": "kvp",
    "age": "patient_age_years",
    "sex": "sex",
    "date": "study__shifted_date",
}
NULLABLE = {"slice_thickness_mm", "kvp", "patient_age_years", "study__shifted_date"}
USUAL_ORDER = "-filed"


@dataclass(frozen=True)
class Option:
    """A value that can be chosen, how many scans have it, and the address with it chosen or no longer chosen."""

    word: str
    count: int
    chosen: bool
    address: str


@dataclass(frozen=True)
class Menu:
    """The options of one facet; `more` where it has others that are rarer."""

    facet: Facet
    options: list[Option]
    more: bool

    @property
    def chosen(self) -> list[Option]:
        """Those that the search is narrowed to."""
        return [option for option in self.options if option.chosen]


@dataclass(frozen=True)
class Search:
    """What is looked for. `campaigns` are those of the person who looks, by slug: others are not to be asked for."""

    words: str = ""
    chosen: dict[str, tuple[str, ...]] = field(default_factory=dict)
    first_day: date | None = None
    last_day: date | None = None
    order: str = USUAL_ORDER
    campaigns: dict[str, str] = field(default_factory=dict)
    trouble: str = ""

    @classmethod
    def of(cls, asked: QueryDict, campaigns: dict[str, str]) -> "Search":
        """Read a page's address."""
        chosen = {}
        for facet in FACETS:
            values = dict.fromkeys(_clean(value) for value in asked.getlist(facet.name)[:MOST_VALUES])
            if kept := tuple(value for value in values if value):
                chosen[facet.name] = kept
        first, first_trouble = _day(asked.get("from", ""))
        last, last_trouble = _day(asked.get("to", ""))
        order = asked.get("order", "")
        return cls(
            words=_clean(asked.get("q", "")),
            chosen=chosen,
            first_day=first,
            last_day=last,
            order=order if order.removeprefix("-") in ORDERS else USUAL_ORDER,
            campaigns=campaigns,
            trouble=first_trouble or last_trouble,
        )

    @property
    def narrows(self) -> bool:
        """Whether anything but the order was asked for."""
        return bool(self.words or self.chosen or self.first_day or self.last_day)

    def within(self, scans: QuerySet[Scan], *, but: str = "") -> QuerySet[Scan]:
        """The scans that are looked for, in no order; without the facet `but`."""
        for word in self.words.split()[:MOST_WORDS]:
            scans = scans.filter(Q(search_text__contains=word.lower()) | Q(site__icontains=word))
        if self.first_day:
            scans = scans.filter(study__shifted_date__gte=self.first_day)
        if self.last_day:
            scans = scans.filter(study__shifted_date__lte=self.last_day)
        for facet in FACETS:
            values = self.chosen.get(facet.name)
            if values and facet.name != but:
                scans = self._narrowed(scans, facet, values)
        return scans

    def _narrowed(self, scans: QuerySet[Scan], facet: Facet, values: tuple[str, ...]) -> QuerySet[Scan]:
        if facet.name == "campaign":
            slugs = [value for value in values if value in self.campaigns]
            return scans.filter(pk__in=Scan.objects.filter(cases__campaign__slug__in=slugs).values("pk"))
        if facet.name == "remark":
            return scans.filter(remark_codes__overlap=list(values))
        return scans.alias(**{f"is_{facet.name}": facet.expression}).filter(**{f"is_{facet.name}__in": values})

    def ordered(self, scans: QuerySet[Scan]) -> QuerySet[Scan]:
        """The scans in the order asked for, with what a line of the list shows."""
        name = ORDERS[self.order.removeprefix("-")]
        # Only what may be unknown is told where to go: with it no index would serve.
        unknown_last = True if name in NULLABLE else None
        first = OrderBy(F(name), descending=self.order.startswith("-"), nulls_last=unknown_last)
        small = Picture.objects.filter(size="small", plane="axial")
        return (
            scans.select_related("study__patient")
            .defer("slabs", "affine_lps", "warnings", "search_text")
            .prefetch_related(Prefetch("pictures", small, to_attr="thumbnails"))
            .order_by(first, "-filed_at", "pk")
        )

    def count(self, scans: QuerySet[Scan]) -> tuple[int, list[Menu]]:
        """How many scans are found, and each facet with its values among them, the most frequent first.

        Where a facet is narrowed already, its own values are counted without it: they are what else may be chosen.
        """
        found = self.within(scans)
        total, counts = grouped(found)
        counts["remark"] = counted(found, REMARKS)
        counts["campaign"] = self._by_campaign(found)
        for facet in FACETS:
            if facet.name in self.chosen:
                others = self.within(scans, but=facet.name)
                counts[facet.name] = (
                    self._by_campaign(others) if facet.name == "campaign" else counted(others, facet.expression)
                )
        return total, [self._menu(facet, counts[facet.name]) for facet in FACETS]

    def _by_campaign(self, found: QuerySet[Scan]) -> Counts:
        if len(self.campaigns) < 2:  # there is nothing to choose
            return []
        held = Campaign.objects.filter(slug__in=list(self.campaigns), cases__scan__in=found.values("pk"))
        numbered = held.values("slug").annotate(count=Count("cases"))
        return list(numbered.order_by("-count", "slug").values_list("slug", "count")[: MOST_OPTIONS + 1])

    def _menu(self, facet: Facet, counted: Counts) -> Menu:
        chosen = self.chosen.get(facet.name, ())
        counts = {value: count for value, count in counted[:MOST_OPTIONS]}
        counts.update({value: 0 for value in chosen if value not in counts})
        options = []
        for value, count in counts.items():
            others = tuple(v for v in chosen if v != value)
            word = self.campaigns.get(value, value) if facet.name == "campaign" else facet.word(value)
            wanted = others if value in chosen else (*chosen, value)
            options.append(Option(word, count, value in chosen, self.address(**{facet.name: wanted})))
        return Menu(facet, options, len(counted) > MOST_OPTIONS)

    def address(self, **changes: Any) -> str:
        """The query part of the page's address for this search with some of it changed; the first page of it."""
        parts: dict[str, Any] = {
            "q": self.words,
            **self.chosen,
            "from": self.first_day or "",
            "to": self.last_day or "",
            "order": "" if self.order == USUAL_ORDER else self.order,
            **changes,
        }
        return "?" + urlencode({name: value for name, value in parts.items() if value}, doseq=True)


def _clean(text: str) -> str:
    return " ".join(text.replace("\0", "").split())[:LONGEST_WORDS]


def _day(text: str) -> tuple[date | None, str]:
    text = _clean(text)
    if not text:
        return None, ""
    try:
        return date.fromisoformat(text), ""
    except ValueError:
        return None, f"{text[:20]} is no date (2024-05-31 is one); it was left out."
