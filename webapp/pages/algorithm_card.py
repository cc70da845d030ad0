"""The card of an algorithm version as facts and tables for a page. A card is a stranger's text: all is bounded."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from webapp.algorithms.models import Algorithm
from webapp.pages.charts import round_up

MOST_ROWS, MOST_COLUMNS, MOST_TABLES, MOST_NOTES, MOST_NAMED = 300, 16, 40, 60, 400
LONGEST_CELL = 300
NON_COMMERCIAL = re.compile(r"non-?commercial|\bNC\b", re.IGNORECASE)
NUMBER = re.compile(r"-?[0-9][0-9.,]*(?:e[-+]?[0-9]+)?")
NETWORKS = {"unet-2d": "2D U-Net"}
SPELT = {
    "dice": "Dice",
    "auc": "AUC",
    "ppv": "PPV",
    "npv": "NPV",
    "sd": "SD",
    "hu": "HU",
    "ml": "mL",
    "mm": "mm",
    "percent": "%",
}
LABELS = {"lung": "lungs", "lesion": "lesion"}
# Parts of `training` that have a place of their own on the page.
PLACED = ("sets", "split", "scans")
SPLIT = {"train": "trained on", "tune": "tuned on", "validate": "kept apart"}
WIDTH, HEIGHT = 420, 140


@dataclass(frozen=True)
class Table:
    """Rows of words under names; `left_out` rows were too many. Numbers stand at the right of their column."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    left_out: int = 0

    @property
    def heads(self) -> list[tuple[str, bool]]:
        """Each column's name, and whether it stands over numbers."""
        counts = [sum(bool(NUMBER.fullmatch(row[place])) for row in self.rows) for place in range(len(self.columns))]
        return [(name, 2 * count > len(self.rows)) for name, count in zip(self.columns, counts, strict=True)]

    @property
    def lines(self) -> list[list[tuple[str, bool]]]:
        """Each row's cells, and whether each is a number, or stands in for one."""
        over_numbers = [is_number for _, is_number in self.heads]
        return [
            [(cell, bool(NUMBER.fullmatch(cell)) or right) for cell, right in zip(row, over_numbers, strict=True)]
            for row in self.rows
        ]


@dataclass(frozen=True)
class Curve:
    """One line of a chart: its name, its place among them, and its path."""

    name: str
    place: int
    path: str
    last: str


@dataclass(frozen=True)
class Chart:
    """Learning curves that share an axis, in a box of `width` x `height`; `chosen` is a line at the epoch taken."""

    title: str
    top: float
    epochs: int
    curves: list[Curve]
    chosen: str
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class CardView:
    """What a page shows of a card."""

    facts: dict[str, str]
    licence: str
    is_non_commercial: bool
    sets: Table | None
    split: list[tuple[str, int, str]]
    training: dict[str, str]
    metrics: list[Table]
    notes: list[str]
    charts: list[Chart] = field(default_factory=list)


def card_view(algorithm: Algorithm) -> CardView:
    """The card of a version, as far as a page shows it."""
    card = algorithm.ordered_card
    licence = words(card.get("licence", ""))
    training = card.get("training")
    training = training if isinstance(training, dict) else {}
    plain = {key: value for key, value in training.items() if key not in PLACED}
    notes = card.get("notes")
    return CardView(
        facts=_facts(algorithm, card),
        licence=licence,
        is_non_commercial=bool(NON_COMMERCIAL.search(licence)),
        sets=_sets(training.get("sets")),
        split=_split(training.get("split")),
        training=dict(_flat(plain)[:MOST_ROWS]),
        metrics=tables_of(card.get("metrics"))[:MOST_TABLES],
        notes=[words(note, 4000) for note in notes[:MOST_NOTES]] if isinstance(notes, list) else [],
        charts=charts_of(algorithm.curves, training.get("chosen_epoch")),
    )


def name_of(key: Any) -> str:
    """A key as people read it."""
    return " ".join(SPELT.get(word, word) for word in words(str(key).replace("_", " "), 60).split(" "))


