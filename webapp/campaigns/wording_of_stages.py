"""Stages in words."""

from collections.abc import Mapping

from webapp.campaigns.protocols import IMPORTED_MASK, SIGN, Stage

STARTS_IN_WORDS = {
    "ai_draft": "the AI draft",
    "imported_mask": "the imported mask",
    "empty": "an empty mask",
    "previous": "the mask of the stage before",
    "intersection": "what all readings before have in common",
    "union": "what any reading before has",
    "majority": "what most readings before have (majority)",
    "staple": "the readings before weighed by STAPLE",
}
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def words_of_stage(stage: Stage, data_sets: Mapping[str, str] | None = None) -> str:
    """One stage in a sentence without its name."""
    count = NUMBERS[stage.readers] if stage.readers < len(NUMBERS) else str(stage.readers)
    who = f"{count} {stage.role}{'s' if stage.readers > 1 else ''}"
    start = words_of_start(stage, data_sets)
    end = "ends with a signature" if stage.ends_with == SIGN else "ends by handing the case on"
    more = ["blinded to other readings" if stage.blinded else "sees what came before"]
    more += ["only where readings before were not accepted"] if stage.only_if_disputed else []
    return f"{who}, begins from {start}, {end}; {'; '.join(more)}"


def words_of_start(stage: Stage, data_sets: Mapping[str, str] | None = None) -> str:
    """What readings of a stage begin from."""
    start = STARTS_IN_WORDS[stage.starts_from]
    if stage.starts_from == IMPORTED_MASK:
        start += f" of {(data_sets or {}).get(str(stage.data_set), 'a data set')}"
    return start
