"""A campaign's configuration as one JSON document: labels, drafts, stages, terms, statement, guideline. No people, no
cases. What comes from outside is checked against a schema before anything else looks at it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import best_match

from webapp.algorithms.models import Algorithm
from webapp.algorithms.queries import algorithm_called
from webapp.algorithms.rules import may_run
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.campaigns.models import ROLES, Campaign, Protocol
from webapp.campaigns.protocols import (
    ATTESTED,
    CAMPAIGN_CLOSED,
    CASE_SIGNED,
    CONSENSUS,
    FLAG_LENGTH,
    LATER_STARTS,
    LEVELS,
    MOST_FLAGS,
    MOST_READERS,
    MOST_STAGES,
    ORDERS,
    SIGN,
    STAGE_NAME_LENGTH,
    SUBMIT,
    Stage,
    Terms,
    stages_of,
    stored_stages,
)
from webapp.masks.models import DataSet

FORMAT = "groundglass-configuration"
FORMAT_VERSION = 1
CONFIGURATION_BYTES, DEEPEST = 500_000, 12
STATEMENT_LENGTH = 2000
SHOWN_OF_A_FAULT = 160


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def _text(most: int, least: int = 1) -> dict[str, Any]:
    return {"type": "string", "minLength": least, "maxLength": most}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


_FLAG = {"type": "boolean"}
STAGES_SCHEMA = {
    "type": "array",
    "minItems": 1,
    "maxItems": MOST_STAGES,
    "items": _object(
        ["name", "role"],
        name=_text(STAGE_NAME_LENGTH),
        role={"enum": list(ROLES)},
        readers={"type": "integer", "minimum": 1, "maximum": MOST_READERS},
        ends_with={"enum": [SIGN, SUBMIT]},
        starts_from={"enum": list(LATER_STARTS)},
        data_set=_or_null(_text(36)),
        blinded=_FLAG,
        only_if_disputed=_FLAG,
    ),
}
ACCEPTANCE_SCHEMA = _object(
    [],
    dice_at_least={"type": "number", "minimum": 0, "maximum": 1},
    extent_difference_at_most={"type": "number", "minimum": 0, "maximum": 100},
    no_contradicting_verdicts=_FLAG,
    takes={"enum": list(CONSENSUS)},
)
TERMS_SCHEMA = _object(
    [],
    preset=_text(40),
    pilot=_FLAG,
    dwell_ms={"type": "integer", "minimum": 0, "maximum": 60_000},
    attests=_object([], **{code: {"enum": list(LEVELS)} for code in ATTESTED}),
    unblinded_when={"enum": [CASE_SIGNED, CAMPAIGN_CLOSED]},
    hides_ai=_FLAG,
    hides_metadata=_FLAG,
    separate_duties=_FLAG,
    acceptance=_or_null(ACCEPTANCE_SCHEMA),
    arms=_or_null(
        _object(
            [],
            seed={"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
            draft_in={"type": "integer", "minimum": 1, "maximum": 99},
            of={"type": "integer", "minimum": 2, "maximum": 100},
        )
    ),
    qualification=_or_null(
        _object(
            [],
            dice_at_least={"type": "number", "minimum": 0, "maximum": 1},
            extent_difference_at_most={"type": "number", "minimum": 0, "maximum": 100},
        )
    ),
    release_after_days=_or_null({"type": "integer", "minimum": 1, "maximum": 365}),
    order={"enum": list(ORDERS)},
    forms={"type": "array", "maxItems": 20, "items": {"type": "object"}},
    flags={"type": "array", "maxItems": MOST_FLAGS, "items": _text(FLAG_LENGTH)},
)
LABELS_SCHEMA = _object(
    ["name", "labels"],
    name=_text(80),
    labels={
        "type": "array",
        "minItems": 1,
        "maxItems": 30,
        "items": _object(
            ["name", "colour", "is_exclusion", "counts_as_lung"],
            value={"type": "integer", "minimum": 1, "maximum": 255},
            name=_text(60),
            colour={"type": "string", "pattern": "^#[0-9A-Fa-f]{6}$"},
            code=_or_null(
                _object(["scheme", "value", "meaning"], scheme=_text(16), value=_text(64), meaning=_text(64))
            ),
            is_exclusion=_FLAG,
            counts_as_lung=_FLAG,
        ),
    },
)
SCHEMA = _object(
    ["format", "format_version", "label_set", "stages", "terms", "statement"],
    format={"const": FORMAT},
    format_version={"const": FORMAT_VERSION},
    name=_text(120),
    label_set=LABELS_SCHEMA,
    draft_algorithm=_or_null(_object(["name", "version"], name=_text(80), version=_text(64))),
    stages=STAGES_SCHEMA,
    terms=TERMS_SCHEMA,
    statement=_text(STATEMENT_LENGTH),
    guideline=_text(100_000, least=0),
)

# 2.0 is no count and True is no number: what is stored is what was meant.
_strict = validators.extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "integer": lambda _, value: isinstance(value, int) and not isinstance(value, bool),
            "number": lambda _, value: isinstance(value, int | float) and not isinstance(value, bool),
        }
    ),
)


@dataclass(frozen=True)
class Configuration:
    """How a campaign works, apart from who works in it and on what."""

    label_set_name: str
    labels: list[dict[str, Any]]
    draft_algorithm: Algorithm | None
    stages: list[Stage]
    terms: Terms
    statement: str
    guideline: str = ""
    name: str = ""


def check_document(document: Any, schema: Mapping[str, Any], what: str) -> None:
    """Raise ActionRefused, with where and what, for a JSON value that a schema does not allow or that no text holds."""
    if trouble := _unstorable(document):
        raise ActionRefused(Refusal("malformed", f"{what} cannot be read: {trouble}"))
    error = best_match(_strict(schema).iter_errors(document))
    if error is not None:
        where = " / ".join(str(part + 1) if isinstance(part, int) else part for part in error.absolute_path)
        words = error.message if len(error.message) <= SHOWN_OF_A_FAULT else f"{error.message[:SHOWN_OF_A_FAULT]}…"
        raise ActionRefused(Refusal("malformed", f"{what} cannot be used{f', at {where}' if where else ''}: {words}."))


def _unstorable(document: Any) -> str:
    """Why a JSON value could not be stored; empty where it can."""
    waiting: list[tuple[Any, int]] = [(document, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST:
            return f"it is nested more than {DEEPEST} deep."
        if isinstance(value, str) and ("\0" in value or any("\ud800" <= c <= "\udfff" for c in value)):
            return "a text in it holds characters that no text has."
        if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
            return "a number in it is none."
        if isinstance(value, dict):
            waiting += [(one, depth + 1) for one in (*value, *value.values())]
        elif isinstance(value, list):
            waiting += [(one, depth + 1) for one in value]
    return ""


def stages_from(document: Any) -> list[Stage]:
    """Stages that came from outside; raises ActionRefused with what is wrong."""
    check_document(document, STAGES_SCHEMA, "The stages")
    return stages_of(document)


def terms_from(document: Any) -> Terms:
    """Terms that came from outside; raises ActionRefused with what is wrong."""
    check_document(document, TERMS_SCHEMA, "The terms")
    return Terms.of(document)


def configuration_from(text: bytes | str) -> Configuration:
    """Read an exported configuration; raises ActionRefused with where it is wrong and why."""
    if len(text) > CONFIGURATION_BYTES:
        raise ActionRefused(Refusal("too_large", f"A configuration has at most {CONFIGURATION_BYTES // 1000} kB."))
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ActionRefused(Refusal("malformed", "This file is no configuration: it is not JSON.")) from error
    return configuration_of_document(document)


def configuration_of_document(document: Any) -> Configuration:
    """The configuration that a parsed document says; raises ActionRefused with where it is wrong and why."""
    check_document(document, SCHEMA, "This configuration")
    stages = stages_of(document["stages"])
    _require_data_sets(stages)
    return Configuration(
        label_set_name=document["label_set"]["name"],
        labels=document["label_set"]["labels"],
        draft_algorithm=_algorithm_of(document.get("draft_algorithm")),
        stages=stages,
        terms=Terms.of(document["terms"]),
        statement=document["statement"].strip(),
        guideline=document.get("guideline", ""),
        name=document.get("name", ""),
    )


def _algorithm_of(said: Mapping[str, str] | None) -> Algorithm | None:
    if said is None:
        return None
    found = algorithm_called(said["name"], said["version"])
    if found is None:
        sentence = (
            f"This site has no algorithm {said['name']} of version {said['version']}: register it, then try again."
        )
        raise ActionRefused(Refusal("no_such_algorithm", sentence))
    require(may_run(found))
    return found


def _require_data_sets(stages: list[Stage]) -> None:
    there = {str(pk) for pk in DataSet.objects.values_list("pk", flat=True)}
    if any(stage.data_set is not None and stage.data_set not in there for stage in stages):
        sentence = "It begins from the masks of a data set that this site does not have: choose another start."
        raise ActionRefused(Refusal("no_such_data_set", sentence))


def configuration_of(campaign: Campaign, protocol: Protocol) -> Configuration:
    """The configuration of a campaign under one version of its protocol."""
    return Configuration(
        label_set_name=campaign.label_set.name,
        labels=campaign.label_set.labels,
        draft_algorithm=campaign.draft_algorithm,
        stages=protocol.stage_list,
        terms=protocol.said,
        statement=protocol.statement,
        guideline=protocol.guideline,
        name=campaign.name,
    )


def document_of(configuration: Configuration) -> dict[str, Any]:
    """The document to export; `configuration_of_document` reads it."""
    algorithm = configuration.draft_algorithm
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "name": configuration.name,
        "label_set": {"name": configuration.label_set_name, "labels": configuration.labels},
        "draft_algorithm": {"name": algorithm.name, "version": algorithm.version} if algorithm else None,
        "stages": stored_stages(configuration.stages),
        "terms": configuration.terms.stored,
        "statement": configuration.statement,
        "guideline": configuration.guideline,
    }
