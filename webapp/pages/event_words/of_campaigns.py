"""Words for events of campaigns, their cases, and what is sent to them."""

from webapp.pages.event_words.words import Words

DRAFTS = {
    "cases": "numbers of those put in line",
    "already": "how many were finished or under way",
    "left_out": "numbers of those that cannot be drafted, by the reason",
}
CAMPAIGNS = {
    "batch.discarded": Words(
        "discarded a sending with {files} files",
        "The originals of a sending were destroyed before their time.",
        {
            "files": "how many",
            "bytes": "how large together",
            "scans_kept": "scans filed from it that stay",
            "reason": "why, where one is needed",
        },
    ),
    "batch.finished": Words(
        "finished a sending of {files} files",
        "A sending is complete; its checks begin.",
        {"files": "how many", "bytes": "how large together"},
    ),
    "batch.opened": Words(
        "began to send scans in by {source}",
        "Somebody, or another machine, began to send scans.",
        {
            "source": "upload, command, watch, dimse or stow",
            "sender": "the machine",
            "site": "that its scans get",
            "data_set": "that its masks belong to",
            "single_pictures": "each picture is a case",
        },
    ),
    "batch.originals_removed": Words(
        "removed the originals of a sending: {reason}",
        "Originals in quarantine went at the end of their time.",
        {"files": "how many", "bytes": "how large together", "reason": "why"},
    ),
    "batch.processed": Words(
        "checked a sending: {accepted} accepted, {refused} refused",
        "The checks of a sending ended.",
        {
            "state": "of the batch",
            "accepted": "series that became scans",
            "refused": "series that did not",
            "reasons": "codes of the refusals",
        },
    ),
    "batch.reopened": Words("went on with a sending", "More came of a series that was refused or not begun."),
    "batch.tried_again": Words("had a sending checked again", "What a sending had sealed is checked once more."),
    "campaign.algorithm_disabled": Words(
        "let the campaign use {title} no more",
        "A campaign stops using an algorithm's version; what it made stays.",
        {"algorithm": "name and version", "title": "its name for people"},
    ),
    "campaign.algorithm_enabled": Words(
        "let the campaign use {title}",
        "A campaign may use an algorithm's version.",
        {"algorithm": "name and version", "title": "its name for people"},
    ),
    "campaign.cases_reopened": Words(
        "had {cases} cases read again: {reason}",
        "Cases are read anew under the present protocol; readings that they had are superseded.",
        {"cases": "their numbers", "protocol_version": "that they are read under", "reason": "why"},
    ),
    "campaign.cases_scheduled": Words(
        "changed when {cases} cases are read",
        "Due days or priorities of cases.",
        {"cases": "their numbers", "due_on": "the day by which", "priority": "which come first"},
    ),
    "campaign.created": Words(
        "made the campaign {name}",
        "A campaign with the first version of its protocol.",
        {
            "slug": "in its address",
            "name": "for people",
            "label_set": "with its version",
            "draft_algorithm": "that drafts its cases",
            "stages": "of the protocol",
            "statement": "that readers sign",
            "terms": "of the protocol: blinding, acceptance, times",
            "coordinator": "who made it, where a person did",
        },
    ),
    "campaign.default_site_set": Words(
        "let scans that come in belong to the site {site}",
        "The site of scans that come in without one.",
        {"site": "from now on", "before": "until now"},
    ),
    "campaign.deidentification_set": Words(
        "changed how scans are de-identified",
        "Options of the de-identification of scans that come in from now on.",
        {"before": "the options until now", "after": "the options from now on"},
    ),
    "campaign.draft_algorithm_set": Words(
        "let {title} make the drafts of the campaign",
        "Another version makes the drafts that readings begin from; those that were begun keep theirs.",
        {
            "algorithm": "name and version",
            "title": "its name for people",
            "before": "which one did until now",
            "drafts": "how many were put in line",
        },
    ),
    "campaign.drafts_cancelled": Words(
        "cancelled AI drafts of {cases} cases",
        "Runs that were in line or under way end without a draft.",
        {"cases": "their numbers", "runs": "that ended", "under_way": "how many a worker had begun"},
    ),
    "campaign.drafts_requested": Words(
        "asked for AI drafts of {cases} cases by {algorithm}",
        "Drafts were put in line: of one case, of a choice of them, or of all without one.",
        DRAFTS | {"algorithm": "with its version"},
    ),
    "campaign.drafts_retried": Words(
        "had AI drafts of {cases} cases made again",
        "Runs that failed or were cancelled were put in line anew.",
        DRAFTS | {"algorithms": "with their versions"},
    ),
    "campaign.guideline_picture_added": Words(
        "added the picture {name} to the guideline",
        "A picture that guidelines may show.",
        {"name": "that guidelines call it by", "sha256": "of its bytes", "already_there": "it was there before"},
    ),
    "campaign.member_added": Words(
        "made {name} a member as {role}",
        "A person has a role in a campaign from now on.",
        {"role": "which", "name": "the person's", "invitation": "by which they joined, if by one"},
    ),
    "campaign.pictures_viewed": Words(
        "looked at small pictures of cases",
        "Pictures on a list or a page were shown; one an hour for each person and campaign.",
        {"first": "the case or scan that was first"},
    ),
    "campaign.protocol_set": Words(
        "made version {version} of the protocol",
        "A protocol's new version: guideline, stages or terms. Readings keep the version they began under.",
        {
            "version": "the new one's number",
            "changed": "what is different",
            "stages": "as they are now",
            "terms": "as they are now",
            "before": "what is different, in words, as it was",
            "after": "what is different, in words, as it is",
            "note": "why, where it was said",
            "guideline_sha256": "of its text",
            "guideline_before_sha256": "of the text before",
        },
    ),
    "case.added": Words(
        "added {it}",
        "A scan became a case of a campaign.",
        {
            "number": "of the case",
            "scan": "its id",
            "site": "that it got",
            "already_there": "it was a case before",
        },
    ),
    "case.deleted": Words(
        "deleted {it}: {reason}",
        "The cases of a scan that was deleted went with it; rows that are records stay.",
        {"case": "its number", "reason": "why", "readings": "that ended with it", "masks": "whose working states went"},
    ),
    "case.excluded": Words(
        "took {it} out of the campaign: {reason}",
        "A case leaves its campaign; what was read of it stays.",
        {"case": "its number", "reason": "why"},
    ),
    "case.readmitted": Words(
        "took {it} back into the campaign: {reason}",
        "A case that had left is read again.",
        {"case": "its number", "reason": "why", "before": "why it had left"},
    ),
    "data_set.named": Words(
        "named the data set {name}",
        "Where imported masks come from.",
        {
            "name": "of the data set",
            "made": "it is new",
            "added": "what was said of it for the first time",
            "licence": "that it is under",
            "citation": "that it asks for",
            "mask_values": "what the values of its mask files mean",
        },
    ),
    "linkage.read": Words(
        "read the linkage table ({patients} patients)",
        "Who is who was read by command.",
        {"operator": "the account on the server", "asked": "pseudonyms, or all", "patients": "how many were given"},
    ),
}
