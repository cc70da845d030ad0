"""What people do to campaigns."""

import hashlib
import itertools
from collections.abc import Sequence
from typing import Any

from webapp.accounts.models import User
from webapp.algorithms.actions import request_draft
from webapp.algorithms.fitting import may_be_drafted
from webapp.algorithms.models import Algorithm
from webapp.algorithms.rules import may_run
from webapp.archive.filing import clean_site
from webapp.archive.models import Scan
from webapp.archive.sent_pictures import clean_picture
from webapp.audit.actor import actor_of
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.audit.trail import audited, record
from webapp.campaigns import events
from webapp.campaigns.configurations import STATEMENT_LENGTH, Configuration
from webapp.campaigns.deidentification import DeidentificationOptions
from webapp.campaigns.guidelines import render_guideline
from webapp.campaigns.models import ROLES, Campaign, Case, EnabledAlgorithm, GuidelinePicture, Membership, Protocol
from webapp.campaigns.pictures import name_from
from webapp.campaigns.protocols import Stage, Terms, fault_in, stored_stages
from webapp.campaigns.queries import current_protocol, shown_pictures
from webapp.campaigns.rules import (
    may_add_scans,
    may_create_campaign,
    may_manage_team,
    may_name_site,
    may_set_deidentification,
    may_set_protocol,
    refusal_of_names,
)
from webapp.campaigns.wording import changes_between
from webapp.masks.label_actions import make_label_set
from webapp.masks.models import LabelSet

# One signed reading a case, from the AI draft.
REVIEW = stored_stages([Stage("review", "radiologist")])
STATEMENT = (
    "I have reviewed this scan and its masks of lung and lesion, slice by slice, and corrected them where needed. "
    "They are my reading."
)
GUIDELINE_BYTES, MOST_PICTURES = 100_000, 100


def chain_of(campaign: Campaign) -> str:
    """The audit chain of a campaign."""
    return f"campaign:{campaign.pk}"


@audited(events.CAMPAIGN_CREATED)
def create_campaign(
    *,
    slug: str,
    name: str,
    label_set: LabelSet,
    draft_algorithm: Algorithm | None,
    by: Any,
    stages: list[dict[str, Any]] = REVIEW,
    terms: Terms | None = None,
    statement: str = STATEMENT,
    guideline: str = "",
) -> Campaign:
    """Make a campaign with the first version of its protocol. A person who makes one becomes its coordinator."""
    require(may_create_campaign(by) or refusal_of_names(slug, name) or _refusal_of_texts(statement, guideline))
    require(may_run(draft_algorithm) if draft_algorithm else None)
    terms = terms or Terms()
    campaign = Campaign.objects.create(
        slug=slug, name=name.strip(), label_set=label_set, draft_algorithm=draft_algorithm
    )
    if draft_algorithm:
        names = actor_of(by).name[:120]
        EnabledAlgorithm.objects.create(campaign=campaign, algorithm=draft_algorithm, enabled_by_name=names)
    Protocol.objects.create(
        campaign=campaign, version=1, stages=stages, terms=terms.stored, statement=statement, guideline=guideline
    )
    if isinstance(by, User):
        Membership.objects.create(campaign=campaign, user=by, role="coordinator")
    record(
        events.CAMPAIGN_CREATED,
        by=by,
        chain=chain_of(campaign),
        subject=f"campaign:{campaign.pk}",
        slug=slug,
        name=name,
        label_set=str(label_set),
        draft_algorithm=str(draft_algorithm) if draft_algorithm else None,
        stages=stages,
        terms=terms.stored,
        statement=statement,
        coordinator=str(by.pk) if isinstance(by, User) else None,
    )
    return campaign


def _refusal_of_texts(statement: str, guideline: str) -> Refusal | None:
    if not statement.strip() or len(statement) > STATEMENT_LENGTH or "\0" in statement:
        return Refusal("malformed", f"The statement that is signed has 1 to {STATEMENT_LENGTH:,} letters.")
    if len(guideline.encode()) > GUIDELINE_BYTES:
        return Refusal("too_large", f"A guideline may have at most {GUIDELINE_BYTES // 1000} kB of text.")
    return None


