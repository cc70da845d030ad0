"""Read masks: their working state, their versions, their strokes."""

import numpy as np
from numpy.typing import NDArray

from inference.imaging.masks import decode_slice
from webapp.archive.models import Scan
from webapp.masks.models import LAYERS, DataSet, HeadSlice, ImportedMask, LabelSet, Mask, SliceBlob, Version
from webapp.masks.versions import manifest_digests

Layers = dict[str, NDArray[np.uint8]]


def head_layers(mask: Mask) -> Layers:
    """Return both layers of a mask's working state, uint8 zyx."""
    layers = _empty(mask)
    for layer, z, data in HeadSlice.objects.filter(mask=mask).values_list("layer", "z", "data"):
        layers[layer][z] = decode_slice(bytes(data), layers[layer].shape[1:])
    return layers


def version_layers(version: Version) -> Layers:
    """Return both layers of a version, uint8 zyx: {"anatomy", "findings"}."""
    layers = _empty(version.mask)
    digests = {layer: manifest_digests(version, layer) for layer in LAYERS}
    wanted = {d for ds in digests.values() for d in ds if d}
    blobs = dict(SliceBlob.objects.filter(pk__in=wanted).values_list("sha256", "data"))
    for layer, ds in digests.items():
        for z, digest in enumerate(ds):
            if digest:
                layers[layer][z] = decode_slice(bytes(blobs[digest]), layers[layer].shape[1:])
    return layers


def _empty(mask: Mask) -> Layers:
    return {layer: np.zeros(mask.scan.shape_zyx, np.uint8) for layer in LAYERS}


def imports_of(scan: Scan, label_set: LabelSet) -> list[ImportedMask]:
    """The masks that came with a scan under a label set: of each data set the newest, by the data set's name."""
    found = ImportedMask.objects.filter(scan=scan, mask__label_set=label_set).select_related("data_set", "mask")
    return list(found.order_by("data_set__name", "-imported_at", "-pk").distinct("data_set__name"))


def newest_import(scan: Scan, label_set: LabelSet, data_set: DataSet) -> ImportedMask | None:
    """The newest mask that came with a scan from a data set, under a label set."""
    found = ImportedMask.objects.filter(scan=scan, data_set=data_set, mask__label_set=label_set)
    return found.select_related("data_set", "mask").order_by("-imported_at", "-pk").first()


def imported_version(imported: ImportedMask) -> Version:
    """The version that an imported mask was cut as."""
    return imported.mask.versions.select_related("mask").get(number=1)
