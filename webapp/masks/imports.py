"""Masks that came with scans: kept as masks of their own, whose author is the data set they came with."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from webapp.archive.models import Scan
from webapp.audit.actor import Actor, actor_of
from webapp.audit.refusal import Refusal, require
from webapp.audit.trail import SITE_CHAIN, audited, record
from webapp.masks import events
from webapp.masks.actions import create_mask, cut_version
from webapp.masks.models import LAYERS, DataSet, ImportedMask, LabelSet
from webapp.masks.queries import newest_import, version_layers

# The author of masks whose sender named no data set.
UNNAMED = "Unnamed data set"


@dataclass(frozen=True, eq=False)
class NewLayer:
    """One layer (uint8 zyx on the scan's grid) and where it came from; `labels` are [value, name of the label set]."""

    voxels: NDArray[np.uint8]
    came_as: str
    labels: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Imported:
    """What became of a mask that came: filed now, or there already."""

    mask: ImportedMask
    known: bool
    outlived: bool = False
    """Known, and a later one of the same data set has taken its place."""


def actor_of_data_set(data_set: DataSet) -> Actor:
    """A data set as an author."""
    return Actor("import", f"data set:{data_set.pk}", data_set.name)


def clean_line(text: str, length: int) -> str:
    """Text as it is kept: printable, on one line, no longer than its column."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:length].strip()


@audited(events.DATA_SET_NAMED)
def name_data_set(
    *, name: str, licence: str = "", citation: str = "", mask_values: Mapping[int, str] | None = None, by: Any
) -> DataSet:
    """The data set of a name, made where it is not there. What was not said of it before may be said now.

    Raises ActionRefused where its licence, its citation or what its values mean is another: nobody changes what others'
    masks came with.
    """
    name = clean_line(name, DataSet.NAME_LENGTH)
    require(None if name else Refusal("no_data_set", "Give the data set a name."))
    said: dict[str, Any] = {
        "licence": clean_line(licence, DataSet.LICENCE_LENGTH),
        "citation": clean_line(citation, DataSet.CITATION_LENGTH),
        "mask_values": {str(value): clean_line(words, 64) for value, words in sorted((mask_values or {}).items())},
    }
    data_set, made = DataSet.objects.select_for_update().get_or_create(name=name, defaults=said)
    added = []
    for column, text in said.items():
        known = getattr(data_set, column)
        if text and known and text != known:
            what = "meaning of its values" if column == "mask_values" else column
            sentence = f"The data set {name} is known with another {what}: leave it empty, or give it another name."
            require(Refusal("data_set_differs", sentence))
        if text and not known:
            setattr(data_set, column, text)
            added.append(column)
    if added:
        data_set.save(update_fields=added)
    record(
        events.DATA_SET_NAMED,
        by=by,
        subject=f"data set:{data_set.pk}",
        name=name,
        made=made,
        added=added,
        **{column: getattr(data_set, column) for column in said},
    )
    return data_set


@audited(events.MASK_IMPORTED)
def import_mask(
    *,
    scan: Scan,
    label_set: LabelSet,
    data_set: DataSet,
    layers: dict[str, NewLayer],
    notes: list[str],
    by: Any,
    chain: str = SITE_CHAIN,
) -> Imported:
    """File a mask that came with a scan, as an immutable version whose author is the data set.

    A layer that did not come now but before, from the same data set, stays with it. The same voxels again are the mask
    that is there. Raises ActionRefused where the scan was deleted.
    """
    held = Scan.objects.select_for_update(of=("self",)).filter(pk=scan.pk).first()
    require(None if held else Refusal("scan_deleted", "The scan was deleted: no mask of it can be kept."))
    newest = newest_import(scan, label_set, data_set)
    voxels, described = _completed(newest, layers)
    content = _content_sha256(label_set, voxels)
    known = ImportedMask.objects.filter(scan=scan, data_set=data_set, content_sha256=content).first()
    outlived = known is not None and known != newest
    imported = known
    if imported is None:
        author = actor_of_data_set(data_set)
        mask = create_mask(scan=scan, label_set=label_set, by=author, author_kind="import", layers=voxels)
        version = cut_version(mask=mask, reason="import", by=by, chain=chain, author=author)
        imported = ImportedMask.objects.create(
            mask=mask,
            scan=scan,
            data_set=data_set,
            content_sha256=content,
            layers=described,
            notes=notes,
            imported_by_name=actor_of(by).name,
        )
        details = {"version": str(version.pk), "version_sha256": version.sha256}
    else:
        details = {}
    record(
        events.MASK_IMPORTED,
        by=by,
        chain=chain,
        subject=f"scan:{scan.pk}",
        mask=str(imported.mask_id),
        data_set=data_set.name,
        layers={layer: new.came_as for layer, new in layers.items()},
        content_sha256=content,
        already_there=known is not None,
        **details,
    )
    return Imported(imported, known is not None, outlived)


def _completed(
    newest: ImportedMask | None, layers: dict[str, NewLayer]
) -> tuple[dict[str, NDArray[np.uint8]], dict[str, Any]]:
    """The voxels and the description of every layer: those that came, and those that came before and not now."""
    voxels = {layer: new.voxels for layer, new in layers.items()}
    described: dict[str, Any] = {
        layer: {"came_as": new.came_as, "voxels": int(np.count_nonzero(new.voxels)), "labels": new.labels}
        for layer, new in layers.items()
    }
    missing = [layer for layer in LAYERS if newest is not None and layer in newest.layers and layer not in layers]
    if newest is not None and missing:
        earlier = version_layers(newest.mask.versions.get(number=1))
        for layer in missing:
            voxels[layer], described[layer] = earlier[layer], newest.layers[layer]
    return voxels, described


def _content_sha256(label_set: LabelSet, voxels: dict[str, NDArray[np.uint8]]) -> str:
    digest = hashlib.sha256(f"groundglass-imported-mask-1 {label_set.sha256}".encode())
    for layer in LAYERS:
        # A layer that was not given is not the same as an empty one.
        digest.update(f" {layer} {layer in voxels} ".encode())
        if layer in voxels:
            digest.update(np.ascontiguousarray(voxels[layer]).data)
    return digest.hexdigest()
