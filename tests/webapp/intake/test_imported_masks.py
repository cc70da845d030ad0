"""Images with masks of the lung and of lesion: laid over voxel by voxel, or refused with what differs."""

import zipfile

import nibabel as nib
import numpy as np
import pytest
from django.core.management import CommandError

from inference.imaging.axes import lps_to_ras
from inference.phantoms import make_phantom
from tests.factories.doors import bring
from tests.factories.filed import PRONE
from tests.factories.pairs import lesion_of, the_import, write_pictures, write_volumes
from tests.factories.volume_files import write, write_picture
from webapp.archive.models import Scan
from webapp.archive.queries import volume_of
from webapp.audit.actor import SYSTEM
from webapp.audit.models import Event
from webapp.campaigns.models import Case
from webapp.intake.models import Batch, SeriesLine
from webapp.masks.imports import name_data_set
from webapp.masks.models import DataSet, ImportedMask, Version
from webapp.masks.verify import faults

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha", ".mhd"])
def test_pair_becomes_a_scan_with_the_data_sets_mask(campaign, chest, tmp_path, ending):
    folder = write_volumes(tmp_path / "sent", chest, ending)
    out, status = bring(campaign, folder, data_set="Shanghai 2020", licence="CC BY 4.0", citation="Doe 2020")
    assert status == 0, out
    assert Scan.objects.count() == 1
    imported, layers = the_import()
    assert np.array_equal(layers["anatomy"], chest.anatomy)
    assert np.array_equal(layers["findings"], lesion_of(chest))
    data_set = DataSet.objects.get()
    assert (data_set.name, data_set.licence, data_set.citation) == ("Shanghai 2020", "CC BY 4.0", "Doe 2020")
    assert imported.data_set == data_set
    mask = imported.mask
    assert (mask.author_kind, mask.author_name, mask.label_set) == ("import", "Shanghai 2020", campaign.label_set)
    version = Version.objects.get(mask=mask)
    assert (version.reason, version.author_name, version.number) == ("import", "Shanghai 2020", 1)
    event = Event.objects.get(name="mask.imported")
    assert event.content["details"]["data_set"] == "Shanghai 2020"
    assert event.chain == f"campaign:{campaign.pk}"
    assert "has a mask of Shanghai 2020: lung" in out
    assert list(faults()) == []


def test_pair_on_an_oblique_and_turned_grid_lies_where_it_was_drawn(campaign, tmp_path):
    """The image prone, the mask turned onto other axes by nibabel: each voxel is found by its place in mm."""
    turn = np.radians(8)
    oblique = PRONE.copy()
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    oblique[:3, :3] = rotation @ PRONE[:3, :3]
    phantom = make_phantom(5, shape_zyx=(9, 32, 40), spacing_zyx_mm=(20.0, 7.0, 6.5), affine_lps=oblique)
    (tmp_path / "sent").mkdir()
    write(tmp_path / "sent" / "a.nii.gz", phantom.volume.hu.transpose(2, 1, 0), oblique)
    for name, array in (("lung", phantom.anatomy), ("lesion", lesion_of(phantom))):
        image = nib.Nifti1Image(array.transpose(2, 1, 0), lps_to_ras(oblique))
        turned = image.as_reoriented(np.array([[2, -1], [0, -1], [1, 1]]))
        nib.save(turned, tmp_path / "sent" / f"a_{name}.nii.gz")
    out, status = bring(campaign, tmp_path / "sent")
    assert status == 0, out
    scan = Scan.objects.get()
    _, layers = the_import()
    stored = np.linalg.inv(np.array(scan.affine_lps))
    # The phantom calls the lungs by its own axes, which here run to the patient's right.
    lungs = np.array([0, 2, 1], np.uint8)[phantom.anatomy]
    for layer, truth in (("anatomy", lungs), ("findings", lesion_of(phantom))):
        z, y, x = np.nonzero(truth)
        places = oblique @ np.stack([x, y, z, np.ones_like(x)]).astype(float)
        i, j, k = np.rint((stored @ places)[:3]).astype(int)
        assert np.array_equal(layers[layer][k, j, i], truth[z, y, x])
        assert np.count_nonzero(layers[layer]) == len(z)


