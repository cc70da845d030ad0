"""Words for events of people, scans and the trail itself."""

from webapp.pages.event_words.words import Words

SITE = {
    "notices.set": Words(
        "chose how notices come by e-mail: {by_mail}",
        "How a person hears of notices by e-mail.",
        {"by_mail": "never, at once or daily"},
    ),
    "view.removed": Words(
        "forgot the view {name} of a worklist", "A view of one's own is gone.", {"name": "of the view"}
    ),
    "view.saved": Words(
        "kept a view of a worklist as {name}",
        "Filters of a worklist under a name of one's own.",
        {"name": "of the view", "query": "its filters"},
    ),
    "access.refused": Words(
        "asked for {it} and was sent away",
        "Somebody signed in asked for what is there and was told that it is not, since they may not see it; at most "
        "one an hour for each person and thing.",
        {"method": "of the request", "path": "the address, cut at 300 letters"},
    ),
    "action.refused": Words(
        "was refused: {sentence}",
        "A rule refused an action, which then changed nothing; the same refusal again within a minute is not repeated.",
        {
            "action": "app and name of the action",
            "code": "of the refusal, for programs",
            "sentence": "what the person was told",
            "about": "what the action was given",
        },
    ),
    "audit.events_downloaded": Words(
        "downloaded events of the audit trail as {format}",
        "Somebody took events away from the audit page.",
        {"format": "csv, jsonl or pdf (the story of a case)", "asked": "the filters"},
    ),
    "audit.heads_exported": Words(
        "exported the heads of {chains} chains",
        "The last places and hashes of all chains left for AUDIT_HEADS_DIR.",
        {"file": "name of the file", "chains": "how many", "sha256": "of the lines that were added"},
    ),
    "export.downloaded": Words(
        "downloaded {file}",
        "Masks and numbers of signed readings left as a file.",
        {
            "file": "its name",
            "sha256": "of its bytes",
            "size_bytes": "how large",
            "versions": "hashes of what is in it",
        },
    ),
    "patient.viewed": Words("opened the page of a patient", "All scans of a patient in order of time were shown."),
    "person.account_closed": Words(
        "closed the account of {name}",
        "Somebody is let in no more; sessions, access tokens and leases ended. What they read and did stays.",
        {"name": "the person's", "sessions": "how many ended", "tokens": "how many", "leases": "how many"},
    ),
    "person.account_reopened": Words(
        "opened the account of {name} again", "A closed account lets its person in again.", {"name": "the person's"}
    ),
    "person.created": Words(
        "made the account {username}",
        "Somebody may sign in from now on.",
        {"username": "to sign in with", "display_name": "for people"},
    ),
    "person.email_set": Words(
        "set the e-mail address of {name}",
        "Where a person gets e-mail: notices, and links to a new password.",
        {"name": "the person's", "before": "until now", "after": "from now on"},
    ),
    "person.password_given": Words(
        "gave {name} a new password",
        "An administrator set a person's password; their sessions ended.",
        {"name": "the person's", "sessions": "how many ended"},
    ),
    "person.password_reset": Words(
        "set a new password by a link that was sent to them",
        "A forgotten password was replaced; every session of the person ended.",
        {"sessions": "how many ended"},
    ),
    "person.reset_asked": Words(
        "asked for a link to a new password",
        "Somebody who is not signed in asked; they were not told whether there is such a person.",
        {"asked": "the name or address that was typed", "sent": "how many links went out"},
    ),
    "person.reset_sent": Words(
        "had a link to a new password sent to {name}", "A link went to the person's address.", {"name": "the person's"}
    ),
    "person.password_changed": Words("changed their password", "A person has a new password; other sessions ended."),
    "person.preferences_kept": Words(
        "changed how their viewer is set", "Preferences of the viewer.", {"bytes": "how large"}
    ),
    "person.sign_in_refused": Words(
        "could not sign in",
        "A wrong name, password or access token.",
        {"reason": "code of the refusal", "token": "its id where it is known", "prefix": "the token's first letters"},
    ),
    "person.signed_in": Words("signed in", "A session began."),
    "person.signed_out": Words("signed out", "A session ended."),
    "person.token_created": Words(
        "made the access token {name}",
        "A program may act in a person's name.",
        {"token": "its id", "prefix": "its first letters", "name": "of the token", "expires_at": "when it ends"},
    ),
    "person.token_revoked": Words(
        "revoked an access token", "It opens nothing from now on.", {"token": "its id", "prefix": "its first letters"}
    ),
    "scan.deleted": Words(
        "deleted {it}: {reason}",
        "The files of a scan go; its row stays as a tombstone.",
        {
            "reason": "why",
            "geometry_sha256": "of its grid",
            "voxels_sha256": "of its voxels",
            "files": "how many go",
        },
    ),
    "scan.filed": Words(
        "filed {it} with {instances} images",
        "A checked, de-identified series is in the archive.",
        {
            "geometry_sha256": "of its grid",
            "voxels_sha256": "of its voxels",
            "instances": "images in the archive",
            "already_there": "the very same series was there before",
        },
    ),
    "scan.objects_filed": Words(
        "filed DICOM objects made from a mask over {it}",
        "Segmentations and reports that DICOMweb gives.",
        {"version": "that they were made from", "objects": "UID by kind", "already_there": "kinds that were there"},
    ),
    "scan.site_named": Words(
        "named the site {site}",
        "Where scans came from.",
        {"site": "from now on", "before": "of each scan that was called otherwise"},
    ),
    "scan.viewed": Words(
        "looked at {it}",
        "A scan's page was opened, or its pixels were read; pixels at most once an hour for each person and scan.",
        {"case": "its number", "shown": "pixels, where no page was opened"},
    ),
    "series.downloaded": Words(
        "took DICOM files of {it} away",
        "By DICOMweb; at most once an hour for each person and series.",
        {
            "study": "its UID",
            "series": "their UIDs",
            "versions": "that objects were made from",
            "scans": "their ids",
            "token": "first letters of the access token",
        },
    ),
    "series.viewed": Words(
        "looked at {it} by DICOMweb",
        "Headers, frames or pictures; at most once an hour for each person and series.",
        {
            "study": "its UID",
            "series": "their UIDs",
            "versions": "that objects were made from",
            "scans": "their ids",
            "token": "first letters of the access token",
        },
    ),
}
