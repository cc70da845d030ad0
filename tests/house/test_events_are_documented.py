"""Every event has words for people and a line in the reference, with each of its details."""

import ast
import importlib
from pathlib import Path

import webapp
from webapp.pages import events_page
from webapp.pages.event_words import WORDS, sentence_of

ROOT = Path(webapp.__file__).parent
# What every event has beside its details.
NO_DETAIL = {"by", "chain", "subject", None}


def names_of_events() -> dict[str, str]:
    """Every event's name, by the constant that names it."""
    found = {}
    for path in sorted(ROOT.glob("*/events.py")):
        module = importlib.import_module(f"webapp.{path.parent.name}.events")
        found |= {constant: name for constant, name in vars(module).items() if constant.isupper()}
    return found


def recorded() -> dict[str, set[str]]:
    """The details that the code records, by event."""
    names, found = names_of_events(), {}
    for path in sorted(ROOT.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.args):
                continue
            first, name = call.args[0], call.func.id
            constant = first.attr if isinstance(first, ast.Attribute) else getattr(first, "id", "")
            if name in ("record", "_record_of_case") and constant in names:
                details = {keyword.arg for keyword in call.keywords} - NO_DETAIL
                found.setdefault(names[constant], set()).update(details)
    return found


def test_every_event_has_words_and_every_word_an_event():
    assert set(names_of_events().values()) == set(WORDS)


def test_every_detail_that_is_recorded_is_documented():
    missing = {name: details - set(WORDS[name].details) for name, details in recorded().items()}
    assert {name: details for name, details in missing.items() if details} == {}


def test_code_that_is_looked_through_records_something():
    assert {"sentence", "code", "action"} <= recorded()["action.refused"]
    assert len(recorded()) > 40


def test_sentences_name_only_what_is_recorded():
    for name, words in WORDS.items():
        details = dict.fromkeys(words.details, "x")
        assert "…" not in sentence_of(name, details, "it"), name


def test_reference_is_what_the_words_say():
    """`python -m webapp.pages.events_page` writes it anew."""
    page = events_page.PAGE.read_text()
    assert events_page.written(page) == page