@pytest.mark.parametrize("kind", ["folders", "zips", "own names", "prefixes", "apart"])
def test_layouts_of_the_table(campaign, chest, tmp_path, kind):
    source = write_volumes(tmp_path / "source", chest)
    image, lung, lesion = (source / f"case01{end}.nii.gz" for end in ("", "_lung", "_lesion"))
    places = {
        "folders": ("ct/case01.nii.gz", "Lung_Mask/case01.nii.gz", "Infection_Mask/case01.nii.gz"),
        "zips": ("20cases.zip/case01.nii.gz", "Lung_Mask.zip/case01.nii.gz", "Infection_Mask.zip/case01.nii.gz"),
        "own names": ("case01/image.nii.gz", "case01/lung.nii.gz", "case01/lesion.nii.gz"),
        "prefixes": ("ct-01.nii.gz", "wholeLung-01.nii.gz", "lesion-01.nii.gz"),
        "apart": ("scans/deep/case01.nii.gz", "masks/lungs/case01.nii.gz", "masks/case01_infection.nii.gz"),
    }[kind]
    for path, place in zip((image, lung, lesion), places, strict=True):
        target = tmp_path / "sent" / place
        if ".zip/" in place:
            archive, _, inside = place.partition(".zip/")
            (tmp_path / "sent").mkdir(exist_ok=True)
            with zipfile.ZipFile(tmp_path / "sent" / f"{archive}.zip", "a") as packed:
                packed.write(path, inside)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
    out, status = bring(campaign, tmp_path / "sent")
    assert status == 0, out
    _, layers = the_import()
    assert np.array_equal(layers["anatomy"], chest.anatomy)
    assert np.array_equal(layers["findings"], lesion_of(chest))


def test_pictures_in_folders_become_a_scan_with_its_mask(campaign, chest, tmp_path):
    """The lungs in one value: left and right by where they lie, as the phantom knows them."""
    folder = write_pictures(tmp_path / "sent" / "case01", chest, first=7)  # 7.png, ..., 10.png: natural order
    out, status = bring(campaign, folder.parent, data_set="Slices")
    assert status == 0, out
    _, layers = the_import()
    assert np.array_equal(layers["anatomy"], chest.anatomy)
    assert np.array_equal(layers["findings"], lesion_of(chest))
    assert "told apart by where they lie" in out


def test_missing_slice_of_a_picture_mask_is_not_taken_for_an_empty_one(campaign, chest, tmp_path):
    folder = write_pictures(tmp_path / "sent", chest)
    (folder / "lesion" / "4.png").unlink()
    out, status = bring(campaign, folder)
    assert status == 1
    assert "1 picture of the scan (5) have no mask of their name" in out
    assert set(the_import()[0].layers) == {"anatomy"}
    assert Scan.objects.count() == 1


def test_same_pair_twice_is_recognised(campaign, chest, tmp_path):
    folder = write_volumes(tmp_path / "sent", chest)
    bring(campaign, folder, data_set="A")
    out, status = bring(campaign, folder, data_set="A")
    assert status == 0
    assert "Already imported, recognised and not doubled: case 1 has a mask of A" in out
    assert (ImportedMask.objects.count(), Version.objects.count(), Case.objects.count()) == (1, 1, 1)
    out, _ = bring(campaign, folder, data_set="B")
    assert "case 1 has a mask of B" in out.replace("Case", "case")
    assert ImportedMask.objects.count() == 2