def _upper(name: str) -> str:
    return name[:1].upper() + name[1:]


def words(value: Any, most: int = LONGEST_CELL) -> str:
    """A plain value as a cell shows it."""
    if value is None:
        text = "–"
    elif isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, int):
        text = f"{value:,}"
    elif isinstance(value, float):
        text = _figure(value)
    elif isinstance(value, list | tuple):
        text = ", ".join(words(one, 60) for one in value[:MOST_NAMED])
    elif isinstance(value, dict):
        text = ", ".join(f"{name_of(key)} {words(one, 60)}" for key, one in list(value.items())[:MOST_NAMED])
    else:
        text = str(value)
    return text if len(text) <= most else f"{text[:most]}…"


def _figure(value: float) -> str:
    """As many digits as say something: three decimals of what is small, none of hundreds."""
    size = abs(value)
    if value == 0 or 0.001 <= size < 1:
        return f"{value:.3f}"
    if size < 0.001:
        return f"{value:.2g}"
    return f"{value:,.2f}" if size < 100 else f"{value:,.0f}"


def _facts(algorithm: Algorithm, card: Mapping[str, Any]) -> dict[str, str]:
    if algorithm.entry != Algorithm.NETWORK:
        return {
            name_of(key)[:1].upper() + name_of(key)[1:]: words(value, 1000)
            for key, value in list(card.items())[:MOST_ROWS]
        }
    labels = [LABELS.get(label, words(label)) for label in card.get("labels", [])]
    facts = {
        "Draws": " and ".join(labels),
        "Network": f"{NETWORKS.get(card.get('network', 'unet-2d'), words(card.get('network')))}, "
        f"{words(card.get('width'))} channels at its first level",
        "Slices look": words(card.get("look")),
        "Inside from a probability of": words(card.get("threshold", 0.5)),
    }
    if card.get("spacing_yx_mm"):
        facts["Pixel spacing of what was trained on"] = f"{words(card['spacing_yx_mm'])} mm (y, x)"
    return facts


