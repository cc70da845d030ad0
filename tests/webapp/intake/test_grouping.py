"""What names say, by the table: the layouts of public sets, and names that must not be taken for what they are not."""

import io
from pathlib import Path

import pytest

from webapp.intake.grouping import RULES, Names, grouped
from webapp.intake.sources import Found, suffix_of


def a_file(path: str) -> Found:
    return Found(Path(path).name, suffix_of(path), 1, lambda: io.BytesIO(b""), lambda: b"", path)


@pytest.mark.parametrize(
    ("path", "role", "folders", "stem"),
    [
        ("case01.nii.gz", "image", (), "case01"),
        ("case01_lung.nii.gz", "lung", (), "case01"),
        ("Case01-Lung-Mask.nii.gz", "lung", (), "case01"),
        ("case01_lungs_seg.nrrd", "lung", (), "case01"),
        ("case01_left_lung.mha", "left lung", (), "case01"),
        ("case01_lesion.nii.gz", "lesion", (), "case01"),
        ("a/case01/lung.nii.gz", "lung", ("a", "case01"), ""),
        ("a/case01/image.nii.gz", "image", ("a", "case01"), ""),
        ("x/ct/000.png", "image", ("x",), "000"),
        ("x/lesion/000.png", "lesion", ("x",), "000"),
        ("lung/case01/000.png", "lung", ("case01",), "000"),
        ("Lung_Mask/coronacases_001.nii.gz", "lung", (), "coronacases_001"),
        ("Infection_Mask/coronacases_001.nii.gz", "lesion", (), "coronacases_001"),
        ("Lung_and_Infection_Mask/coronacases_001.nii.gz", "combined", (), "coronacases_001"),
        ("masks/lung/case01_mask.nii.gz", "lung", (), "case01"),
        ("masks/study_0255_mask.nii.gz", "unsaid", (), "study_0255"),
        # The lung is the task here, and the labels are of tumours.
        ("Task06/imagesTr/lung_001.nii.gz", "image", ("task06",), "lung_001"),
        ("Task06/labelsTr/lung_001.nii.gz", "unsaid", ("task06",), "lung_001"),
        ("lung_001.nii.gz", "image", (), "lung_001"),
        ("scan.seg.nrrd", "unsaid", (), "scan"),
        ("CT-1/study_0255.nii.gz", "image", ("ct-1",), "study_0255"),
        ("medseg/classes/1.png", "classes", ("medseg",), "1"),
        ("subject.nii.gz", "image", (), "subject"),
        ("bigct.nii", "image", (), "bigct"),
        ("山田.nii", "image", (), "山田"),
    ],
)
def test_what_a_name_says(path, role, folders, stem):
    says = Names([path]).of(path)
    assert (says.role, says.folders, says.stem) == (role, folders, stem)


def test_beginnings_count_where_an_image_and_a_mask_are_called_so():
    names = Names(
        ["volumes/ct-64.nrrd", "volumes/wholeLung-64.nrrd", "other/lung_7.nrrd", "ct/CT-1.nii", "lung/CT-1.nii"]
    )
    assert names.of("volumes/wholeLung-64.nrrd").role == "lung"
    assert names.of("volumes/ct-64.nrrd").stem == names.of("volumes/wholeLung-64.nrrd").stem == "64"
    assert names.of("other/lung_7.nrrd").role == "image"
    assert names.of("ct/CT-1.nii").stem == names.of("lung/CT-1.nii").stem == "ct-1"


def test_names_without_latin_letters_are_not_thrown_together():
    groups = grouped([a_file("山田.nii"), a_file("鈴木.nii"), a_file("山田_lung.nii")])
    assert [(len(group.images), len(group.masks)) for group in groups] == [(1, 1), (1, 0)]


def test_pictures_of_a_folder_and_role_are_a_stack_in_natural_order():
    paths = [f"a/{kind}/{number}.png" for number in (10, 9, 100) for kind in ("ct", "lung")]
    (group,) = grouped([a_file(path) for path in paths])
    assert group.images[0].slices == group.masks[0].slices == ("9", "10", "100")
    assert [one.path for one in group.images[0].found] == ["a/ct/9.png", "a/ct/10.png", "a/ct/100.png"]
    assert len(grouped([a_file(path) for path in paths], single_pictures=True)) == 3


def test_folders_of_pictures_with_one_meaning_are_two_stacks():
    (group,) = grouped([a_file("ct/1.png"), a_file("scan/1.png"), a_file("lung/1.png")])
    assert (len(group.images), len(group.masks)) == (2, 1)


def test_names_longer_than_any_file_system_has_say_nothing():
    long = "lung" + "_" * 4000 + "x"
    assert Names([long, f"{long}/a.nii"]).of(f"{long}/a.nii").role == "image"
    assert Names([]).of(f"case{'_' * 300}lung.nii").role == "image"


def test_each_word_of_the_table_says_its_role():
    """The words that people are shown are words that the rules take."""
    for rule in RULES:
        for word in rule.words:
            assert Names([]).of(f"{word}/1.nii").role == rule.role, word
