"""Searching scans: words, filters and order read from a page's address, and what to count beside each filter.

A fixed number of queries for any number of scans. What an address says that means nothing is left out; nothing in it
reaches the database but as a value.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, CharField, Count, F, Func, OrderBy, Prefetch, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Concat, Trim
from django.http import QueryDict

from webapp.archive.models import Picture, Scan, scanner_name
from webapp.archive.remarks import short_of

UNKNOWN = "-"
MOST_WORDS, LONGEST_WORDS, MOST_VALUES, MOST_OPTIONS = 8, 200, 20, 40
WORDS_IN = (
    "study__patient__pseudonym",
    "description",
    "manufacturer",
    "model_name",
    "kernel",
    "site",
    "body_part",
    "series_uid",
    "study__uid",
)
THICKNESS = {"thin": "up to 1.5 mm", "medium": "1.5 to 3 mm", "thick": "3 mm and more", UNKNOWN: "not known"}
AGES = {"young": "under 40", "middle": "40 to 59", "old": "60 to 79", "oldest": "80 and more", UNKNOWN: "not known"}
SEXES = {"F": "female", "M": "male", "O": "other", UNKNOWN: "not known"}
CONTRAST = {"yes": "given", "no": "none known"}
SOURCES = {"dicom": "DICOM", "nifti": "NIfTI"}


def _text(name: str) -> Any:
    return Case(When(**{name: ""}, then=Value(UNKNOWN)), default=F(name), output_field=CharField())


def _ranges(name: str, *ranges: tuple[str, float]) -> Any:
    """The first range whose upper bound a number is under; the last one has none."""
    *bounded, (last, _) = ranges
    steps = [When(**{f"{name}__lt": bound}, then=Value(word)) for word, bound in bounded]
    return Case(
        When(**{f"{name}__isnull": True}, then=Value(UNKNOWN)),
        *steps,
        default=Value(last),
        output_field=CharField(),
    )


@dataclass(frozen=True)
class Facet:
    """One thing to filter by: the database's expression for its value, and words for values that need them."""

    name: str
    title: str
    expression: Any
    words: dict[str, str] = field(default_factory=dict)

    def word(self, value: str) -> str:
        """A value as people read it."""
        if self.name == "remark":
            return short_of(value)
        if self.name == "scanner" and value != UNKNOWN:
            return scanner_name(value)
        if self.name == "kvp" and value != UNKNOWN:
            return f"{float(value):g} kVp"
        return self.words.get(value) or ("not known" if value == UNKNOWN else value)


_SCANNER = Trim(Concat("manufacturer", Value(" "), "model_name"))
FACETS = (
    Facet("site", "Site", _text("site"), {UNKNOWN: "not named"}),
    Facet("scanner", "Scanner", Case(When(manufacturer="", model_name="", then=Value(UNKNOWN)), default=_SCANNER)),
    Facet("kernel", "Kernel", _text("kernel")),
    Facet(
        "thickness",
        "Thickness",
        _ranges("slice_thickness_mm", ("thin", 1.5001), ("medium", 2.9999), ("thick", 0)),
        THICKNESS,
    ),
    Facet("kvp", "kVp", Case(When(kvp=None, then=Value(UNKNOWN)), default=Cast("kvp", CharField()))),
    Facet("contrast", "Contrast", Case(When(contrast=True, then=Value("yes")), default=Value("no")), CONTRAST),
    Facet("sex", "Sex", _text("study__patient__sex"), SEXES),
    Facet("age", "Age", _ranges("patient_age_years", ("young", 40), ("middle", 60), ("old", 80), ("oldest", 0)), AGES),
    Facet("remark", "Warnings", Func(F("remark_codes"), function="unnest", output_field=CharField())),
    Facet("source", "Came as", F("source"), SOURCES),
    Facet("campaign", "Campaign", None),
)
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
    "sex": "study__patient__sex",
    "date": "study__shifted_date",
}
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
    """The options of one facet."""

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
            found = Q()
            for name in WORDS_IN:
                found |= Q(**{f"{name}__icontains": word})
            scans = scans.filter(found)
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
        first = OrderBy(F(name), descending=self.order.startswith("-"), nulls_last=True)
        small = Picture.objects.filter(size="small", plane="axial")
        return (
            scans.select_related("study__patient")
            .defer("slabs", "affine_lps", "warnings")
            .prefetch_related(Prefetch("pictures", small, to_attr="thumbnails"))
            .order_by(first, "-filed_at", "pk")
        )

    def menus(self, scans: QuerySet[Scan]) -> Iterator[Menu]:
        """Each facet with its values among the scans found, the most frequent first."""
        for facet in FACETS:
            found = self.within(scans, but=facet.name)
            expression = facet.expression
            if facet.name == "campaign":
                found = found.filter(cases__campaign__slug__in=list(self.campaigns), cases__scan__deleted_at=None)
                expression = F("cases__campaign__slug")
            valued = found.annotate(value=expression).values("value").annotate(count=Count("pk"))
            counted = list(valued.order_by("-count", "value").values_list("value", "count")[: MOST_OPTIONS + 1])
            yield self._menu(facet, counted)

    def _menu(self, facet: Facet, counted: list[tuple[str, int]]) -> Menu:
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