def _flat(value: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    """Plain values of nested objects, by the names that lead to them."""
    found: list[tuple[str, str]] = []
    for key, one in value.items():
        name = f"{before} {name_of(key)}".strip()
        found += _flat(one, name) if isinstance(one, dict) and len(before) < 200 else [(name, words(one))]
    return found


def _sets(sets: Any) -> Table | None:
    if isinstance(sets, list):
        return Table("", ["Data set"], [[words(one)] for one in sets[:MOST_ROWS]], max(0, len(sets) - MOST_ROWS))
    if not isinstance(sets, dict) or not sets:
        return None
    rows = []
    for name, said in list(sets.items())[:MOST_ROWS]:
        said = said if isinstance(said, dict) else {"cases": said}
        cases = said.get("cases")
        count = f"{len(cases):,}" if isinstance(cases, list) else words(cases)
        rows.append([words(name), count, words(said.get("slices")), words(said.get("licence"))])
    return Table("", ["Data set", "Cases", "Slices", "Licence"], rows, max(0, len(sets) - MOST_ROWS))


def _split(split: Any) -> list[tuple[str, int, str]]:
    """(what for, how many cases, their names) of each part of the cases."""
    if not isinstance(split, dict):
        return []
    parts = [(part, names) for part, names in split.items() if isinstance(names, list)]
    return [(SPLIT.get(part, name_of(part)), len(names), words(names, 4000)) for part, names in parts[:MOST_ROWS]]


def tables_of(value: Any, title: str = "", depth: int = 0) -> list[Table]:
    """Nested figures as tables: an object of objects, or a list of them, has a row for each; plain values share one."""
    if isinstance(value, list):
        return _table_of_list(value, title)
    if not isinstance(value, dict) or not value:
        return []
    plain = {key: one for key, one in value.items() if not isinstance(one, dict) and not _is_rows(one)}
    nested = {key: one for key, one in value.items() if key not in plain}
    tables = []
    if plain:
        rows = [[name_of(key), words(one)] for key, one in list(plain.items())[:MOST_ROWS]]
        tables.append(Table(title, ["Figure", "Value"], rows, max(0, len(plain) - MOST_ROWS)))
    alike = _alike(nested)
    if alike:
        tables.append(_table_of_objects(alike, title))
    for key, one in nested.items():
        if key in alike:
            continue
        below = f"{title}: {name_of(key)}" if title else _upper(name_of(key))
        tables += tables_of(one, below, depth + 1) if depth < 4 else []
    return tables


def _alike(nested: Mapping[str, Any]) -> dict[str, Any]:
    """The objects of plain values that make one table: all, if there is nothing else, or those with the same names."""
    flat = {key: one for key, one in nested.items() if isinstance(one, dict) and _is_flat(one)}
    if len(flat) == len(nested):
        return flat if len(flat) > 1 else {}
    for first in flat.values():
        same = {key: one for key, one in flat.items() if set(one) == set(first)}
        if len(same) > 1:
            return same
    return {}


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _is_flat(value: Mapping[str, Any]) -> bool:
    return not any(isinstance(one, dict) or _is_rows(one) for one in value.values())


def _table_of_list(value: Sequence[Any], title: str) -> list[Table]:
    if not _is_rows(value):
        return [Table(title, ["Value"], [[words(one)] for one in value[:MOST_ROWS]], max(0, len(value) - MOST_ROWS))]
    columns = list(dict.fromkeys(key for one in value[:MOST_ROWS] for key in one))[:MOST_COLUMNS]
    rows = [[words(one.get(column)) if column in one else "" for column in columns] for one in value[:MOST_ROWS]]
    return [Table(title, [name_of(column) for column in columns], rows, max(0, len(value) - MOST_ROWS))]


def _table_of_objects(value: Mapping[str, Any], title: str) -> Table:
    shown = list(value.items())[:MOST_ROWS]
    columns = list(dict.fromkeys(key for _, one in shown for key in one))[: MOST_COLUMNS - 1]
    rows = [
        [name_of(key), *(words(one.get(column)) if column in one else "" for column in columns)] for key, one in shown
    ]
    return Table(title, ["", *(name_of(column) for column in columns)], rows, max(0, len(value) - MOST_ROWS))


def charts_of(curves: Mapping[str, Any], chosen_epoch: Any = None) -> list[Chart]:
    """Learning curves drawn: losses on one chart, Dice on another."""
    columns, rows = curves.get("columns", []), curves.get("rows", [])
    if not rows or "epoch" not in columns:
        return []
    epochs = len(rows)
    chosen = chosen_epoch if isinstance(chosen_epoch, int) and 1 <= chosen_epoch <= epochs else None
    charts = []
    for title, part, top in (("Loss", "loss", None), ("Dice", "dice", 1.0)):
        all_values = {name: [row[place] for row in rows] for place, name in enumerate(columns) if part in name}
        values = {name: column for name, column in all_values.items() if any(value is not None for value in column)}
        known = [value for column in values.values() for value in column if value is not None]
        if known:
            highest = top if top is not None and max(known) <= top else round_up(max(known))
            drawn = [_curve(name, place, column, highest) for place, (name, column) in enumerate(values.items())]
            line = "" if chosen is None else f"M{_x(chosen - 1, epochs)} 0V{HEIGHT}"
            charts.append(Chart(title, highest, epochs, drawn, line))
    return charts


def _x(place: int, count: int) -> float:
    return round(WIDTH * place / max(count - 1, 1), 1)


def _curve(name: str, place: int, values: Sequence[float | None], top: float) -> Curve:
    path, pen_down = [], False
    for at, value in enumerate(values):
        if value is None:
            pen_down = False
            continue
        y = HEIGHT * (1 - min(max(value / top, 0.0), 1.0))
        path.append(f"{'L' if pen_down else 'M'}{_x(at, len(values))} {y:.1f}")
        pen_down = True
    return Curve(name_of(name), place, "".join(path), words(values[-1]))
