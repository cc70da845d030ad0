"""Words for events of readings, their masks, and the algorithms that draft them."""

from webapp.pages.event_words.words import Words

COMMENT = {
    "case": "its number",
    "thread": "that it belongs to",
    "entry": "its id; the text stands there and never changes",
    "about": "the entry that it changes",
    "voxel": "that the thread is pinned to",
    "text_sha256": "of the text",
    "mentions": "people who are told",
}
READINGS = {
    "comment.added": Words(
        "commented on {it}",
        "A comment, pinned to a voxel or an answer in a thread; its text stands in the thread.",
        COMMENT,
    ),
    "comment.edited": Words(
        "changed a comment on {it}",
        "The thread keeps what it said before.",
        COMMENT,
    ),
    "comment.thread_reopened": Words(
        "reopened a thread of comments on {it}",
        "What was settled is open again.",
        COMMENT,
    ),
    "comment.thread_resolved": Words(
        "settled a thread of comments on {it}",
        "What a thread asked for is done.",
        COMMENT,
    ),
    "comment.withdrawn": Words(
        "withdrew a comment on {it}",
        "A comment is no longer shown; its words stay in the thread's history.",
        COMMENT,
    ),
    "flag.decided": Words(
        "decided about the flag {flag} on {it}",
        "A coordinator decided whether a flagged case leaves the campaign.",
        {"case": "its number", "flag": "which", "excluded": "the case left", "reason": "why"},
    ),
    "flag.set": Words(
        "flagged {it}: {flag}",
        "A reader says that something is the matter with a case.",
        {"case": "its number", "flag": "which", "remark": "in the reader's words"},
    ),
    "flag.taken_back": Words(
        "took the flag {flag} on {it} back",
        "A reader no longer says so.",
        {"case": "its number", "flag": "which"},
    ),
    "algorithm.patient_marked": Words(
        "marked a patient as known to the algorithm: {reason}",
        "Somebody knows that a patient is in the training data of a version; it is not validated on their scans.",
        {"patient": "the pseudonym", "scan": "that led to the patient", "reason": "why"},
    ),
    "algorithm.patient_unmarked": Words(
        "took back that a patient is known to the algorithm: {reason}",
        "A mark of a patient as known to a version was a mistake.",
        {"patient": "the pseudonym", "scan": "that led to the patient", "reason": "why"},
    ),
    "algorithm.registered": Words(
        "registered the algorithm {title}",
        "An algorithm's version became known here.",
        {
            "title": "its name for people",
            "already_there": "it was known before",
            "weights_sha256": "of its file of weights",
            "licence": "of the weights",
            "training_scans": "how many its card lists",
        },
    ),
    "algorithm.retired": Words(
        "retired the algorithm {title}: {reason}",
        "A version begins no new runs any more; what it made stays.",
        {"title": "its name for people", "reason": "why"},
    ),
    "case.readings_compared": Words(
        "compared the readings of {it}",
        "Signed readings were compared and accepted, or sent on to be settled.",
        {
            "case": "its number",
            "stage": "of the protocol",
            "pairs": "agreement of each two readings",
            "accepted": "without adjudication",
            "reasons": "why not",
            "reference_sha256": "of the version that is the reference now",
        },
    ),
    "draft.failed": Words(
        "could not draft {it}: {sentence}",
        "A draft was given up.",
        {"run": "of the algorithm", "sentence": "why", "counted": "no, where it had ended otherwise by then"},
    ),
    "draft.finished": Words(
        "drafted {it} in {duration_s} s",
        "An AI draft is there.",
        {
            "run": "of the algorithm",
            "mask": "that it made",
            "counted": "no, where it was cancelled or another attempt's by then",
            "duration_s": "seconds",
            "device": "that it ran on",
            "weights_sha256": "of the weights that it used",
            "options": "that it ran with",
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
    "draft.worker_lost": Words(
        "has to draft {it} again: {reason}",
        "A run waits for another worker; what its attempt had is dropped.",
        {
            "run": "of the algorithm",
            "attempt": "its number",
            "reason": "why",
            "waits": "no, where it had ended by then",
        },
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
            "version": "the version's id",
            "number": "its number in the mask",
            "reason": "draft, import, submit, return, sign or restore",
            "sha256": "over voxels, geometry, label set and parent",
            "stroke_sequence": "its last stroke",
            "stroke_head_hash": "the hash of that stroke",
        },
    ),
    "reading.amendment_begun": Words(
        "began to amend {it}: {reason}",
        "A new reading that supersedes a signed one once it is signed.",
        {"case": "its number", "stage": "of the protocol", "supersedes": "the signed reading", "reason": "why"},
    ),
    "reading.assigned": Words(
        "assigned {it} to {reader_name}",
        "A reader was given a case.",
        {
            "case": "its number",
            "stage": "of the protocol",
            "reader": "the person's id",
            "reader_name": "the person's name then",
            "due_on": "the day by which",
        },
    ),
    "reading.lease_asked": Words(
        "asked for the right to edit {it}",
        "Who edits is asked to hand over.",
        {"tab": "that asks", "holder_tab": "that holds it"},
    ),
    "reading.reassigned": Words(
        "gave {it} to another reader: {reason}",
        "A reading went from one reader to another.",
        {
            "case": "its number",
            "stage": "of the protocol",
            "before": "the person who had it",
            "after": "the person who has it",
            "reason": "why",
        },
    ),
    "reading.released": Words(
        "freed {it}: {reason}",
        "An open reading was taken from its reader, or given back for lying idle.",
        {
            "case": "its number",
            "stage": "of the protocol",
            "reader": "who had it",
            "before": "its state before",
            "reason": "why",
        },
    ),
    "reading.repeat_assigned": Words(
        "assigned {it} to be read again",
        "The same reader reads a case again after some days, blinded to the first time.",
        {
            "case": "its number",
            "stage": "of the protocol",
            "reader": "the person's id",
            "repeat": "how many times before",
            "not_before": "the first day",
        },
    ),
    "reading.returned": Words(
        "returned {it}: {reason}",
        "A submitted reading went back to its reader.",
        {
            "case": "its number",
            "stage": "of the reading that went back",
            "review": "the reading that sent it back",
            "reason": "what is to be done",
        },
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
            "meaning": "of the signature",
            "attested": "what was seen and decided",
            "acknowledged": "what was missing and known to be",
            "independent": "no other reading of the case was known to the reader",
            "supersedes": "the reading that it amends",
        },
    ),
    "reading.started": Words(
        "began {it}",
        "A reader has a mask of their own from now on.",
        {
            "case": "its number",
            "stage": "of the protocol",
            "protocol_version": "that it is read under",
            "assigned": "it was assigned before",
            "repeat": "how many times it was read before",
            "mask": "the reading's",
            "starts_from": "ai_draft, imported_mask or empty",
            "forked_from": "the hash of what it began from",
            "forked_from_author": "whose that was",
        },
    ),
    "reading.submitted": Words(
        "submitted {it}",
        "A reading was handed on to the next stage; its version stays.",
        {
            "case": "its number",
            "stage": "of the protocol",
            "version": "that was submitted",
            "version_sha256": "of it",
            "active_s": "seconds of active work",
        },
    ),
    "reading.viewed": Words(
        "opened {it}",
        "A reading's scan and mask were shown in the viewer, or read by a program.",
        {"case": "its number", "may_edit": "or only looks", "shown": "mask, where a program read it"},
    ),
}
