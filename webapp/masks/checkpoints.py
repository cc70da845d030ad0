"""States of a mask that are stored on the way, so that no past state is far from a stored one.

Names of slices only: the slices lie in SliceBlob, each once, as those of versions do.
"""

from collections.abc import Sequence

from django.db import connection

from inference.imaging.delta import SliceRuns
from webapp.masks.models import LAYERS, Checkpoint, HeadSlice, Mask

# What reading a past state may cost, in slices decoded and changed: some 0.1 s from one stored state to the next, so
# that the middle between two is read in half of that.
MOST_COST = 3000
# A stroke of one slice and few runs costs this much beside its slice, and this many runs as much as a slice.
STROKE_COST, RUNS_A_SLICE = 4, 500


def replay_cost(delta: Sequence[SliceRuns]) -> int:
    """What replaying a stroke costs, in slices."""
    return STROKE_COST + len(delta) + sum(runs.start.size for runs in delta) // RUNS_A_SLICE


def store_slices(mask: Mask) -> dict[str, bytes]:
    """Keep the slices of a mask's working state, and return its manifests by layer; the caller holds the mask's row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO masks_sliceblob (sha256, data) SELECT DISTINCT ON (sha256) sha256, data"
            " FROM masks_headslice h WHERE mask_id = %s"
            " AND NOT EXISTS (SELECT 1 FROM masks_sliceblob b WHERE b.sha256 = h.sha256)"
            # In one order always: two cuts of slices alike must not wait for each other.
            " ORDER BY sha256 ON CONFLICT (sha256) DO NOTHING",
            [mask.pk],
        )
    manifests = {layer: bytearray(32 * mask.scan.shape_zyx[0]) for layer in LAYERS}
    for layer, z, digest in HeadSlice.objects.filter(mask=mask).values_list("layer", "z", "sha256"):
        manifests[layer][32 * z : 32 * z + 32] = bytes.fromhex(digest)
    return {layer: bytes(manifest) for layer, manifest in manifests.items()}


def leave_checkpoint(mask: Mask) -> None:
    """Store the working state of a mask whose row the caller holds, where the way since the last stored one is long.

    `mask` is as its row will be; `replay_cost` begins anew.
    """
    if mask.replay_cost < MOST_COST:
        return
    manifests = store_slices(mask)
    Checkpoint.objects.create(
        mask=mask,
        stroke_sequence=mask.stroke_sequence,
        anatomy_manifest=manifests["anatomy"],
        findings_manifest=manifests["findings"],
    )
    mask.replay_cost = 0
