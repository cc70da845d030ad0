"""Real images with their masks, in the layouts in which public sets ship them; counted by other readers than ours."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from PIL import Image

from tests.factories.doors import bring
from tests.factories.pairs import the_import
from webapp.archive.models import Scan
from webapp.archive.queries import volume_of
from webapp.masks.models import ImportedMask
from webapp.masks.queries import imported_version, version_layers

pytestmark = pytest.mark.django_db


def accepted(campaign, *paths: Path, **options) -> str:
    """Ingest what must be accepted whole; what it printed."""
    out, status = bring(campaign, *paths, no_hold=True, **options)
    assert status == 0, out
    return out


def stack(folder: Path) -> np.ndarray:
    """Pictures of a folder by the numbers that their names are, as Pillow reads them."""
    paths = sorted(folder.iterdir(), key=lambda path: int(path.stem))
    return np.stack([np.asarray(Image.open(path)).astype(np.uint8) for path in paths])


def test_hu_volume_with_its_lung(campaign, data_folder, tmp_path):
    """ct-64.nrrd and wholeLung-64.nrrd beside each other; voxels by SimpleITK."""
    shutil.copytree(data_folder / "volumes", tmp_path / "volumes")
    accepted(campaign, tmp_path / "volumes", data_set="Chest Imaging Platform", licence="BSD style")
    ct, lung = (
        SimpleITK.DICOMOrient(SimpleITK.ReadImage(str(data_folder / "volumes" / name)), "LPS")
        for name in ("ct-64.nrrd", "wholeLung-64.nrrd")
    )
    assert np.array_equal(volume_of(Scan.objects.get()).hu, SimpleITK.GetArrayFromImage(ct))
    imported, layers = the_import()
    truth = SimpleITK.GetArrayFromImage(lung) != 0
    assert np.array_equal(layers["anatomy"] != 0, truth)
    assert imported.layers["anatomy"]["voxels"] == int(truth.sum()) > 10_000
    sides = [int((layers["anatomy"] == side).sum()) for side in (1, 2)]
    middles = [np.nonzero(layers["anatomy"] == side)[2].mean() for side in (1, 2)]
    assert middles[0] > 32 > middles[1]
    assert 0.35 < sides[0] / sum(sides) < 0.55  # the left lung is the smaller one


@pytest.mark.parametrize("case", ["radiopaedia_29_86491_1", "radiopaedia_36_86526_0"])
def test_slices_of_a_case_with_lung_and_lesion(campaign, data_folder, case):
    folder = data_folder / "covid20-slices" / case
    accepted(campaign, folder, data_set="COVID-19-CT-Seg")
    assert np.array_equal(volume_of(Scan.objects.get()).hu, stack(folder / "ct").astype(np.int16))
    imported, layers = the_import()
    assert np.array_equal(layers["anatomy"] != 0, stack(folder / "lung") != 0)
    assert np.array_equal(layers["findings"], stack(folder / "lesion"))
    assert imported.layers["findings"]["voxels"] == int(stack(folder / "lesion").sum()) > 0


def test_two_cases_side_by_side_stay_apart(campaign, data_folder, tmp_path):
    """Slices of the same names in two folders, in one sending."""
    cases = ["radiopaedia_29_86490_1", "radiopaedia_10_85902_1"]
    for case in cases:
        shutil.copytree(data_folder / "covid20-slices" / case, tmp_path / "sets" / case)
    accepted(campaign, tmp_path / "sets")
    found = {len(i.scan.shape_zyx) and i.scan.shape_zyx[0]: i for i in ImportedMask.objects.select_related("scan")}
    for case in cases:
        lesion = stack(data_folder / "covid20-slices" / case / "lesion")
        layers = version_layers(imported_version(found[len(lesion)]))
        assert np.array_equal(layers["findings"], lesion)


def test_single_slices_with_lesion_and_classes(campaign, data_folder, tmp_path):
    """Each slice another patient; the classes agree with the lesion, and count once."""
    chosen = [f"{number}.png" for number in (0, 1, 10)]
    for kind in ("ct", "lesion", "classes"):
        (tmp_path / "slices" / kind).mkdir(parents=True)
        for name in chosen:
            shutil.copy(data_folder / "medseg-slices" / kind / name, tmp_path / "slices" / kind / name)
    accepted(campaign, tmp_path / "slices", data_set="MedSeg", single_pictures=True)
    assert Scan.objects.count() == 3
    truth = {}
    for name in chosen:
        ct = np.asarray(Image.open(data_folder / "medseg-slices" / "ct" / name))
        truth[ct.tobytes()] = np.asarray(Image.open(data_folder / "medseg-slices" / "lesion" / name)).astype(np.uint8)
    for imported in ImportedMask.objects.select_related("scan"):
        layers = version_layers(imported_version(imported))
        ct = volume_of(imported.scan).hu[0].astype(np.uint8)
        assert np.array_equal(layers["findings"][0], truth.pop(ct.tobytes()))
    assert truth == {}
