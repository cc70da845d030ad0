"""Files a synthetic chest of many slices in a site, without an upload: `python -m tests.bench.filing SLUG SLICES`.

Through the archive's own actions, as the door files what it has checked; the phantom's own truth stands as the AI
draft, so that nobody waits for one. A process of its own, as `tests.journeys.furnish` is. Nothing else may work on
the site's jobs meanwhile: the draft is begun and finished here.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy import ndimage

from inference.phantoms import make_phantom
from inference.phantoms.chest import Phantom

SIDE = 512
LENGTH_MM = 330.0
NOISE_HU = 28.0
# Scanners' noise is not white: neighbours in the plane share some of it, and so it compresses as a real scan does.
NOISE_BLUR_PX = 0.6
SEED = 20


def noisy_phantom(slices: int) -> Phantom:
    """A chest of `slices` x 512 x 512 with the noise of a lung kernel: its voxels cost on the wire what a scan's do."""
    spacing_zyx_mm = (LENGTH_MM / slices, 0.72, 0.72)
    phantom = make_phantom(SEED, shape_zyx=(slices, SIDE, SIDE), spacing_zyx_mm=spacing_zyx_mm, noise_hu=0)
    voxels = phantom.volume.hu
    impulse = np.zeros((15, 15))
    impulse[7, 7] = 1
    scale = NOISE_HU / np.sqrt((ndimage.gaussian_filter(impulse, NOISE_BLUR_PX) ** 2).sum())

    def add_noise(z: int) -> None:
        white = np.random.default_rng((SEED, z)).standard_normal((SIDE, SIDE), dtype=np.float32)
        noise = ndimage.gaussian_filter(white, NOISE_BLUR_PX) * np.float32(scale)
        voxels[z] = np.clip(voxels[z] + np.rint(noise), -1024, 3071)

    with ThreadPoolExecutor() as pool:
        list(pool.map(add_noise, range(slices)))
    return phantom


def file_phantom(slug: str, slices: int) -> None:
    """Make the phantom the next case of a campaign, its draft finished."""
    from webapp.algorithms.actions import finish_draft, request_draft, start_draft
    from webapp.archive.actions import file_scan
    from webapp.archive.filing import NewScan
    from webapp.audit.actor import SYSTEM
    from webapp.campaigns.actions import add_case
    from webapp.campaigns.models import Campaign

    campaign = Campaign.objects.get(slug=slug)
    phantom = noisy_phantom(slices)
    new = NewScan(
        pseudonym=f"GG-{slices:05d}",
        study_uid=f"2.25.{slices}1",
        series_uid=f"2.25.{slices}2",
        frame_of_reference_uid=f"2.25.{slices}3",
        source="nifti",
        description=f"Phantom of {slices} slices",
    )
    scan = file_scan(
        new=new,
        volume=phantom.volume,
        by=SYSTEM,
        then=lambda filed: add_case(campaign=campaign, scan=filed, by=SYSTEM),
    )
    assert campaign.draft_algorithm is not None
    run = request_draft(scan=scan, algorithm=campaign.draft_algorithm, label_set=campaign.label_set, by=SYSTEM)
    started = start_draft(run=run)
    assert started is not None
    layers = {"anatomy": phantom.anatomy, "findings": (phantom.findings > 0).astype(np.uint8)}
    finish_draft(run=started, layers=layers, duration_s=0.0, device="cpu", options={})


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    import django

    django.setup()
    file_phantom(sys.argv[1], int(sys.argv[2]))
