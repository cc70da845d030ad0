"""The scoring forms of a case as its readings answered them, beside each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webapp.accounts.models import User
from webapp.campaigns.models import Case
from webapp.campaigns.scoring_forms import items_of, total_of
from webapp.readings.models import Reading
from webapp.readings.queries import readings_of_case_for
from webapp.readings.scoring import answers_of


@dataclass(frozen=True)
class Scored:
    """One form of a case, beside each other as the readings answered it: a column a reading, a row an item."""

    title: str
    source: str
    readings: list[Reading]
    rows: list[tuple[str, list[str]]]
    sums: list[str]
    sum_title: str

    @property
    def columns(self) -> list[tuple[Reading, str]]:
        """Each reading with its sum, where the form has one."""
        return list(zip(self.readings, self.sums, strict=False))


def scores_for(user: User, case: Case) -> list[Scored]:
    """The filled forms of a case in the readings that a person may see, oldest reading first."""
    readings = list(readings_of_case_for(user, case).exclude(state=Reading.RELEASED))
    answers = {reading.pk: answers_of(reading) for reading in readings if reading.protocol.said.forms}
    forms = {form["key"]: form for reading in readings for form in reading.protocol.said.forms}
    found = []
    for key, form in forms.items():
        filled = [one for one in readings if key in answers.get(one.pk, {})]
        if filled:
            found.append(_scored(form, filled, [answers[one.pk][key] for one in filled]))
    return found


def _scored(form: Mapping[str, Any], readings: list[Reading], answers: list[dict[str, Any]]) -> Scored:
    rows = [(item.title, [_shown(item.field, said.get(item.key)) for said in answers]) for item in items_of(form)]
    totals = [total_of(form, said) for said in answers]
    sums = [str(round(t.value, 6)) + ("" if t.complete else " (incomplete)") for t in totals if t]
    title = form["sum"]["title"] if form.get("sum") else ""
    return Scored(form["title"], form.get("source", ""), readings, rows, sums, title)


def _shown(field: Mapping[str, Any], value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, str) and field.get("choices"):
        return next((choice["title"] for choice in field["choices"] if choice["value"] == value), value)
    unit = field.get("unit")
    return f"{value} {unit}" if unit else str(value)
