"""Every event of the audit trail in plain words: the sentence on pages, and what the reference says of it.

`sentence` stands behind the actor's name and may use `{it}` (what the event is about) and the event's details.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Words:
    """The words of one event: its sentence, when it is written, and what each of its details means."""

    sentence: str
    meaning: str
    details: dict[str, str] = field(default_factory=dict)


WITH_VERSIONS = {"version": "the version's id", "number": "its number in the mask"}
WORDS = {
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
    "algorithm.registered": Words(
        "registered the algorithm {title}",
        "An algorithm's version became known here.",
        {"title": "its name for people", "already_there": "it was known before"},
    ),
    "audit.events_downloaded": Words(
        "downloaded events of the audit trail as {format}",
        "Somebody took events away from the audit page.",
        {"format": "csv or jsonl", "asked": "the filters"},
    ),
    "audit.heads_exported": Words(
        "exported the heads of {chains} chains",
        "The last places and hashes of all chains left for AUDIT_HEADS_DIR.",
        {"file": "name of the file", "chains": "how many", "sha256": "of the lines that were added"},
    ),
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
    "batch.reopened": Words("went on with a sending", "A sending that was broken off goes on."),
    "batch.tried_again": Words("had a sending checked again", "What a sending had sealed is checked once more."),
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
    "campaign.guideline_picture_added": Words(
        "added the picture {name} to the guideline",
        "A picture that guidelines may show.",
        {"name": "that guidelines call it by", "sha256": "of its bytes", "already_there": "it was there before"},
    ),
    "campaign.member_added": Words(
        "made {name} a member as {role}",
        "A person has a role in a campaign from now on.",
        {"role": "which", "name": "the person's"},
    ),
    "campaign.pictures_viewed": Words(
        "looked at small pictures of cases",
        "Pictures on a list or a page were shown; one an hour for each person and campaign.",
        {"first": "the case or scan that was first"},
    ),
    "campaign.protocol_set": Words(
        "made version {version} of the protocol",
        "A protocol's new version: guideline, or what readings begin from. Readings keep the version they began under.",
        {
            "version": "the new one's number",
            "changed": "what is different",
            "stages": "where they changed",
            "data_set": "that readings begin from",
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
    "case.draft_requested_again": Words(
        "asked for the AI draft of {it} again", "The draft of a case was put in line once more."
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
        },
    ),
    "draft.failed": Words(
        "could not draft {it}: {sentence}",
        "A draft was given up.",
        {"run": "of the algorithm", "sentence": "why"},
    ),
    "draft.finished": Words(
        "drafted {it} in {duration_s} s",
        "An AI draft is there.",
        {
            "run": "of the algorithm",
            "mask": "that it made",
            "counted": "components kept and left out",
            "duration_s": "seconds",
            "device": "that it ran on",
        },
    ),
    "draft.requested": Words(
        "asked for the AI draft of {it}",
        "A draft was put in line.",
        {"run": "of the algorithm", "algorithm": "with its version", "already_there": "it was in line or done before"},
    ),
    "draft.started": Words(
        "began to draft {it}",
        "A worker took a draft up.",
        {"run": "of the algorithm", "attempt": "its number", "already_ended": "there was nothing left to do"},
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
    "linkage.read": Words(
        "read the linkage table ({patients} patients)",
        "Who is who was read by command.",
        {"operator": "the account on the server", "asked": "pseudonyms, or all", "patients": "how many were given"},
    ),
    "mask.branch_settled": Words(
        "settled strokes that were kept beside the mask of {it}: {decision}",
        "Strokes of a lost lease were merged or set aside.",
        {
            "tab": "that they came from",
            "epoch": "of its lease",
            "decision": "merged or set_aside",
            "strokes": "that brought them in",
            "kept": "the strokes it was about",
        },
    ),
    "mask.imported": Words(
        "laid a mask of {data_set} over {it}",
        "A mask that came with a scan lies on its voxels.",
        {
            "mask": "its id",
            "data_set": "its author",
            "layers": "what each came as",
            "content_sha256": "of its voxels",
            "already_there": "it was there before",
        },
    ),
    "mask.lease_taken": Words(
        "began to edit the mask of {it}",
        "A tab holds the right to write from now on.",
        {"epoch": "of the lease", "tab": "that holds it", "taken_over": "from a tab that was still there"},
    ),
    "mask.restored": Words(
        "made an earlier state the present one in {it}",
        "A past state of a mask was restored as a new version.",
        {"state": "which", "version": "that it became", "strokes": "that brought it back"},
    ),
    "mask.version_cut": Words(
        "kept version {number} of the mask of {it} ({reason})",
        "An immutable version of a mask; its strokes' chain is told here.",
        {
            **WITH_VERSIONS,
            "reason": "draft, import, submit, return, sign or restore",
            "sha256": "over voxels, geometry, label set and parent",
            "stroke_sequence": "its last stroke",
            "stroke_head_hash": "the hash of that stroke",
        },
    ),
    "patient.viewed": Words("opened the page of a patient", "All scans of a patient in order of time were shown."),
    "person.created": Words(
        "made the account {username}",
        "Somebody may sign in from now on.",
        {"username": "to sign in with", "display_name": "for people"},
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
    "reading.lease_asked": Words(
        "asked for the right to edit {it}",
        "Who edits is asked to hand over.",
        {"tab": "that asks", "holder_tab": "that holds it"},
    ),
    "reading.signed": Words(
        "signed {it}",
        "A reading was signed; its version stays as it is for ever.",
        {
            "case": "its number",
            "stage": "of the protocol",
            "version": "that was signed",
            "version_sha256": "of it",
            "statement": "that was signed",
        },
    ),
    "reading.started": Words(
        "began {it}",
        "A reader has a mask of their own from now on.",
        {
            "case": "its number",
            "stage": "of the protocol",
            "mask": "the reading's",
            "starts_from": "ai_draft, imported_mask or empty",
            "forked_from": "the hash of what it began from",
            "forked_from_author": "whose that was",
        },
    ),
    "reading.viewed": Words(
        "opened {it}",
        "A reading's scan and mask were shown in the viewer, or read by a program.",
        {"case": "its number", "may_edit": "or only looks", "shown": "mask, where a program read it"},
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


class _Said(dict[str, Any]):
    """Details for a sentence: what is not there is said as such, lists by their length."""

    def __missing__(self, key: str) -> str:
        return "…"


def sentence_of(name: str, details: dict[str, Any], it: str) -> str:
    """What happened, in words that follow the actor's name; an event that no table knows is called by its name."""
    words = WORDS.get(name)
    if words is None:
        return f"{name.replace('.', ': ').replace('_', ' ')} {it}".strip()
    said = {key: str(len(value)) if isinstance(value, list | dict) else str(value) for key, value in details.items()}
    return words.sentence.format_map(_Said({**said, "it": it or "it"}))
