"""What the API gives, as types; names are those of the schema. Times are ISO 8601, days YYYY-MM-DD."""

from typing import Any, Literal, TypedDict

Role = Literal["coordinator", "technician", "radiologist", "adjudicator", "auditor"]
Standing = Literal["close", "reopen", "archive", "unarchive"]


class Campaign(TypedDict):
    """A campaign that one is a member of."""

    slug: str
    name: str
    label_set: str
    draft_algorithm: str | None
    protocol_version: int
    roles: list[Role]
    closed_at: str | None
    archived_at: str | None


class Protocol(TypedDict):
    """One version of a protocol; `stages` and `terms` as docs/reference/protocol.md says."""

    version: int
    stages: list[dict[str, Any]]
    terms: dict[str, Any]
    statement: str
    note: str
    made_at: str | None


class Member(TypedDict):
    """A person's role in a campaign."""

    username: str
    name: str
    role: Role
    experience_years: int | None


class Holder(TypedDict):
    """Somebody's reading of a case; `reader` is the name that is shown, `username` the one that signs in."""

    reader: str
    username: str
    stage: str
    state: str


class Case(TypedDict):
    """A case as who assigns it sees it."""

    number: int
    id: str
    pseudonym: str
    site: str
    kind: str
    stage: str
    state: str
    places_left: int
    priority: int
    due_on: str | None
    excluded_reason: str
    readings: list[Holder]


class Signed(TypedDict):
    """A signature of a reading."""

    version_sha256: str
    signed_at: str
    independent: bool


class ReadingLine(TypedDict):
    """A reading in a list; `reader` is the name that is shown, `username` the one that signs in."""

    id: str
    case: int
    stage: str
    state: str
    reader: str
    username: str
    repeat: int
    protocol_version: int
    started_at: str
    ended_at: str | None
    active_s: int
    signed: Signed | None


class IntraReaderPair(TypedDict):
    """A first reading and a repeat of it by the same reader; the difference is the repeat's minus the first's."""

    case: int
    stage: str
    reader: str
    username: str
    protocol_version: int
    repeat: int
    first: str
    again: str
    first_extent_percent: float | None
    again_extent_percent: float | None
    extent_difference: float | None
    days_between: float


class Invitation(TypedDict):
    """An invitation; `link` is its path on the site, told once."""

    id: str
    role: Role
    expires_at: str
    link: str | None


class Added(TypedDict):
    """The numbers of the new cases, and how many of the scans were in the campaign already."""

    cases: list[int]
    already: int


class Draft(TypedDict):
    """One run of an algorithm; `before` it in the line of the site, `left_s` to its end where that can be told."""

    id: str
    case: int
    algorithm: str
    version: str
    state: str
    before: int | None
    left_s: float | None
    fraction: float
    progress: str
    failure: str
    attempts: int
    requested_at: str
    started_at: str | None
    finished_at: str | None
    device: str
    weights_sha256: str
    options: dict[str, Any]
    duration_s: float | None
    uncertainty: float | None
    in_training_data: bool


class LeftOut(TypedDict):
    """Cases that cannot be drafted, and why."""

    why: str
    cases: list[int]


class AskedDrafts(TypedDict):
    """Numbers of the cases put in line, and of those that had their draft already or have it under way."""

    queued: list[int]
    already: list[int]
    left_out: list[LeftOut]


class Moved(TypedDict):
    """How many open readings were taken, and how many given."""

    taken: int
    given: int