def test_layers_sent_one_after_the_other_come_together(campaign, chest, tmp_path):
    folder = write_volumes(tmp_path / "sent", chest)
    lesion = folder / "case01_lesion.nii.gz"
    lesion.rename(tmp_path / "case01_lesion.nii.gz")
    bring(campaign, folder, data_set="A")
    (folder / "case01_lung.nii.gz").rename(tmp_path / "case01_lung.nii.gz")
    (tmp_path / "case01_lesion.nii.gz").rename(lesion)
    bring(campaign, folder, data_set="A")
    newest = ImportedMask.objects.order_by("-imported_at")[0]
    assert set(newest.layers) == {"anatomy", "findings"}
    assert newest.words == "lung and findings"


def test_findings_without_lung_say_what_extent_needs(campaign, chest, tmp_path):
    folder = write_volumes(tmp_path / "sent", chest)
    (folder / "case01_lung.nii.gz").unlink()
    out, status = bring(campaign, folder)
    assert status == 0
    assert "Extent is lesion inside the lung over the lung, so there is none until the lung is drawn." in out
    imported, layers = the_import()
    assert set(imported.layers) == {"findings"}
    assert not layers["anatomy"].any()
    assert imported.data_set.name == "Unnamed data set"


def shifted(affine: np.ndarray, **change: float) -> np.ndarray:
    """An affine moved along z by `mm`, or stretched, or turned about the z axis by degrees."""
    moved = affine.copy()
    moved[2, 3] += change.get("mm", 0)
    moved[:3, 2] *= change.get("stretch", 1)
    turn = np.radians(change.get("degrees", 0))
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    moved[:3, :3] = rotation @ moved[:3, :3]
    return moved


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"mm": 20.0}, "The mask lies up to 20.00 mm away from the scan's voxels."),
        ({"mm": 4.0}, "mm away from the scan's voxels."),
        ({"stretch": 1.1}, "The mask's voxels are 6.5 x 7 x 22 mm and the scan's 6.5 x 7 x 20 mm."),
        ({"degrees": 3.0}, "turned by 3.0 degrees"),
    ],
)
def test_mask_on_another_grid_is_refused_with_what_differs_and_the_image_filed(
    campaign, chest, tmp_path, change, sentence
):
    """One slice off is the worst: it is refused, never shifted or resampled."""
    folder = write_volumes(tmp_path / "sent", chest)
    for name, array in (("lung", chest.anatomy), ("lesion", lesion_of(chest))):
        affine = shifted(chest.volume.affine_lps, **change)
        write(folder / f"case01_{name}.nii.gz", array.transpose(2, 1, 0), affine)
    out, status = bring(campaign, folder)
    assert status == 1
    assert sentence in out
    assert "1 accepted, 2 refused." in out
    assert ImportedMask.objects.count() == 0
    assert np.array_equal(volume_of(Scan.objects.get()).hu, chest.volume.hu)


def test_mask_with_a_slice_less_is_refused(campaign, chest, tmp_path):
    folder = write_volumes(tmp_path / "sent", chest)
    write(folder / "case01_lung.nii.gz", chest.anatomy[:-1].transpose(2, 1, 0), chest.volume.affine_lps)
    out, status = bring(campaign, folder)
    assert status == 1
    assert "The mask has 64 x 48 x 13 voxels and the scan 64 x 48 x 14" in out
    assert set(the_import()[0].layers) == {"findings"}


def write_combined(folder, chest, values: dict[str, int], name: str = "case01_lung_and_infection"):
    """The chest and one file of its lungs and its lesion; of a voxel of lesion the file says no more than that."""
    folder.mkdir()
    write(folder / "case01.nii.gz", chest.volume.hu.transpose(2, 1, 0), chest.volume.affine_lps)
    labels = np.choose(chest.anatomy, [0, values["left"], values["right"]]).astype(np.uint8)
    labels[lesion_of(chest) != 0] = values["lesion"]
    write(folder / f"{name}.nii.gz", labels.transpose(2, 1, 0), chest.volume.affine_lps)
    return folder


