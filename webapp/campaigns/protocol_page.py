"""`python -m webapp.campaigns.protocol_page` writes the tables of docs/reference/protocol.md anew."""

import json
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

from webapp.campaigns.protocols import (
    ATTESTED,
    CONSENSUS,
    LATER_STARTS,
    LEVELS,
    PRESETS,
    Acceptance,
    Arms,
    Qualification,
    Stage,
    Terms,
)
from webapp.campaigns.wording_of_stages import words_of_stage

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "protocol.md"
BEGIN, END = "<!-- terms: begin -->", "<!-- terms: end -->"

MEANINGS: dict[type, dict[str, str]] = {
    Stage: {
        "name": "What the stage is called, 1 to 40 letters; each its own.",
        "role": "Who reads at it: technician, radiologist or adjudicator.",
        "readers": "How many read each case, 1 to 20.",
        "ends_with": "`sign`: a signature; `submit`: handing the case on. The last stage signs.",
        "starts_from": f"What a reading begins from: {', '.join(f'`{one}`' for one in LATER_STARTS)}. The first stage "
        "has nothing before it; `majority` and `staple` need three readings.",
        "data_set": "The data set whose mask readings begin from, with `imported_mask` only.",
        "blinded": "Its readers see nothing of each other's readings until blinding ends.",
        "only_if_disputed": "Passed over by cases whose readings of the stage before were accepted.",
    },
    Terms: {
        "preset": "The workflow that it was begun from; says nothing by itself.",
        "pilot": "What is read under this version is a trial, to be read again.",
        "dwell_ms": "How long a slice must be looked at to count as seen, 0 to 60,000 ms.",
        "attests": f"For each point that a signature attests: {', '.join(f'`{one}`' for one in LEVELS)}.",
        "unblinded_when": "`case_signed`: blinding ends for each case when its stage is over; `campaign_closed`: for "
        "all of them when the campaign is closed.",
        "hides_ai": "Readers see no AI draft, begin from it or not.",
        "hides_metadata": "Age, sex, site and scanner are shown to nobody who reads in it until it is closed: "
        "not on pages, not in lists and searches, not in exports; DICOM is not handed out.",
        "separate_duties": "Nobody works on a case at two stages.",
        "acceptance": "When readings of one stage are accepted without an adjudicator; none: never.",
        "arms": "Draws at random which cases begin with the AI draft; none: as the stages say.",
        "qualification": "How near to a known reference a reader must come first; none: nobody qualifies.",
        "release_after_days": "A reading left alone so long goes back, 1 to 365 days; none: never.",
        "order": "`number`; `random`: another order for each reader; `uncertain`: what the algorithm that drafts is "
        "least sure of first, refused wherever somebody reads without its drafts.",
        "forms": "Scoring forms that readers fill in.",
        "flags": "What readers may flag a case as; one that ends with `: exclude` proposes that it leaves.",
    },
    Acceptance: {
        "dice_at_least": "Dice over lesion voxels of each two readings, 0 to 1.",
        "extent_difference_at_most": "Difference of extents, in percentage points.",
        "no_contradicting_verdicts": "No slice that one reader said to hold lesion and another to hold none.",
        "takes": f"The reference of accepted readings: {', '.join(f'`{one}`' for one in CONSENSUS)}.",
    },
    Arms: {
        "seed": "Makes the draw repeatable.",
        "draft_in": "How many of each block begin with the draft.",
        "of": "The size of a block: permuted blocks by case number, 2 to 100.",
    },
    Qualification: {
        "dice_at_least": "Dice with what is known, over lesion voxels, 0 to 1.",
        "extent_difference_at_most": "Difference of extents, in percentage points.",
    },
}
HEADINGS = {
    Stage: "Stages",
    Terms: "Terms",
    Acceptance: "Acceptance",
    Arms: "Arms",
    Qualification: "Qualification",
}


def tables() -> str:
    """Every term with its default and meaning, what a signature attests, and the presets."""
    parts = [_table(kind) for kind in HEADINGS]
    attested = "".join(f"| `{code}` | {sentence} |\n" for code, sentence in ATTESTED.items())
    parts.append(f"### What a signature attests\n\n| Point | It says that |\n|---|---|\n{attested}")
    presets = ""
    for code, preset in PRESETS.items():
        stages = "; ".join(f"**{stage.name}**: {words_of_stage(stage)}" for stage in preset.stages)
        presets += f"| `{code}` | {preset.title} | {preset.about} | {stages} |\n"
    parts.append(f"### Presets\n\n| Preset | Title | For | Stages |\n|---|---|---|---|\n{presets}")
    return "\n".join(parts)


def _table(kind: type) -> str:
    rows = "".join(f"| `{one.name}` | {_default(one)} | {MEANINGS[kind][one.name]} |\n" for one in fields(kind))
    return f"### {HEADINGS[kind]}\n\n| Term | Default | Meaning |\n|---|---|---|\n{rows}"


def _default(one: Field[Any]) -> str:
    if one.default is MISSING and one.default_factory is MISSING:
        return "must be said"
    value = one.default if one.default_factory is MISSING else one.default_factory()
    return "none" if value is None else f"`{json.dumps(value)}`"


def written(page: str) -> str:
    """The page with its tables anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
    print(f"{PAGE} is written.")