@audited(events.CAMPAIGN_CREATED)
def open_campaign(*, slug: str, name: str, configuration: Configuration, by: Any) -> Campaign:
    """Make a campaign by a configuration: that of the wizard, of another campaign, or of a file."""
    require(may_create_campaign(by))
    has_algorithm = configuration.draft_algorithm is not None
    stages, terms = configuration.stages, configuration.terms
    require(fault_in(stages, terms, roles=ROLES, has_algorithm=has_algorithm))
    return create_campaign(
        slug=slug,
        name=name,
        label_set=make_label_set(name=configuration.label_set_name, labels=configuration.labels, by=by),
        draft_algorithm=configuration.draft_algorithm,
        stages=stored_stages(stages),
        terms=terms,
        statement=configuration.statement.strip(),
        guideline=configuration.guideline,
        by=by,
    )


@audited(events.MEMBER_ADDED)
def add_member(*, campaign: Campaign, user: User, role: str, by: Any) -> Membership:
    """Give a person a role in a campaign."""
    require(may_manage_team(campaign, by) or _refusal_of_role(role))
    membership, _ = Membership.objects.get_or_create(campaign=campaign, user=user, role=role)
    record(
        events.MEMBER_ADDED,
        by=by,
        chain=chain_of(campaign),
        subject=f"person:{user.pk}",
        role=role,
        name=str(user),
    )
    return membership


def _refusal_of_role(role: str) -> Refusal | None:
    return None if role in ROLES else Refusal("malformed", f"A role is one of {', '.join(ROLES)}.")


@audited(events.DEIDENTIFICATION_SET)
def set_deidentification(*, campaign: Campaign, options: DeidentificationOptions, by: Any) -> Campaign:
    """Say what is kept of the patients of scans that come in from now on. Scans that are there stay as they are."""
    require(may_set_deidentification(campaign, by))
    campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
    before = campaign.deidentification_options
    require(None if options != before else Refusal("unchanged", "The options are the same as before."))
    campaign.deidentification = options.kept
    campaign.save(update_fields=["deidentification"])
    record(
        events.DEIDENTIFICATION_SET,
        by=by,
        chain=chain_of(campaign),
        subject=f"campaign:{campaign.pk}",
        before=before.kept,
        after=options.kept,
    )
    return campaign


@audited(events.CASE_ADDED)
def add_case(*, campaign: Campaign, scan: Scan, by: Any) -> Case:
    """Put a scan into a campaign as its next case, and ask for its AI draft. A scan already in stays one case."""
    require(may_add_scans(campaign, by))
    campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
    case = Case.objects.filter(campaign=campaign, scan=scan).first()
    known = case is not None
    if case is None:
        # Numbers of deleted cases stay theirs.
        last = Case.ever.filter(campaign=campaign).order_by("-number").values_list("number", flat=True).first() or 0
        protocol = current_protocol(campaign)
        first, arms = protocol.stage_list[0], protocol.said.arms
        case = Case.objects.create(
            campaign=campaign,
            scan=scan,
            number=last + 1,
            stage=first.name,
            places_left=first.readers,
            arm=arms.arm_of(last + 1) if arms else "",
        )
        if campaign.default_site:
            Scan.objects.filter(pk=scan.pk, site="").update(site=campaign.default_site)
        # A retired version drafts no more; its coordinator chooses another, which then drafts this case too.
        drafts_by = campaign.draft_algorithm
        if drafts_by and may_run(drafts_by) is None and may_be_drafted(scan, drafts_by) is None:
            request_draft(scan=scan, algorithm=drafts_by, label_set=campaign.label_set, by=by)
    record(
        events.CASE_ADDED,
        by=by,
        chain=chain_of(campaign),
        subject=f"case:{case.pk}",
        number=case.number,
        scan=str(scan.pk),
        site=campaign.default_site,
        already_there=known,
    )
    return case


