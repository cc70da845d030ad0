"""Words for events of coordination: who is in a campaign, who reads what, what readers are measured by."""

from webapp.pages.event_words.words import Words

COORDINATION = {
    "campaign.archived": Words(
        "archived the campaign",
        "A closed campaign left the lists; it stays at its address.",
        {"reason": "if one was given"},
    ),
    "campaign.closed": Words(
        "closed the campaign",
        "Nothing more is read in a campaign; blinding that lasts as long as it is open ends.",
        {"reason": "if one was given"},
    ),
    "campaign.invitation_refused": Words(
        "opened a wrong invitation", "A link that is no invitation, was used, or has expired was opened."
    ),
    "campaign.invitation_revoked": Words(
        "revoked an invitation as {role}", "A link that nobody used opens nothing any more.", {"role": "it was for"}
    ),
    "campaign.invited": Words(
        "invited somebody as {role}",
        "A link was made that admits one person, once. The link itself is kept nowhere.",
        {"role": "they get", "email": "where it was sent, if it was", "expires_at": "until when it opens"},
    ),
    "campaign.member_removed": Words(
        "took the role {role} from {name}",
        "A person has a role no longer; their open readings in it went back.",
        {"role": "which", "name": "the person's", "released": "numbers of the cases that went back"},
    ),
    "campaign.reopened": Words(
        "opened the campaign again: {reason}", "A closed campaign is read in again.", {"reason": "why"}
    ),
    "campaign.unarchived": Words(
        "took the campaign out of the archive",
        "An archived campaign is in the lists again.",
        {"reason": "if one was given"},
    ),
    "case.kind_set": Words(
        "marked {it} as a {after} case",
        "A case measures readers from now on (qualification, sentinel), or is one of the study again.",
        {
            "case": "its number",
            "before": "until now",
            "after": "from now on",
            "stage": "whose readers it measures; none: the first",
            "known_version": "hash of what is known of it",
            "start_version": "hash of what they begin from; none: as the stage says, or empty",
        },
    ),
    "case.many_assigned": Words(
        "gave cases to {given} readers",
        "Many cases were given to readers at once, by hand or dealt out at random.",
        {
            "given": "numbers of the cases, by reader",
            "names": "of the readers",
            "at_random": "seed, strata and readers of a deal",
            "due_on": "the day by which",
        },
    ),
    "case.many_excluded": Words(
        "excluded {cases} cases: {reason}",
        "Many cases left their campaign at once; what was read of them stays.",
        {"cases": "their numbers", "reason": "why"},
    ),
    "case.many_released": Words(
        "took {taken} cases from a reader: {reason}",
        "Open readings of many cases were taken from a person, and given to another where there was a place.",
        {
            "source": "who had them",
            "target": "who got them",
            "taken": "numbers of the cases",
            "given": "numbers of the cases, by reader",
            "reason": "why",
        },
    ),
    "label_set.made": Words(
        "made the labels {name}, version {version}",
        "A label set of a group's own, or its next version.",
        {
            "name": "of the set",
            "version": "of it",
            "sha256": "of its content",
            "already_there": "the same labels were there under that name",
        },
    ),
    "person.administrator_set": Words(
        "said whether {name} is an administrator",
        "Somebody was made an administrator of the site, or is one no more.",
        {"name": "the person's", "before": "until now", "after": "from now on"},
    ),
    "person.campaign_right_set": Words(
        "said whether {name} may make campaigns",
        "The right to make campaigns was given or taken.",
        {"name": "the person's", "before": "until now", "after": "from now on"},
    ),
    "reading.graded": Words(
        "graded a reading of {it}",
        "A reading of a qualification or sentinel case was laid against what is known of it.",
        {
            "reading": "which was graded",
            "case": "its number",
            "kind": "of the case",
            "dice": "of the lesion voxels",
            "extent_difference": "reading minus known, in percentage points",
            "passed": "by the thresholds that held",
            "already_there": "it was graded before",
        },
    ),
    "reading.repeats_drawn": Words(
        "drew {cases} readings to be repeated, with seed {seed}",
        "A random sample of signed readings is read again by the same readers.",
        {
            "seed": "of the draw",
            "of": "how many it was drawn from",
            "after_days": "days after each signature",
            "cases": "their numbers",
        },
    ),
}
