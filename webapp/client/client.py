"""The client itself: a method for each thing that the API does for programs."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, cast
from urllib.parse import quote

from webapp.client.transport import Transport
from webapp.client.types import (
    Added,
    AskedDrafts,
    Campaign,
    Case,
    Draft,
    IntraReaderPair,
    Invitation,
    Member,
    Moved,
    Protocol,
    ReadingLine,
    Role,
    Standing,
)


class Groundglass:
    """A site as one person: `token` is made on their profile page, and has their rights.

    Every method raises ApiError where the site refuses, with its sentence, and OSError where it cannot be reached.
    """

    def __init__(self, address: str, token: str, timeout_s: float = 60.0) -> None:
        self._site = Transport(address, token, timeout_s)

    # Campaigns

    def campaigns(self) -> list[Campaign]:
        """Your campaigns."""
        return cast(list[Campaign], self._site.get("/api/campaigns/"))

    def campaign(self, slug: str) -> Campaign:
        """One campaign of yours."""
        return cast(Campaign, self._site.get(_of(slug)))

    def make_campaign(self, slug: str, name: str, configuration: dict[str, Any]) -> Campaign:
        """Make a campaign by a configuration, as the settings page exports it; you coordinate it."""
        said = {"slug": slug, "name": name, "configuration": configuration}
        return cast(Campaign, self._site.post("/api/campaigns/", said))

    def case_reviews(self) -> Campaign:
        """The campaign of your own case reviews, made where there is none yet; scans go there by its slug."""
        return cast(Campaign, self._site.post("/api/reviews/", {}))

    def change_standing(self, slug: str, do: Standing, reason: str = "") -> Campaign:
        """Close a campaign, open it again, archive it, or take it out of the archive."""
        return cast(Campaign, self._site.post(_of(slug, "standing"), {"do": do, "reason": reason}))

    def protocols(self, slug: str) -> list[Protocol]:
        """The versions of a protocol, the newest first."""
        return cast(list[Protocol], self._site.get(_of(slug, "protocols")))

    def set_protocol(
        self,
        slug: str,
        *,
        stages: list[dict[str, Any]],
        terms: dict[str, Any],
        statement: str,
        known_version: int,
        note: str = "",
    ) -> Protocol:
        """Make the next version of a protocol, over the version that you know."""
        said = {"stages": stages, "terms": terms, "statement": statement, "known_version": known_version, "note": note}
        return cast(Protocol, self._site.post(_of(slug, "protocols"), said))

    # Teams

    def members(self, slug: str) -> list[Member]:
        """Who is in a campaign, and as what."""
        return cast(list[Member], self._site.get(_of(slug, "members")))

    def add_member(self, slug: str, username: str, role: Role) -> Member:
        """Give a person who has an account a role."""
        return cast(Member, self._site.post(_of(slug, "members"), {"username": username, "role": role}))

    def remove_member(self, slug: str, username: str, role: Role) -> int:
        """Take a role from a person; how many of their open readings went back."""
        return int(self._site.post(_of(slug, "members", "remove"), {"username": username, "role": role})["released"])

    def invitations(self, slug: str) -> list[Invitation]:
        """The open invitations, without their links."""
        return cast(list[Invitation], self._site.get(_of(slug, "invitations")))

    def invite(self, slug: str, role: Role, days: int = 7) -> Invitation:
        """Make an invitation; its link is told this once."""
        return cast(Invitation, self._site.post(_of(slug, "invitations"), {"role": role, "days": days}))

    def revoke_invitation(self, slug: str, invitation_id: str) -> Invitation:
        """End an invitation that nobody used."""
        return cast(Invitation, self._site.post(_of(slug, "invitations", invitation_id, "revoke"), {}))

    # Cases

    def cases(
        self,
        slug: str,
        *,
        state: str | None = None,
        stage: str | None = None,
        site: str | None = None,
        reader: str | None = None,
        due: str | None = None,
        kind: str | None = None,
        numbers: str | None = None,
        page_size: int = 500,
    ) -> Iterator[Case]:
        """The cases of a campaign by number, fetched a page at a time; `numbers` as "1-20, 35"."""
        asked = {"state": state, "stage": stage, "site": site, "reader": reader, "due": due, "kind": kind}
        return cast(
            Iterator[Case], self._pages(_of(slug, "cases"), {**asked, "numbers": numbers, "page_size": page_size})
        )

    def add_scans(self, slug: str, scans: Sequence[str]) -> Added:
        """Put scans that are here into a campaign, by pseudonym (all of the patient's), series UID or id."""
        return cast(Added, self._site.post(_of(slug, "cases", "add"), {"scans": list(scans)}))

    def assign(self, slug: str, cases: Sequence[int], reader: str, due_on: str | None = None) -> int:
        """Give a person those of some cases that have a place for them; how many."""
        return self._assigned(slug, cases=list(cases), reader=reader, due_on=due_on)

    def assign_at_random(
        self, slug: str, cases: Sequence[int], readers: Sequence[str], seed: int, due_on: str | None = None
    ) -> int:
        """Deal cases out to readers, balanced in each site and in all, repeatable by the seed; how many readings."""
        return self._assigned(slug, cases=list(cases), readers=list(readers), seed=seed, due_on=due_on)

    def move(self, slug: str, cases: Sequence[int], reader: str, reason: str, to_reader: str | None = None) -> Moved:
        """Take the open readings of cases from a person, and give what is free then to another, or to nobody."""
        said = {"cases": list(cases), "reader": reader, "to_reader": to_reader, "reason": reason}
        return cast(Moved, self._site.post(_of(slug, "cases", "move"), said))

    def schedule(
        self, slug: str, cases: Sequence[int], *, priority: int | None = None, due_on: str | None = None
    ) -> int:
        """Say how urgent cases are (-9 to 9), and by when they should be read; how many."""
        return self._changed(slug, "cases", "schedule", cases=list(cases), priority=priority, due_on=due_on)

    def exclude(self, slug: str, cases: Sequence[int], reason: str) -> int:
        """Take cases out of a campaign; how many."""
        return self._changed(slug, "cases", "exclude", cases=list(cases), reason=reason)

    def readmit(self, slug: str, cases: Sequence[int], reason: str) -> int:
        """Take cases that have left back into a campaign; how many."""
        return self._changed(slug, "cases", "readmit", cases=list(cases), reason=reason)

    def read_again(self, slug: str, cases: Sequence[int], reason: str) -> int:
        """Have cases that were read under an older protocol read anew under the present one; how many."""
        return self._changed(slug, "cases", "again", cases=list(cases), reason=reason)

    def draw_repeats(self, slug: str, count: int, after_days: int, seed: int) -> int:
        """Have a random sample of signed readings read again by the same readers; how many."""
        return self._changed(slug, "repeats", count=count, after_days=after_days, seed=seed)

    def repeats(self, slug: str) -> list[IntraReaderPair]:
        """Each signed repeat of a campaign with the first reading that it repeats."""
        return cast(list[IntraReaderPair], self._site.get(_of(slug, "repeats")))

    # AI drafts

    def drafts(
        self,
        slug: str,
        *,
        state: str | None = None,
        algorithm: str | None = None,
        order: Literal["uncertain"] | None = None,
        page_size: int = 500,
    ) -> Iterator[Draft]:
        """The last run of each case and algorithm (name@version), with where it stands, fetched a page at a time."""
        asked = {"state": state, "algorithm": algorithm, "order": order, "page_size": page_size}
        return cast(Iterator[Draft], self._pages(_of(slug, "drafts"), asked))

    def request_drafts(
        self, slug: str, cases: Sequence[int] | None = None, algorithm: str | None = None, version: str = ""
    ) -> AskedDrafts:
        """Ask for the AI drafts of cases, or of all without one; by the campaign's own algorithm if none is named."""
        said: dict[str, Any] = {"all": True} if cases is None else {"cases": list(cases)}
        named = {"algorithm": algorithm, "version": version} if algorithm else {}
        return cast(AskedDrafts, self._site.post(_of(slug, "drafts"), {**said, **named}))

    def cancel_drafts(self, slug: str, runs: Sequence[str] | None = None) -> int:
        """Cancel runs, or all that are in line or under way; how many."""
        return self._changed(slug, "drafts", "cancel", **_runs(runs))

    def retry_drafts(self, slug: str, runs: Sequence[str] | None = None) -> AskedDrafts:
        """Have failed or cancelled runs made anew, or all that failed."""
        return cast(AskedDrafts, self._site.post(_of(slug, "drafts", "retry"), _runs(runs)))

    # Readings

    def readings(
        self,
        slug: str,
        *,
        state: str | None = None,
        stage: str | None = None,
        case: int | None = None,
        page_size: int = 500,
    ) -> Iterator[ReadingLine]:
        """The readings of a campaign that you may see, by case, fetched a page at a time."""
        asked = {"state": state, "stage": stage, "case": case, "page_size": page_size}
        return cast(Iterator[ReadingLine], self._pages(_of(slug, "readings"), asked))

    def begin_next_case(self, slug: str) -> ReadingLine:
        """Begin the next case that waits for you."""
        return cast(ReadingLine, self._site.post(_of(slug, "next"), {}))

    def reading(self, reading_id: str) -> dict[str, Any]:
        """Everything about a reading but its voxels, as the viewer gets it."""
        return cast(dict[str, Any], self._site.get(_reading(reading_id)))

    def measurements(self, reading_id: str) -> dict[str, Any]:
        """The numbers of a reading's mask as it stands: volumes in mL, extent in %, weight in g."""
        return cast(dict[str, Any], self._site.get(_reading(reading_id, "measurements")))

    def mask(self, reading_id: str) -> bytes:
        """A reading's mask as it stands, as a GGM1 container (inference.imaging.masks.read_container)."""
        return self._site.get_bytes(_reading(reading_id, "mask"))

    def attesting(self, reading_id: str) -> dict[str, Any]:
        """What a signature would attest as a reading stands, and what is missing."""
        return cast(dict[str, Any], self._site.get(_reading(reading_id, "attesting")))

    def comments(self, reading_id: str) -> dict[str, Any]:
        """The threads of comments that you may see beside a reading."""
        return cast(dict[str, Any], self._site.get(_reading(reading_id, "comments")))

    def forms(self, reading_id: str) -> dict[str, Any]:
        """The scoring forms of a reading, what is answered, and the sums."""
        return cast(dict[str, Any], self._site.get(_reading(reading_id, "forms")))

    def flags(self, reading_id: str) -> dict[str, Any]:
        """The flags of a reading, offered and set."""
        return cast(dict[str, Any], self._site.get(_reading(reading_id, "flags")))

    def _assigned(self, slug: str, **said: Any) -> int:
        return int(self._site.post(_of(slug, "cases", "assign"), said)["assigned"])

    def _changed(self, slug: str, *words: str, **said: Any) -> int:
        return int(self._site.post(_of(slug, *words), said)["changed"])

    def _pages(self, path: str, query: dict[str, Any]) -> Iterator[Any]:
        page = self._site.get(path, query)
        while True:
            yield from page["results"]
            if page["next"] is None:
                return
            page = self._site.get_next(page["next"])


def _runs(runs: Sequence[str] | None) -> dict[str, Any]:
    return {"all": True} if runs is None else {"runs": list(runs)}


def _of(slug: str, *words: str) -> str:
    return "/".join(["/api/campaigns", quote(slug, safe=""), *(quote(word, safe="") for word in words), ""])


def _reading(reading_id: str, *words: str) -> str:
    return "/".join(["/api/readings", quote(reading_id, safe=""), *words, ""])