def _next_version(before: Protocol, **changed: Any) -> Protocol:
    """The protocol's next version: as it was, but for what is changed. Cases that nobody has begun go by it at once."""
    kept = {name: getattr(before, name) for name in ("stages", "terms", "statement", "guideline")}
    protocol = Protocol.objects.create(campaign=before.campaign, version=before.version + 1, **{**kept, **changed})
    first, arms = protocol.stage_list[0], protocol.said.arms
    unbegun = Case.ever.filter(campaign=before.campaign, protocol=None)
    # What was given to somebody keeps the version that it was given under; what was superseded or released does not.
    given = unbegun.filter(readings__state__in=["assigned", "in progress", "returned", "submitted", "signed"])
    Case.ever.filter(pk__in=list(given.values_list("pk", flat=True))).update(protocol=before)
    waiting = unbegun.filter(state=Case.TO_READ)
    numbers = list(waiting.values_list("pk", "number"))
    held = Case.ever.filter(pk__in=[pk for pk, _ in numbers])
    held.filter(kind=Case.STUDY).update(stage=first.name, places_left=first.readers)
    held.exclude(kind=Case.STUDY).filter(measures_stage="").update(stage=first.name)
    if arms != before.said.arms:
        cases = [Case(pk=pk, arm=arms.arm_of(number) if arms else "") for pk, number in numbers]
        Case.ever.bulk_update(cases, ["arm"], batch_size=1000)
    return protocol


def _seen_version(campaign: Campaign, known_version: int) -> Protocol:
    """The present protocol of a campaign whose row is held; refuses who saw an older one, and overwrites nothing."""
    before = current_protocol(campaign)
    if known_version != before.version:
        sentence = (
            f"The protocol is at version {before.version} by now, and you saw version {known_version}: look again."
        )
        raise ActionRefused(Refusal("changed_meanwhile", sentence))
    return before


@audited(events.PROTOCOL_SET)
def set_protocol(
    *,
    campaign: Campaign,
    stages: Sequence[Stage],
    terms: Terms,
    statement: str,
    note: str,
    known_version: int,
    by: Any,
) -> Protocol:
    """Give a campaign another protocol from now on, as its next version, with a note that says why.

    What was begun or given keeps the version it has. `known_version` is the version that whoever changes it saw:
    whoever comes second is told, and overwrites nothing.
    """
    require(may_set_protocol(campaign, by))
    campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
    before = _seen_version(campaign, known_version)
    has_algorithm = campaign.draft_algorithm_id is not None
    require(fault_in(stages, terms, roles=ROLES, has_algorithm=has_algorithm) or _refusal_of_texts(statement, ""))
    require(_refusal_of_lost_stages(campaign, stages))
    statement, note = statement.strip(), note.replace("\0", "").strip()
    require(Refusal("too_long", "A note has at most 500 letters.") if len(note) > 500 else None)
    changed = changes_between(before, stages, terms, statement)
    same = (list(stages), terms, statement) == (before.stage_list, before.said, before.statement)
    require(Refusal("unchanged", "The protocol says so already: there is nothing to save.") if same else None)
    protocol = _next_version(before, stages=stored_stages(stages), terms=terms.stored, statement=statement, note=note)
    record(
        events.PROTOCOL_SET,
        by=by,
        chain=chain_of(campaign),
        subject=f"campaign:{campaign.pk}",
        version=protocol.version,
        changed=[change.term for change in changed],
        before={change.term: change.before for change in changed},
        after={change.term: change.after for change in changed},
        stages=protocol.stages,
        terms=protocol.terms,
        note=note,
    )
    return protocol


def _refusal_of_lost_stages(campaign: Campaign, stages: Sequence[Stage]) -> Refusal | None:
    """Why stages cannot go, or get other names: cases measure their readers."""
    measuring = campaign.cases.exclude(measures_stage="").exclude(measures_stage__in=[stage.name for stage in stages])
    lost = measuring.order_by("number").values_list("number", "measures_stage").first()
    if lost is None:
        return None
    number, stage = lost
    sentence = f"Case {number} measures readers of the stage {stage}, which would be gone: keep it under that name, "
    return Refusal("stage_measured", sentence + "or let the case measure readers of another stage first.")


@audited(events.PROTOCOL_SET)
def write_guideline(*, campaign: Campaign, text: str, known_version: int, by: Any) -> Protocol:
    """Give a campaign's protocol a new version with another guideline (Markdown). Readings keep the one they have.

    `known_version` is the version that the writer saw: whoever comes second is told, and overwrites nothing.
    """
    require(may_set_protocol(campaign, by))
    campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
    before = current_protocol(campaign)
    text = text.replace("\r\n", "\n").replace("\0", "").strip()
    require(_refusal_of_guideline(campaign, before, text, known_version))
    protocol = _next_version(before, guideline=text)
    record(
        events.PROTOCOL_SET,
        by=by,
        chain=chain_of(campaign),
        subject=f"campaign:{campaign.pk}",
        version=protocol.version,
        changed=["guideline"],
        guideline_sha256=hashlib.sha256(text.encode()).hexdigest(),
        guideline_before_sha256=hashlib.sha256(before.guideline.encode()).hexdigest(),
    )
    return protocol


