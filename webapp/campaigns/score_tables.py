"""The table of preset scoring forms for the reference, written from the presets in use.

`python -m webapp.campaigns.score_tables` writes it into docs/reference/scoring-forms.md, between its marks.
"""

from pathlib import Path

from webapp.campaigns.score_presets import PRESET_FORMS
from webapp.campaigns.scoring_forms import items_of, total_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "scoring-forms.md"
MARK, END = "<!-- written by webapp.campaigns.score_tables -->", "<!-- end -->"


def table() -> str:
    """The presets: what is scored, with what, the range of the sum, and where it was published."""
    rows = []
    for key, form in PRESET_FORMS.items():
        choices = ", ".join(f"{choice['value']} {choice['title']}" for choice in form["fields"][0]["choices"])
        total = total_of(form, {})
        assert total is not None
        sum_of = f"{form['sum']['title']} 0 to {total.most}"
        rows.append(f"| `{key}` | {form['title']} | {len(items_of(form))} | {choices} | {sum_of} | {form['source']} |")
    head = ["| Key | Title | Regions | Each scored | Sum | Source |", "|---|---|---|---|---|---|"]
    regions = [f"`{key}`: {', '.join(item.title for item in items_of(form))}." for key, form in PRESET_FORMS.items()]
    return "\n".join([*head, *rows, "", "\n\n".join(regions)])


def written(page: str) -> str:
    """The page with its table anew."""
    before, rest = page.split(MARK, 1)
    return f"{before}{MARK}\n\n{table()}\n\n{END}{rest.split(END, 1)[1]}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
