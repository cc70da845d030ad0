"""What scans are filtered by: the database's expression for each value, words for it, and how many scans have it."""

from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case, CharField, Count, F, Func, QuerySet, Value, When
from django.db.models.functions import Cast, Concat, Trim

from webapp.archive.models import CAME_AS, Scan, scanner_name
from webapp.archive.remarks import short_of

UNKNOWN = "-"
MOST_OPTIONS = 40
Counts = list[tuple[str, int]]
THICKNESS = {"thin": "up to 1.5 mm", "medium": "1.5 to 3 mm", "thick": "3 mm and more", UNKNOWN: "not known"}
AGES = {"young": "under 40", "middle": "40 to 59", "old": "60 to 79", "oldest": "80 and more", UNKNOWN: "not known"}
DOSES = {"low": "under 3 mGy", "usual": "3 to 8 mGy", "high": "8 mGy and more", UNKNOWN: "not known"}
SEXES = {"F": "female", "M": "male", "O": "other", UNKNOWN: "not known"}
CONTRAST = {"yes": "given", "no": "none known"}
SOURCES = {source: words.removesuffix(" volume").removesuffix(" series") for source, words in CAME_AS.items()}


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


REMARKS = Func(F("remark_codes"), function="unnest", output_field=CharField())
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
    Facet("dose", "Dose (CTDIvol)", _ranges("ctdi_vol_mgy", ("low", 3), ("usual", 8), ("high", 0)), DOSES),
    Facet("contrast", "Contrast", Case(When(contrast=True, then=Value("yes")), default=Value("no")), CONTRAST),
    Facet("sex", "Sex", _text("sex"), SEXES),
    Facet("age", "Age", _ranges("patient_age_years", ("young", 40), ("middle", 60), ("old", 80), ("oldest", 0)), AGES),
    Facet("remark", "Warnings", REMARKS),
    Facet("source", "Came as", F("source"), SOURCES),
    Facet("campaign", "Campaign", None),
)


def counted(found: QuerySet[Scan], expression: Any) -> Counts:
    """The values of one expression among scans, the most frequent first."""
    valued = found.order_by().annotate(value=expression).values("value").annotate(count=Count("pk"))
    return list(valued.order_by("-count", "value").values_list("value", "count")[: MOST_OPTIONS + 1])


def grouped(found: QuerySet[Scan]) -> tuple[int, dict[str, Counts]]:
    """How many scans there are, and the values of every facet that has one value a scan, in one pass over them."""
    facets = [facet for facet in FACETS if facet.name not in ("remark", "campaign")]
    columns = [f"facet_{facet.name}" for facet in facets]
    valued = found.order_by().annotate(**{f"facet_{facet.name}": facet.expression for facet in facets})
    try:
        inner, values = valued.values(*columns).query.sql_with_params()
    except EmptyResultSet:  # what is asked for cannot be
        return 0, {facet.name: [] for facet in facets}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT GROUPING({', '.join(columns)}), {', '.join(columns)}, count(*) FROM ({inner}) AS found"
            f" GROUP BY GROUPING SETS ({', '.join(f'({column})' for column in columns)}, ())",
            values,
        )
        rows = cursor.fetchall()
    total = 0
    counts: dict[str, Counts] = {facet.name: [] for facet in facets}
    everything = 2 ** len(facets) - 1
    for mask, *row, count in rows:
        if mask == everything:
            total = count
            continue
        # GROUPING() has a bit for each column, the first one's the highest: that of the row's own is not set.
        place = len(facets) - (everything - mask).bit_length()
        counts[facets[place].name].append((row[place], count))
    return total, {name: sorted(some, key=lambda one: (-one[1], one[0])) for name, some in counts.items()}