@audited(events.DEFAULT_SITE_SET)
def set_default_site(*, campaign: Campaign, site: str, by: Any) -> Campaign:
    """Say which site scans have that come in for a campaign from now on, unless their sender names one."""
    require(may_add_scans(campaign, by))
    campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
    before, campaign.default_site = campaign.default_site, clean_site(site)
    campaign.save(update_fields=["default_site"])
    record(
        events.DEFAULT_SITE_SET,
        by=by,
        chain=chain_of(campaign),
        subject=f"campaign:{campaign.pk}",
        site=campaign.default_site,
        before=before,
    )
    return campaign


@audited(events.SITE_NAMED)
def name_site(*, scans: Sequence[Scan], site: str, by: Any) -> int:
    """Say which site scans came from; return how many were called otherwise before. The trail keeps the old names."""
    require(may_name_site(scans, by))
    site = clean_site(site)
    held = list(Scan.objects.select_for_update(of=("self",)).filter(pk__in=[scan.pk for scan in scans]).order_by("pk"))
    changed = [scan for scan in held if scan.site != site]
    Scan.objects.filter(pk__in=[scan.pk for scan in changed]).update(site=site)
    record(
        events.SITE_NAMED,
        by=by,
        subject=f"scan:{held[0].pk}" if len(held) == 1 else "scans",
        site=site,
        before={str(scan.pk): scan.site for scan in changed},
    )
    return len(changed)


def _refusal_of_guideline(campaign: Campaign, before: Protocol, text: str, known_version: int) -> Refusal | None:
    if known_version != before.version:
        sentence = f"The protocol is at version {before.version} by now, and you wrote over version {known_version}: "
        return Refusal("changed_meanwhile", sentence + "look at the newer one, then bring your text in.")
    if text == before.guideline:
        return Refusal("unchanged", "The guideline is the same as before: there is nothing to save.")
    if len(text.encode()) > GUIDELINE_BYTES:
        return Refusal("too_large", f"A guideline may have at most {GUIDELINE_BYTES // 1000} kB of text.")
    unknown = render_guideline(text, shown_pictures(campaign)).unknown_pictures
    if unknown:
        names = ", ".join(name[:60] for name in unknown)
        return Refusal("no_such_picture", f"The campaign has no picture called {names}: add it first.")
    return None


@audited(events.PICTURE_ADDED)
def add_guideline_picture(*, campaign: Campaign, file_name: str, content: bytes, by: Any) -> GuidelinePicture:
    """Add a PNG or JPEG that guidelines of a campaign may show. The same picture again is the one that is there."""
    require(may_set_protocol(campaign, by))
    clean = clean_picture(content)
    campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
    sha256 = hashlib.sha256(clean.content).hexdigest()
    pictures = GuidelinePicture.objects.filter(campaign=campaign)
    picture = pictures.filter(sha256=sha256).defer("content").first()
    known = picture is not None
    if picture is None:
        if pictures.count() >= MOST_PICTURES:
            raise ActionRefused(Refusal("too_many", f"A campaign may have at most {MOST_PICTURES} pictures."))
        picture = GuidelinePicture.objects.create(
            campaign=campaign,
            name=_free_name(name_from(file_name), clean.suffix, set(pictures.values_list("name", flat=True))),
            sha256=sha256,
            content_type=clean.content_type,
            width_px=clean.width_px,
            height_px=clean.height_px,
            content=clean.content,
        )
    record(
        events.PICTURE_ADDED,
        by=by,
        chain=chain_of(campaign),
        subject=f"campaign:{campaign.pk}",
        name=picture.name,
        sha256=sha256,
        already_there=known,
    )
    return picture


def _free_name(stem: str, suffix: str, taken: set[str]) -> str:
    """`stem` with its suffix, numbered where another picture has that name."""
    numbered = (f"{stem}{suffix}" if number == 1 else f"{stem}-{number}{suffix}" for number in itertools.count(1))
    return next(name for name in numbered if name not in taken)
