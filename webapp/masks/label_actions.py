"""Label sets of a group's own: made once, immutable by version."""

from collections.abc import Mapping, Sequence
from typing import Any

from webapp.audit.refusal import require
from webapp.audit.trail import audited, record
from webapp.masks import events
from webapp.masks.labels import complete_labels, fault_in_labels
from webapp.masks.models import LabelSet
from webapp.masks.presets import label_set_sha256


@audited(events.LABEL_SET_MADE)
def make_label_set(*, name: str, labels: Sequence[Mapping[str, Any]], by: Any) -> LabelSet:
    """Make a label set, or its next version; the same labels under the same name are the set that is there.

    Who may is asked by whoever needs one, in the same transaction: a label set by itself changes nothing.
    """
    name, complete = name.strip(), complete_labels(labels)
    require(fault_in_labels(name, complete))
    made, there = _known_or_made(name, complete)
    record(
        events.LABEL_SET_MADE,
        by=by,
        subject=f"label_set:{made.pk}",
        name=made.name,
        version=made.version,
        sha256=made.sha256,
        already_there=there,
    )
    return made


def _known_or_made(name: str, labels: list[dict[str, Any]]) -> tuple[LabelSet, bool]:
    """The version of a set that has these labels, or the next one; the site's role may lock no row of a record."""
    while True:
        known = list(LabelSet.objects.filter(name=name).order_by("version"))
        there = next((one for one in known if one.labels == labels), None)
        if there is not None:
            return there, True
        version = known[-1].version + 1 if known else 1
        sha256 = label_set_sha256(name, version, labels)
        # Whoever makes a set of this name at the same moment takes the number: then the next one is tried.
        made, is_new = LabelSet.objects.get_or_create(
            name=name, version=version, defaults={"labels": labels, "sha256": sha256}
        )
        if is_new:
            return made, False