@pytest.mark.parametrize("name", ["case01_lung_and_infection", "case01_mask"])
@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"left": 1, "right": 2, "lesion": 3}, "1=left lung, 2=right lung, 3=lesion"),
        ({"left": 20, "right": 10, "lesion": 255}, "255=infection,10 = Lung right,20=lung_left"),
        ({"left": 1, "right": 1, "lesion": 2}, "1=lung, 2=lesion"),
    ],
    ids=["a value each", "other values and words", "one value for both lungs"],
)
def test_one_layer_of_lung_and_lesion_becomes_two_as_its_data_set_says(campaign, chest, tmp_path, name, values, said):
    folder = write_combined(tmp_path / "sent", chest, values, name)
    out, status = bring(campaign, folder, data_set="Both in one", mask_values=said)
    assert status == 0, out
    imported, layers = the_import()
    lesion = lesion_of(chest)
    assert np.count_nonzero(lesion) > 50
    assert np.array_equal(layers["findings"], lesion)
    assert np.array_equal(layers["anatomy"], chest.anatomy), "a voxel of lesion is of the lung that it lies in"
    assert f"{np.count_nonzero(lesion):,} voxels of lesion count as lung." in " ".join(imported.notes)
    assert list(faults()) == []


def test_what_a_data_set_says_of_its_values_counts_for_what_comes_later_by_another_door(campaign, chest, tmp_path):
    folder = write_combined(tmp_path / "sent", chest, {"left": 1, "right": 2, "lesion": 3})
    data_set = name_data_set(name="Both in one", mask_values={1: "left lung", 2: "right lung", 3: "lesion"}, by=SYSTEM)
    out, status = bring(campaign, folder, data_set="Both in one")
    assert status == 0, out
    assert np.array_equal(the_import()[1]["anatomy"], chest.anatomy)
    with pytest.raises(CommandError, match="known with another meaning of its values"):
        bring(campaign, folder, data_set="Both in one", mask_values="1=right lung")
    data_set.refresh_from_db()
    assert data_set.mask_values == {"1": "left lung", "2": "right lung", "3": "lesion"}


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("1=left lung, 2=right lung", "It has the label 3: what its data set says of its values tells nothing"),
        (
            "1=left lung, 2=right lung, 3=liver",
            "It has the label 3: what its data set says of its values tells nothing",
        ),
    ],
)
def test_values_of_which_nothing_known_is_said_are_refused(campaign, chest, tmp_path, said, sentence):
    folder = write_combined(tmp_path / "sent", chest, {"left": 1, "right": 2, "lesion": 3})
    out, status = bring(campaign, folder, data_set="Both in one", mask_values=said)
    assert status == 1
    assert sentence in out
    assert ImportedMask.objects.count() == 0


def test_a_name_that_says_one_layer_speaks_before_the_data_set(campaign, chest, tmp_path):
    folder = write_volumes(tmp_path / "sent", chest)
    out, status = bring(campaign, folder, data_set="Both in one", mask_values="1=lesion, 2=lesion")
    assert status == 0, out
    assert np.array_equal(the_import()[1]["anatomy"], chest.anatomy)


