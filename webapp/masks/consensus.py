"""One mask out of several: what all marked, what any marked, what most marked; slice by slice, so any scan fits."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.imaging.masks import decode_slice, encode_slice, slice_sha256
from inference.measures.consensus import OF_THREE, RULES, STAPLE, combine, patterns, staple
from webapp.audit.actor import Actor
from webapp.audit.trail import SITE_CHAIN
from webapp.masks.actions import create_mask, cut_version
from webapp.masks.models import LAYERS, HeadSlice, SliceBlob, Version
from webapp.masks.versions import manifest_digests

__all__ = ["OF_THREE", "RULES", "consensus_slices", "consensus_version"]

Slice = NDArray[np.uint8]


def consensus_slices(versions: Sequence[Version], rule: str) -> Iterator[tuple[str, int, Slice]]:
    """Yield (layer, z, voxels) of the consensus of `versions` (of one scan, the preferred first), empty ones left out.

    `rule` is one of inference.measures.consensus.RULES; what it raises, this does.
    """
    _, height, width = versions[0].mask.scan.shape_zyx
    for layer in LAYERS:
        digests = list(zip(*(manifest_digests(version, layer) for version in versions), strict=True))
        probability = _probability(digests, (height, width)) if rule == STAPLE else None
        for z, at_z in enumerate(digests):
            if any(at_z):
                voxels = combine(_decoded(at_z, (height, width)), rule, probability)
                if voxels.any():
                    yield layer, z, voxels


def _probability(digests: Sequence[Sequence[str]], shape_yx: tuple[int, int]) -> NDArray[np.float64]:
    """STAPLE's answer over a whole layer, by who marked a voxel."""
    readers = len(digests[0])
    counts = np.zeros(1 << readers, np.int64)
    for at_z in digests:
        if any(at_z):
            counts += np.bincount(patterns(_decoded(at_z, shape_yx)).ravel(), minlength=counts.size)
        else:
            counts[0] += shape_yx[0] * shape_yx[1]
    return staple(counts)


def _decoded(digests: Sequence[str], shape_yx: tuple[int, int]) -> list[Slice]:
    blobs = dict(SliceBlob.objects.filter(pk__in={d for d in digests if d}).values_list("sha256", "data"))
    known = {d: decode_slice(bytes(data), shape_yx) for d, data in blobs.items()}
    empty = np.zeros(shape_yx, np.uint8)
    return [known[d] if d else empty for d in digests]


def consensus_version(
    *, versions: Sequence[Version], rule: str, by: Any, chain: str = SITE_CHAIN, name: str = ""
) -> Version:
    """Make a mask that is the consensus of `versions` (of one scan, in order of preference) and cut its version.

    In the caller's transaction. Its author is the rule.
    """
    first = versions[0].mask
    author = Actor("consensus", rule, name or f"{rule.capitalize()} of {len(versions)} readings")
    mask = create_mask(scan=first.scan, label_set=first.label_set, by=author, author_kind="consensus")
    rows = (
        HeadSlice(mask=mask, layer=layer, z=z, sha256=slice_sha256(voxels), data=encode_slice(voxels))
        for layer, z, voxels in consensus_slices(versions, rule)
    )
    HeadSlice.objects.bulk_create(rows, batch_size=500)
    return cut_version(mask=mask, reason="consensus", by=by, chain=chain, author=author)
