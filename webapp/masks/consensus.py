"""One mask out of several: what all marked, what any marked, what most marked; slice by slice, so any scan fits."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.imaging.masks import decode_slice, encode_slice, slice_sha256
from inference.measures.consensus import RULES, combine
from webapp.audit.actor import Actor
from webapp.audit.trail import SITE_CHAIN
from webapp.masks.actions import create_mask, cut_version
from webapp.masks.models import LAYERS, HeadSlice, SliceBlob, Version
from webapp.masks.versions import manifest_digests


def consensus_version(
    *, versions: Sequence[Version], rule: str, by: Any, chain: str = SITE_CHAIN, name: str = ""
) -> Version:
    """Make a mask that is the consensus of `versions` (of one scan, in order of preference) and cut its version.

    `rule` is one of inference.measures.consensus.RULES. In the caller's transaction. Its author is the rule.
    """
    if rule not in RULES:
        raise ValueError(f"{rule!r} is no rule of consensus")
    first = versions[0].mask
    author = Actor("consensus", rule, name or f"{rule.capitalize()} of {len(versions)} readings")
    mask = create_mask(scan=first.scan, label_set=first.label_set, by=author, author_kind="consensus")
    shape_yx = (first.scan.shape_zyx[1], first.scan.shape_zyx[2])
    for layer in LAYERS:
        digests = [manifest_digests(version, layer) for version in versions]
        rows = []
        for z, at_z in enumerate(zip(*digests, strict=True)):
            if any(at_z):
                voxels = _combined(at_z, shape_yx, rule)
                if voxels.any():
                    rows.append(
                        HeadSlice(mask=mask, layer=layer, z=z, sha256=slice_sha256(voxels), data=encode_slice(voxels))
                    )
        HeadSlice.objects.bulk_create(rows, batch_size=500)
    return cut_version(mask=mask, reason="consensus", by=by, chain=chain, author=author)


def _combined(digests: Sequence[str], shape_yx: tuple[int, int], rule: str) -> NDArray[np.uint8]:
    blobs = dict(SliceBlob.objects.filter(pk__in={d for d in digests if d}).values_list("sha256", "data"))
    known = {d: decode_slice(bytes(data), shape_yx) for d, data in blobs.items()}
    empty = np.zeros(shape_yx, np.uint8)
    if len(set(digests)) == 1:
        return known[digests[0]]
    return combine([known[d] if d else empty for d in digests], rule)