@pytest.mark.parametrize("said", ["1", "0=lung", "256=lung", "1=lung, 1=lesion", "x=lung", "1="])
def test_mask_values_that_are_none_are_refused_before_anything_is_read(campaign, chest, tmp_path, said):
    with pytest.raises(CommandError, match="--mask-values: "):
        bring(campaign, tmp_path, data_set="Both in one", mask_values=said)
    with pytest.raises(CommandError, match="are of a data set"):
        bring(campaign, tmp_path, mask_values="1=lung")
    assert (Batch.objects.count(), DataSet.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("name", "values", "sentence"),
    [
        ("case01_lesion", {1: 1, 2: 4}, "It has the labels 1, 4: a lesion mask has one value. Nothing is guessed."),
        ("case01_lung", {1: 3, 2: 4, 3: 5}, "It has the labels 3, 4, 5: a lung mask has one value"),
        ("case01_lung", {1: 1, 2: 2}, "It has the labels 1, 2: they do not lie on two sides, as two lungs would"),
        ("case01_classes", {1: 1, 2: 9}, "It has the label 9"),
        ("case01_findings", {1: 1, 2: 77}, "It has the label 77"),
        ("case01_mask", {1: 1}, "Its name says that it is a mask, and not of what"),
        ("case01_lung_and_infection", {1: 1, 2: 3}, "It holds lung and lesion in one layer of values"),
        ("case01_lung", {}, "There is no lung in it"),
        ("other_lung", {1: 1}, "its image was not sent with it"),
    ],
)
def test_masks_that_cannot_be_understood_get_a_line_and_the_image_is_filed(
    campaign, chest, tmp_path, name, values, sentence
):
    (tmp_path / "sent").mkdir()
    write(tmp_path / "sent" / "case01.nii.gz", chest.volume.hu.transpose(2, 1, 0), chest.volume.affine_lps)
    labels = np.zeros_like(chest.anatomy)
    for place, value in values.items():
        labels[place + 1, 4 * place : 4 * place + 3, 5:9] = value
    write(tmp_path / "sent" / f"{name}.nii.gz", labels.transpose(2, 1, 0), chest.volume.affine_lps)
    out, status = bring(campaign, tmp_path / "sent")
    assert status == 1
    assert sentence in out
    assert (Scan.objects.count(), ImportedMask.objects.count()) == (1, 0)


def test_two_masks_for_one_layer_are_both_refused_unless_they_say_the_same(campaign, chest, tmp_path):
    folder = write_volumes(tmp_path / "sent", chest)
    other = lesion_of(chest)
    write(folder / "case01_infection.nii.gz", other.transpose(2, 1, 0), chest.volume.affine_lps)
    out, status = bring(campaign, folder, data_set="A")
    assert status == 0, out
    assert "2 masks of the findings layer say the same; it counts once." in out
    other[5, 20, 20] ^= 1
    write(folder / "case01_infection.nii.gz", other.transpose(2, 1, 0), chest.volume.affine_lps)
    out, status = bring(campaign, folder, data_set="B")
    assert status == 1
    assert out.count("2 masks are for the findings layer of one scan, and they differ (in 1 voxels)") == 2
    assert set(ImportedMask.objects.get(data_set__name="B").layers) == {"anatomy"}


def test_classes_say_more_than_lesion_and_both_agree(campaign, chest, tmp_path):
    folder = write_volumes(tmp_path / "sent", chest)
    write(folder / "case01_classes.nii.gz", chest.findings.transpose(2, 1, 0), chest.volume.affine_lps)
    out, status = bring(campaign, folder)
    assert status == 0, out
    assert np.array_equal(the_import()[1]["findings"], lesion_of(chest))


def test_our_own_export_comes_back_with_every_label(campaign, chest, tmp_path):
    """image, lung, lesion and findings as releases write them: exclusion labels survive, lesion agrees."""
    folder = tmp_path / "case-0001"
    folder.mkdir()
    findings = lesion_of(chest)
    findings[6, 2:5, 2:5] = 5
    layers = {"image": chest.volume.hu, "lung": chest.anatomy, "lesion": lesion_of(chest), "findings": findings}
    for name, array in layers.items():
        write(folder / f"{name}.nii.gz", array.transpose(2, 1, 0), chest.volume.affine_lps)
    out, status = bring(campaign, folder)
    assert status == 0, out
    assert np.array_equal(the_import()[1]["findings"], findings)


def test_lungs_in_two_files_and_the_other_way_round_in_one(campaign, chest, tmp_path):
    """Left and right by the files' names, and by place where one file calls the right lung 1."""
    folder = write_volumes(tmp_path / "sent", chest)
    swapped = np.array([0, 2, 1], np.uint8)[chest.anatomy]
    write(folder / "case01_lung.nii.gz", swapped.transpose(2, 1, 0), chest.volume.affine_lps)
    out, status = bring(campaign, folder, data_set="A")
    assert status == 0, out
    assert "By where they lie, 2 is the left lung and 1 the right." in out
    assert np.array_equal(the_import()[1]["anatomy"], chest.anatomy)
    (folder / "case01_lung.nii.gz").unlink()
    for side, value in (("left", 1), ("right", 2)):
        mask = (chest.anatomy == value).astype(np.uint8)
        write(folder / f"case01_{side}_lung.nii.gz", mask.transpose(2, 1, 0), chest.volume.affine_lps)
    out, _ = bring(campaign, folder, data_set="A")
    assert "recognised and not doubled" in out
    assert ImportedMask.objects.count() == 1


