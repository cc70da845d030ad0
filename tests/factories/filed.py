"""A campaign with a case whose scan is really filed: slabs, DICOM instances, AI draft. Made in a second or two."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.imaging.dicom import read_file, volume_from_files
from inference.imaging.volume import Volume
from inference.phantoms import make_phantom, write_dicom_series
from tests.factories.sites import Tab, a_campaign, a_person
from webapp.accounts.models import User
from webapp.algorithms.actions import finish_draft, request_draft, start_draft
from webapp.archive.actions import file_scan
from webapp.archive.filing import NewInstance, NewScan
from webapp.archive.models import Scan
from webapp.audit.actor import SYSTEM
from webapp.campaigns.actions import add_case
from webapp.campaigns.models import Campaign, Case
from webapp.masks.queries import head_layers
from webapp.readings.actions import sign_reading, start_reading
from webapp.readings.models import Reading

Array = NDArray[Any]
# x runs to the patient's right and y to the front, from a corner that is not round: a prone scan.
PRONE = np.array([[-6.5, 0, 0, 190.25], [0, -7, 0, 161.5], [0, 0, 20, -312.75], [0, 0, 0, 1]], dtype=np.float64)


def letter_f(shape_zyx: tuple[int, int, int]) -> Array:
    """A findings layer that no flip and no swap of axes leaves as it is: an F of labels 1, 2 and 5, thicker upwards."""
    layer = np.zeros(shape_zyx, dtype=np.uint8)
    nz, ny, nx = shape_zyx
    top, left = ny // 4, nx // 5
    for z in range(2, nz - 3):
        layer[z, top : top + ny // 2, left : left + 1 + z // 3] = 1
        layer[z, top, left : left + nx // 4] = 2
        layer[z, top + ny // 5, left : left + nx // 6] = 5
    return layer


@dataclass
class FiledPlace:
    """A campaign with one filed and drafted case, and people of every kind."""

    campaign: Campaign
    case: Case
    volume: Volume
    anatomy: Array
    reader: User
    other_reader: User
    coordinator: User
    outsider: User


def a_filed_scan(folder: Path, *, seed: int = 3, affine_lps: Array | None = None, nifti: bool = False) -> tuple:
    """A phantom's series in the archive, with the volume as read back from its files and the phantom's lungs."""
    phantom = make_phantom(
        seed, shape_zyx=(14, 48, 64), spacing_zyx_mm=(20.0, 7.0, 6.5), affine_lps=affine_lps, lesions=None
    )
    paths = write_dicom_series(phantom, folder / f"series-{seed}", patient_id=f"P{seed}")
    series = volume_from_files(paths)
    headers = [read_file(paths[index], pixels=False) for index in series.order]
    first = headers[0]
    new = NewScan(
        pseudonym=f"GG-{seed:05d}",
        study_uid=str(first.StudyInstanceUID),
        series_uid=str(first.SeriesInstanceUID),
        source="nifti" if nifti else "dicom",
        frame_of_reference_uid=str(first.FrameOfReferenceUID),
        description="Lung 1.0",
        manufacturer="Groundglass",
        model_name="Phantom",
        kernel="B60f",
        warnings=[{"code": "contrast", "sentence": "Contrast medium was given: it raises density and with it weight."}],
    )
    instances = [
        NewInstance(str(h.SOPClassUID), str(h.SOPInstanceUID), paths[index].read_bytes(), (z,))
        for z, (h, index) in enumerate(zip(headers, series.order, strict=True))
    ]
    scan = file_scan(new=new, volume=series.volume, instances=() if nifti else instances, by=SYSTEM)
    return scan, series.volume, phantom


def draft_case(campaign: Campaign, scan: Scan, layers: dict[str, Array]) -> Case:
    """The scan as the campaign's next case, its AI draft finished with `layers`."""
    case = add_case(campaign=campaign, scan=scan, by=SYSTEM)
    assert campaign.draft_algorithm is not None
    run = request_draft(scan=scan, algorithm=campaign.draft_algorithm, label_set=campaign.label_set, by=SYSTEM)
    started = start_draft(run=run)
    assert started is not None
    finish_draft(run=started, layers=layers, duration_s=1.0, device="cpu", options={})
    return case


def a_filed_place(folder: Path, slug: str = "covid", **scan: Any) -> FiledPlace:
    """The whole: the AI draft holds the phantom's lungs and its lesions as label 1."""
    campaign = a_campaign(slug)
    filed, volume, phantom = a_filed_scan(folder, **scan)
    layers = {"anatomy": phantom.anatomy, "findings": (phantom.findings > 0).astype(np.uint8)}
    return FiledPlace(
        campaign=campaign,
        case=draft_case(campaign, filed, layers),
        volume=volume,
        anatomy=phantom.anatomy,
        reader=a_person(f"{slug}-reader", campaign, "radiologist"),
        other_reader=a_person(f"{slug}-other", campaign, "radiologist"),
        coordinator=a_person(f"{slug}-coordinator", campaign, "coordinator"),
        outsider=a_person(f"{slug}-outsider"),
    )


def read_and_sign(case: Case, reader: User, findings: Array) -> Reading:
    """A reading of the case, painted to `findings` by one stroke, and signed."""
    reading = start_reading(case=case, by=reader)
    tab = Tab(reading, reader)
    before = head_layers(reading.mask)["findings"]
    if not np.array_equal(before, findings):
        tab.send(tab.stroke(before, findings))
    reading.mask.refresh_from_db()
    sign_reading(
        reading=reading,
        stroke_sequence=reading.mask.stroke_sequence,
        statement=reading.protocol.statement,
        by=reader,
    )
    return Reading.objects.get(pk=reading.pk)
