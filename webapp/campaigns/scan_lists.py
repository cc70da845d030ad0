"""Lists by which people name scans that are here."""

import re
import uuid

from django.db.models import Q

from webapp.accounts.models import User
from webapp.archive.models import Scan
from webapp.audit.refusal import ActionRefused, Refusal
from webapp.campaigns.queries import scans_coordinated_by

MOST_SCANS_ADDED = 1000
MOST_NAMED_IN_WORDS = 5


def scans_named(user: User, text: str) -> list[Scan]:
    """The scans that a list names, one name a line: pseudonyms (all scans of the patient), series UIDs or ids of scans.

    Only those that the person coordinates are known. Raises ActionRefused, with the first names that are not.
    """
    names = list(dict.fromkeys(re.split(r"[\s,;]+", text.replace("\0", "").strip())))
    if names in ([], [""]):
        raise ActionRefused(Refusal("malformed", "Name scans: a pseudonym, a series UID or a scan's id on each line."))
    if len(names) > MOST_SCANS_ADDED:
        raise ActionRefused(Refusal("too_many", f"At most {MOST_SCANS_ADDED:,} names are taken at once."))
    ids = {name: identifier for name in names if (identifier := _identifier(name)) is not None}
    known = Q(study__patient__pseudonym__in=names) | Q(series_uid__in=names) | Q(pk__in=ids.values())
    found = list(scans_coordinated_by(user).filter(known).select_related("study__patient").order_by("filed_at", "pk"))
    said = {word for scan in found for word in (scan.study.patient.pseudonym, scan.series_uid, str(scan.pk))}
    unknown = [name for name in names if name not in said and str(ids.get(name)) not in said]
    if unknown:
        more = f" and {len(unknown) - MOST_NAMED_IN_WORDS} more" if len(unknown) > MOST_NAMED_IN_WORDS else ""
        which = ", ".join(name[:64] for name in unknown[:MOST_NAMED_IN_WORDS])
        sentence = f"No scan of a campaign that you coordinate is called {which}{more}. Nothing was added."
        raise ActionRefused(Refusal("unknown_scans", sentence))
    return found


def _identifier(name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(name)
    except ValueError:
        return None