def test_scan_called_after_its_lung_kernel_is_a_scan(campaign, chest, tmp_path):
    (tmp_path / "sent").mkdir()
    write(tmp_path / "sent" / "thorax_lung.nii.gz", chest.volume.hu.transpose(2, 1, 0), chest.volume.affine_lps)
    out, status = bring(campaign, tmp_path / "sent")
    assert status == 0, out
    assert Scan.objects.count() == 1
    # Beside another reconstruction of the same name, too.
    write(tmp_path / "sent" / "thorax.nii.gz", chest.volume.hu.transpose(2, 1, 0) + 1, chest.volume.affine_lps)
    out, status = bring(campaign, tmp_path / "sent")
    assert status == 0, out
    assert (Scan.objects.count(), ImportedMask.objects.count()) == (2, 0)


def test_mask_of_the_lung_that_lies_beside_the_lung_is_told(campaign, chest, tmp_path):
    """On the same grid and turned upside down within it: nothing but the voxels' density can tell."""
    folder = write_volumes(tmp_path / "sent", chest)
    out, _ = bring(campaign, folder, data_set="Right")
    assert "look whether the mask is this scan's" not in out
    body = np.zeros_like(chest.anatomy)
    body[:, 20:28, 28:36] = 1  # the middle of the chest
    write(folder / "case01_lung.nii.gz", body.transpose(2, 1, 0), chest.volume.affine_lps)
    out, status = bring(campaign, folder, data_set="Wrong")
    assert status == 0
    assert "% of the lung layer holds air (below -300 HU)" in out
    notes = ImportedMask.objects.get(data_set__name="Wrong").notes
    assert any("look whether the mask is this scan's" in note for note in notes)


def test_probabilities_are_no_mask_and_no_scan(campaign, chest, tmp_path):
    folder = write_volumes(tmp_path / "sent", chest)
    half = lesion_of(chest).astype(np.float32) / 2
    write(folder / "case01_lesion.nii.gz", half.transpose(2, 1, 0), chest.volume.affine_lps)
    out, status = bring(campaign, folder)
    assert status == 1
    assert "is not a mask: labels are whole numbers from 0 to 255" in out
    assert Scan.objects.count() == 1


def test_masks_as_files_lie_over_the_dicom_series_of_their_folder(campaign, series, phantom, tmp_path):
    paths = series("case01/dicom")
    folder = paths[0].parent.parent
    write(folder / "lung.nii.gz", phantom.anatomy.transpose(2, 1, 0), phantom.volume.affine_lps)
    out, status = bring(campaign, folder.parent)
    assert status == 0, out
    imported, layers = the_import()
    assert np.array_equal(layers["anatomy"], phantom.anatomy)
    assert imported.scan.source == "dicom"


def test_mask_beside_two_series_is_refused(campaign, series, phantom, tmp_path):
    series("all/a")
    folder = series("all/b", uid_seed="b")[0].parent.parent
    write(folder / "lung.nii.gz", phantom.anatomy.transpose(2, 1, 0), phantom.volume.affine_lps)
    out, status = bring(campaign, folder)
    assert status == 1
    assert "Several scans might be the one that it was drawn on" in out
    assert ImportedMask.objects.count() == 0


def test_series_that_was_refused_does_not_hide_the_scan(campaign, series, phantom, tmp_path):
    """A localiser or a series with a gap beside the scan: the mask is of the one that became a scan."""
    series("all/a")
    paths = series("all/b", uid_seed="b")
    paths[3].unlink()
    folder = paths[0].parent.parent
    write(folder / "lung.nii.gz", phantom.anatomy.transpose(2, 1, 0), phantom.volume.affine_lps)
    out, status = bring(campaign, folder)
    assert status == 1
    assert "2 accepted, 1 refused." in out
    assert np.array_equal(the_import()[1]["anatomy"], phantom.anatomy)


