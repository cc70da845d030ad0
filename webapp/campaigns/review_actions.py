"""Case review without ceremony: a campaign of one's own, made behind the first scan that is dropped."""

from typing import Any

from webapp.accounts.models import User
from webapp.algorithms.queries import runnable_algorithms
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.audit.trail import audited
from webapp.campaigns import events
from webapp.campaigns.actions import add_member, create_campaign
from webapp.campaigns.models import Campaign
from webapp.campaigns.protocols import EMPTY, Stage, Terms, stored_stages
from webapp.campaigns.queries import personal_campaign_of, personal_slug
from webapp.campaigns.rules import may_create_campaign
from webapp.masks.presets import study_label_set


@audited(events.CAMPAIGN_CREATED)
def begin_case_review(*, by: User) -> Campaign:
    """Give a person a campaign of their own to review scans in, of one stage that they read and sign.

    Scans are drafted by the version that was registered last and not retired, and begin empty where there is none.
    """
    require(may_create_campaign(by))
    if personal_campaign_of(by) is not None:
        raise ActionRefused(Refusal("there_already", "You have a place for case reviews already: drop a scan there."))
    algorithm = runnable_algorithms().order_by("-pk").first()
    start: dict[str, Any] = {} if algorithm else {"starts_from": EMPTY}
    campaign = create_campaign(
        slug=personal_slug(by),
        name=f"Case reviews of {by}"[:120],
        label_set=study_label_set(),
        draft_algorithm=algorithm,
        stages=stored_stages([Stage("review", "radiologist", blinded=False, **start)]),
        terms=Terms(preset="case_review", attests={"slices_seen": "warn", "no_contradictions": "warn"}),
        by=by,
    )
    add_member(campaign=campaign, user=by, role="radiologist", by=by)
    return campaign
