"""Versions from strangers: each is refused in a sentence, and nothing of it stays."""

import hashlib
import io
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from tests.factories.pictures import a_png
from tests.factories.versions import a_card
from webapp.algorithms import submitted
from webapp.algorithms.submitted import checked
from webapp.audit.refusal import ActionRefused


def refused(card: Any = None, weights: bytes = b"weights", **parts: Any) -> str:
    """The sentence that refuses a version; a card is a dict, or bytes as they are."""
    if card is None:
        card = a_card()
    if isinstance(card, dict):
        card = json.dumps({"weights_sha256": hashlib.sha256(weights).hexdigest(), **card}).encode()
    with pytest.raises(ActionRefused) as refusal:
        checked(card=card, weights=io.BytesIO(weights), **parts)
    assert refusal.value.code == "card_refused"
    return refusal.value.sentence


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


SCAN = {"case": "C1", "patient": "P1", "set": "s", "role": "train", "voxels_sha256": "0" * 64}
CARDS = {
    "no JSON": (b"\x80\x04pickle", "no JSON"),
    "bottomless JSON": (b"[" * 100_000, "no JSON"),
    "a list": (b"[]", "not an object"),
    "too large": (b" " * (4 * 1024 * 1024 + 1), "at most 4 MiB"),
    "no licence": (a_card(licence=" "), "names no licence"),
    "unknown part": (a_card(code="import os"), "'code', which this version does not know"),
    "a path for a name": (a_card(name="../../etc/passwd"), "has a name"),
    "a path for a version": (a_card(version="1/../2"), "has a version"),
    "a network of memory": (a_card(width=100_000), "has a width"),
    "deeply nested": (a_card(metrics={"x": nested(12)}), "nested more than 8 deep"),
    "no number": (a_card(metrics={"dice": float("nan")}), "a number that is none"),
    "endless number": (a_card(metrics={"dice": 10**400}), "too large"),
    "a novel": (a_card(notes=["x" * 5000]), "more than 4,000 letters"),
    "nul": (a_card(notes=["a\0b"]), "letters that are none"),
    "half a letter": (a_card(notes=["\ud800"]), "letters that are none"),
    "scans of another kind": (a_card(training={"scans": {"a": 1}}), "no list"),
    "a scan without a hash": (a_card(training={"scans": [{**SCAN, "voxels_sha256": "x"}]}), "training scan 1"),
    "a scan of no role": (a_card(training={"scans": [SCAN, {**SCAN, "role": "test"}]}), "training scan 2"),
}


@pytest.mark.parametrize(("card", "words"), CARDS.values(), ids=CARDS)
def test_hostile_cards_are_refused_in_a_sentence(card, words):
    assert words in refused(card)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"title": "x" * 121}, "A title has at most"),
        ({"title": "a\nb"}, "A title has at most"),
        ({"pictures": [("a.png", b"<svg onload=alert(1)>")]}, "The picture a: This file is no PNG"),
        ({"pictures": [("x.png", a_png((1, 1)))] * 41}, "at most 40 pictures"),
        ({"curves": b"epoch,loss\r\n1,=cmd()\r\n"}, "no CSV of numbers"),
        ({"curves": b"epoch,loss\r\n1,inf\r\n"}, "no CSV of numbers"),
        ({"curves": b"epoch,<b>\r\n1,2\r\n"}, "need a column epoch"),
        ({"curves": b"loss\r\n1\r\n"}, "need a column epoch"),
        ({"curves": b"epoch,loss\r\n"}, "need a column epoch"),
        ({"curves": b"epoch,loss\r\n1\r\n"}, "need a column epoch"),
        ({"curves": b"x" * (1024 * 1024 + 1)}, "at most 1 MiB"),
    ],
)
def test_what_comes_with_a_card_is_as_bounded(parts, words):
    assert words in refused(**parts)


def test_weights_are_not_read_beyond_their_limit(monkeypatch):
    monkeypatch.setattr(submitted, "WEIGHTS_BYTES", 3 * 1024 * 1024)
    weights = b"\0" * (4 * 1024 * 1024)
    assert refused(weights=weights) == "Weights have at most 3 MiB."


class Bomb:
    """What pickle would run."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple:
        return Path.touch, (self.trace,)


def test_weights_that_do_not_fit_are_refused_by_a_process_of_their_own(written, tmp_path):
    trace = tmp_path / "it was run"
    good = load_file(written.with_suffix(".safetensors"))
    name = sorted(good)[0]
    hostile = {
        pickle.dumps(Bomb(trace)): "no safetensors file",
        b"\xff" * 8 + b"{}": "no safetensors file",
        save({**good, "more": np.zeros(1, np.float32)}): "do not fit the network of their card",
        save({**good, name: np.full_like(good[name], np.nan)}): "hold a number that is none",
    }
    for weights, words in hostile.items():
        assert words in refused(weights=weights)
    other = a_card() | {"weights_sha256": "1" * 64}
    assert "not those that the card of tiny describes" in refused(other)
    assert not trace.exists()


def test_process_that_dies_or_never_ends_is_told(written, monkeypatch):
    from webapp.algorithms import check_weights

    monkeypatch.setattr(check_weights.sys, "executable", "/bin/false")
    assert check_weights.refusal_of_weights(written) == (
        "The weights tiny could not be opened: whatever read them ended (1)."
    )
    monkeypatch.undo()
    monkeypatch.setattr(check_weights, "PATIENCE_S", 0.001)
    assert "try again in a quieter hour" in check_weights.refusal_of_weights(written)