@pytest.mark.parametrize("spoil", ["cut", "huge", "text"])
def test_damaged_and_hostile_masks_leave_the_image(campaign, chest, tmp_path, spoil):
    folder = write_volumes(tmp_path / "sent", chest, ".nrrd")
    path = folder / "case01_lesion.nrrd"
    content = path.read_bytes()
    if spoil == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif spoil == "huge":
        path.write_bytes(content.replace(b"sizes: 64 48 14", b"sizes: 64000 48000 14000"))
    else:
        path.write_bytes(b"<script>alert(1)</script>" * 50)
    out, status = bring(campaign, folder)
    assert status == 1
    assert "unforeseen" not in out
    assert "<script>" not in out
    assert set(the_import()[0].layers) == {"anatomy"}


def test_names_in_files_and_folders_do_not_survive(campaign, chest, tmp_path):
    folder = write_volumes(tmp_path / "Featherstonehaugh", chest, stem="Marjoribanks_MRN-77-04711-XQ")
    (folder / "Cholmondeley_mask.nii.gz").write_bytes(
        (folder / "Marjoribanks_MRN-77-04711-XQ_lesion.nii.gz").read_bytes()
    )
    out, _ = bring(campaign, folder)
    rows = [str(row) for model in (SeriesLine, ImportedMask, Version, Batch) for row in model.objects.values()]
    events = [event.body for event in Event.objects.all()]
    for word in ("Featherstonehaugh", "Marjoribanks", "MRN", "Cholmondeley"):
        assert not any(word.lower() in text.lower() for text in (out, *rows, *events)), word


def test_try_again_keeps_what_was_imported(campaign, chest, tmp_path):
    from webapp.audit.actor import SYSTEM
    from webapp.intake.actions import try_again
    from webapp.intake.tasks import process_batch

    folder = write_volumes(tmp_path / "sent", chest)
    (folder / "stray_lung.nii.gz").write_bytes((folder / "case01_lung.nii.gz").read_bytes())
    bring(campaign, folder)
    batch = Batch.objects.get()
    before = list(batch.lines.filter(state="accepted").values_list("sentence", flat=True))
    assert len(before) == 2
    try_again(batch=batch, by=SYSTEM)
    process_batch(str(batch.pk))
    assert list(batch.lines.filter(state="accepted").values_list("sentence", flat=True)) == before
    assert batch.lines.filter(state="refused").count() == 1


def test_site_and_data_set_of_a_sending(campaign, chest, tmp_path):
    folder = write_volumes(tmp_path / "sent", chest)
    bring(campaign, folder, site="Porto  Alegre", data_set="A")
    assert Scan.objects.get().site == "Porto Alegre"
    assert (Batch.objects.get().site, Batch.objects.get().data_set.name) == ("Porto Alegre", "A")
    with pytest.raises(CommandError, match="--data-set"):
        bring(campaign, folder, licence="CC0")
    bring(campaign, folder, data_set="A", licence="CC0")
    with pytest.raises(CommandError, match="known with another licence"):
        bring(campaign, folder, data_set="A", licence="CC BY")


def test_single_pictures_have_masks_of_their_names(campaign, chest, tmp_path):
    folder = write_pictures(tmp_path / "sent", chest)
    for name in ("ct", "lung", "lesion"):
        for path in sorted((folder / name).iterdir()):
            if path.stem not in ("5", "6"):
                path.unlink()
    out, status = bring(campaign, folder, single_pictures=True)
    assert status == 0, out
    assert (Scan.objects.count(), ImportedMask.objects.count()) == (2, 2)
    write_picture(folder / "lesion" / "9.png", lesion_of(chest)[3])
    out, status = bring(campaign, folder, single_pictures=True)
    assert status == 1
