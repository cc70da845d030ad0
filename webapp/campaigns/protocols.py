"""What a protocol says, as values: stages, what a signature attests, blinding, acceptance, arms; and the presets.

A protocol stores two JSON documents, `stages` and `terms`; `Stage` and `Terms` are how the rest of the code reads them.
What a document does not say has the value below, so that older versions of a protocol keep meaning what they meant.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from inference.measures.consensus import INTERSECTION, MAJORITY, OF_THREE, STAPLE, UNION
from webapp.audit.refusal import Refusal
from webapp.campaigns.scoring_forms import fault_in_forms

AI_DRAFT, IMPORTED_MASK, EMPTY, PREVIOUS = "ai_draft", "imported_mask", "empty", "previous"
ONE_OF_THEM = "one_of_them"
# What the first stage may begin from, and what later ones may as well.
STARTS = (AI_DRAFT, IMPORTED_MASK, EMPTY)
LATER_STARTS = (*STARTS, PREVIOUS, INTERSECTION, UNION, MAJORITY, STAPLE)
CONSENSUS = (ONE_OF_THEM, INTERSECTION, UNION, MAJORITY, STAPLE)
SIGN, SUBMIT = "sign", "submit"
OFF, WARN, BLOCK = LEVELS = ("off", "warn", "block")
CASE_SIGNED, CAMPAIGN_CLOSED = "case_signed", "campaign_closed"
WITH_DRAFT, WITHOUT_DRAFT = "with_draft", "without_draft"
BY_NUMBER, AT_RANDOM, MOST_UNCERTAIN = ORDERS = ("number", "random", "uncertain")
STAGE_NAME_LENGTH, MOST_STAGES, MOST_READERS = 40, 8, 20
FLAG_LENGTH, MOST_FLAGS = 60, 12
# What a reader may say about a whole case. One that ends so proposes to the coordinator that the case leave.
PROPOSES_EXCLUSION = ": exclude"
FLAGS = ("artefact", "not COVID-19", f"poor quality{PROPOSES_EXCLUSION}")

BLINDED_ORDER = (
    "The order most uncertain first tells readers something about the AI: choose another where the AI is hidden, cases "
    "are drawn to begin without it, or a stage begins from something else."
)

# What a signature may be about, in the order in which it is shown.
ATTESTED = {
    "slices_seen": "every slice with lung was seen",
    "verdicts": "every slice with lung has a verdict",
    "no_contradictions": "verdicts and mask say the same",
    "lung_checked": "the lung layer was checked",
    "planes_viewed": "coronal and sagittal planes were viewed",
    "forms_filled": "every scoring form was filled in",
}


def _known(cls: type, said: Mapping[str, Any]) -> dict[str, Any]:
    return {f.name: said[f.name] for f in fields(cls) if f.name in said}


@dataclass(frozen=True)
class Stage:
    """One step of a case: who reads, how many of them, from what, and how it ends.

    The readers of a `blinded` stage see nothing of each other. A stage `only_if_disputed` is passed over by cases whose
    readings of the stage before were accepted.
    """

    name: str
    role: str
    readers: int = 1
    ends_with: str = SIGN
    starts_from: str = AI_DRAFT
    data_set: str | None = None
    blinded: bool = True
    only_if_disputed: bool = False


@dataclass(frozen=True)
class Acceptance:
    """When two readings are accepted without an adjudicator (records.md), and which mask then is the reference.

    `dice_at_least` over lesion voxels; `extent_difference_at_most` in percentage points of extent.
    """

    dice_at_least: float = 0.7
    extent_difference_at_most: float = 2.0
    no_contradicting_verdicts: bool = True
    takes: str = ONE_OF_THEM


@dataclass(frozen=True)
class Qualification:
    """How near to the known reference a reader must come in each qualification case before study cases are theirs.

    `dice_at_least` over lesion voxels; `extent_difference_at_most` in percentage points of extent.
    """

    dice_at_least: float = 0.7
    extent_difference_at_most: float = 2.0


@dataclass(frozen=True)
class Arms:
    """Cases are drawn at random to begin with the AI draft or without it; `seed` makes the draw repeatable."""

    seed: int = 1
    draft_in: int = 2
    of: int = 4

    def arm_of(self, number: int) -> str:
        """The arm of a case by its number: permuted blocks of `of` cases, `draft_in` of each with the draft."""
        block = [WITH_DRAFT] * self.draft_in + [WITHOUT_DRAFT] * (self.of - self.draft_in)
        random.Random(f"{self.seed}:{(number - 1) // self.of}").shuffle(block)
        return block[(number - 1) % self.of]


@dataclass(frozen=True)
class Terms:
    """Everything that a protocol says beside its stages, its statement and its guideline."""

    preset: str = "own"
    pilot: bool = False
    dwell_ms: int = 250
    attests: dict[str, str] = field(default_factory=dict)
    unblinded_when: str = CASE_SIGNED
    hides_ai: bool = False
    hides_metadata: bool = False
    separate_duties: bool = True
    acceptance: Acceptance | None = None
    arms: Arms | None = None
    qualification: Qualification | None = None
    release_after_days: int | None = None
    order: str = BY_NUMBER
    forms: list[dict[str, Any]] = field(default_factory=list)
    flags: list[str] = field(default_factory=lambda: list(FLAGS))

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> "Terms":
        """Read the stored document."""
        known = _known(cls, said)
        kinds: tuple[tuple[str, type], ...] = (
            ("acceptance", Acceptance),
            ("arms", Arms),
            ("qualification", Qualification),
        )
        for name, kind in kinds:
            if isinstance(known.get(name), Mapping):
                known[name] = kind(**_known(kind, known[name]))
        return cls(**known)

    def level(self, attested: str) -> str:
        """Whether what is missing of `attested` (a key of ATTESTED) is let pass, warned of, or blocks."""
        return self.attests.get(attested, OFF)

    @property
    def stored(self) -> dict[str, Any]:
        """The document to store."""
        return asdict(self)


def stages_of(said: Sequence[Mapping[str, Any]]) -> list[Stage]:
    """Read the stored stages, in order."""
    return [Stage(**_known(Stage, one)) for one in said]


def stored_stages(stages: Sequence[Stage]) -> list[dict[str, Any]]:
    """The stages as they are stored; `data_set` only where there is one."""
    return [{k: v for k, v in asdict(s).items() if k != "data_set" or v is not None} for s in stages]


@dataclass(frozen=True)
class Preset:
    """A workflow to begin from: its name for people, what it is for, its stages and terms."""

    title: str
    about: str
    stages: list[Stage]
    terms: Terms


_STRICT = {"slices_seen": BLOCK, "verdicts": BLOCK, "no_contradictions": BLOCK, "lung_checked": WARN,
           "planes_viewed": WARN}  # fmt: skip

PRESETS = {
    "draft_and_review": Preset(
        "Draft and review",
        "A technician drafts, one of the radiologists reviews every slice and signs: the study's protocol.",
        [
            Stage("draft", "technician", ends_with=SUBMIT),
            Stage("review", "radiologist", starts_from=PREVIOUS, blinded=False),
        ],
        Terms(preset="draft_and_review", attests=_STRICT),
    ),
    "double_reading": Preset(
        "Double reading with adjudication",
        "Two radiologists read without knowing of each other. They agree, or an adjudicator settles it.",
        [
            Stage("reading", "radiologist", readers=2),
            Stage("adjudication", "adjudicator", starts_from=INTERSECTION, only_if_disputed=True),
        ],
        Terms(preset="double_reading", attests=_STRICT, acceptance=Acceptance()),
    ),
    "ai_check": Preset(
        "AI check",
        "One radiologist accepts, corrects or rejects the AI draft.",
        [Stage("check", "radiologist")],
        Terms(preset="ai_check", attests={"slices_seen": WARN, "no_contradictions": WARN}),
    ),
}


def fault_in(stages: Sequence[Stage], terms: Terms, *, roles: Sequence[str], has_algorithm: bool) -> Refusal | None:
    """What is wrong with a protocol before it is written down, in one sentence; None where nothing is."""
    sentence = _fault_in_stages(stages, roles) or _fault_in_terms(stages, terms)
    from_draft = terms.order == MOST_UNCERTAIN or any(s.starts_from == AI_DRAFT for s in stages)
    if sentence is None and not has_algorithm and (terms.arms or from_draft):
        return Refusal("no_algorithm", "This campaign has no algorithm that makes drafts.")
    return Refusal("malformed", sentence) if sentence else None


def ai_is_blinded(stages: Sequence[Stage], terms: Terms) -> bool:
    """Whether somebody reads without knowing what the AI made of a case: everywhere, in an arm, or at a stage.

    Stages that begin from what readers before made of the draft know of it as these did.
    """
    begins_without = any(stage.starts_from in (EMPTY, IMPORTED_MASK) for stage in stages)
    return terms.hides_ai or terms.arms is not None or begins_without


def _fault_in_stages(stages: Sequence[Stage], roles: Sequence[str]) -> str | None:
    if not 1 <= len(stages) <= MOST_STAGES:
        return f"A protocol has one to {MOST_STAGES} stages."
    if len({stage.name for stage in stages}) < len(stages):
        return "Two stages have the same name: give each its own."
    for place, stage in enumerate(stages):
        if fault := _fault_in_stage(stage, stages[place - 1] if place else None, roles):
            return f"Stage {stage.name or place + 1}: {fault}"
    if stages[-1].ends_with != SIGN:
        return f"The last stage, {stages[-1].name}, must end with a signature: nobody would answer for the reference."
    return None


def _fault_in_stage(stage: Stage, before: Stage | None, roles: Sequence[str]) -> str | None:
    if not stage.name.strip() or not stage.name.isprintable() or len(stage.name) > STAGE_NAME_LENGTH:
        return f"its name needs 1 to {STAGE_NAME_LENGTH} letters."
    if stage.role not in roles:
        return f"there is no role {stage.role!r}; choose one of {', '.join(roles)}."
    if not 1 <= stage.readers <= MOST_READERS:
        return f"it takes 1 to {MOST_READERS} readers."
    if stage.ends_with not in (SIGN, SUBMIT):
        return "it ends with 'sign' or 'submit'."
    if stage.starts_from not in (LATER_STARTS if before else STARTS):
        return "readings begin from the AI draft, the mask of a data set, or empty; later ones from the stage before."
    if (stage.starts_from == IMPORTED_MASK) != (stage.data_set is not None):
        return "a data set is named where readings begin from an imported mask, and only there."
    return _fault_against_before(stage, before) if before else _fault_of_first(stage)


def _fault_of_first(stage: Stage) -> str | None:
    return "it comes first, so nothing can be disputed before it." if stage.only_if_disputed else None


def _fault_against_before(stage: Stage, before: Stage) -> str | None:
    if stage.only_if_disputed and before.readers < 2:
        return f"it settles a dispute, and the stage before, {before.name}, has one reader."
    if stage.starts_from in (INTERSECTION, UNION) and before.readers < 2:
        return f"it begins from several readings, and the stage before, {before.name}, has one reader."
    if stage.starts_from in OF_THREE and before.readers < 3:
        return f"a {stage.starts_from} mask needs three readings or more, and {before.name} has {before.readers}."
    if stage.starts_from == PREVIOUS and before.readers > 1:
        return f"{before.name} ends in {before.readers} masks: begin from their intersection or union."
    return None


def _fault_in_terms(stages: Sequence[Stage], terms: Terms) -> str | None:
    if unknown := set(terms.attests) - set(ATTESTED):
        return f"A signature cannot attest {', '.join(sorted(unknown))}."
    if any(level not in LEVELS for level in terms.attests.values()):
        return f"What is missing at a signature is {', '.join(LEVELS)}."
    if not 0 <= terms.dwell_ms <= 60_000:
        return "The shortest look at a slice is 0 to 60,000 ms."
    if terms.unblinded_when not in (CASE_SIGNED, CAMPAIGN_CLOSED):
        return "Blinding ends when the case is signed or when the campaign is closed."
    if terms.order not in ORDERS:
        return "Cases come by number, at random, or the most uncertain first."
    if terms.order == MOST_UNCERTAIN and ai_is_blinded(stages, terms):
        return BLINDED_ORDER
    if terms.release_after_days is not None and not 1 <= terms.release_after_days <= 365:
        return "A case goes back after 1 to 365 idle days."
    return (
        fault_in_forms(terms.forms)
        or _fault_in_flags(terms)
        or _fault_in_acceptance(stages, terms)
        or _fault_in_arms(terms)
    )


def _fault_in_flags(terms: Terms) -> str | None:
    flags = terms.flags
    if len(flags) > MOST_FLAGS or len(set(flags)) < len(flags):
        return f"A protocol has at most {MOST_FLAGS} flags, each with a name of its own."
    if any(not 1 <= len(name) <= FLAG_LENGTH or not name.isprintable() or name != name.strip() for name in flags):
        return f"The name of a flag has 1 to {FLAG_LENGTH} letters."
    return None


def _fault_in_acceptance(stages: Sequence[Stage], terms: Terms) -> str | None:
    for rule, what in ((terms.acceptance, "are accepted"), (terms.qualification, "qualify")):
        if rule and not 0 <= rule.dice_at_least <= 1:
            return f"The Dice from which readings {what} lies between 0 and 1."
        if rule and not 0 <= rule.extent_difference_at_most <= 100:
            return f"The extent difference up to which readings {what} lies between 0 and 100 points."
    accepted = terms.acceptance
    if accepted is None:
        return None
    most = max(stage.readers for stage in stages)
    if accepted.takes not in CONSENSUS:
        return f"The reference of accepted readings is {', '.join(CONSENSUS)}."
    if accepted.takes in OF_THREE and most < 3:
        return f"A {accepted.takes} mask needs three readings or more."
    return None


def _fault_in_arms(terms: Terms) -> str | None:
    if terms.arms and not (1 <= terms.arms.draft_in < terms.arms.of <= 100):
        return "Of a block of 2 to 100 cases, at least one begins with the AI draft and at least one without."
    return None
