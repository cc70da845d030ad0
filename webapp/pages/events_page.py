"""`python -m webapp.pages.events_page` writes the table of docs/reference/audit.md anew."""

import os
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "audit.md"
BEGIN, END = "<!-- events: begin -->", "<!-- events: end -->"


def table() -> str:
    """All events, by name."""
    from webapp.pages.event_words import WORDS

    head = "| Event | When it is written | Details |\n|---|---|---|\n"
    return head + "".join(
        f"| `{name}` | {words.meaning} | {_details(words.details)} |\n" for name, words in WORDS.items()
    )


def _details(details: dict[str, str]) -> str:
    return "; ".join(f"`{name}` {meaning}" for name, meaning in details.items())


def written(page: str) -> str:
    """The page with its table anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n{END}{after}"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    PAGE.write_text(written(PAGE.read_text()))
    sys.stdout.write(f"{PAGE} is written.\n")
