"""Scans that were filed before there were columns to search by get them by the migration."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from webapp.archive.headers import packed

BEFORE = [("archive", "0002_previews")]


@contextlib.contextmanager
def as_of(migrations: list[tuple[str, str]]) -> Iterator[Any]:
    """The models as they were; leaving the block migrates what was made of them to what they are now."""
    executor = MigrationExecutor(connection)
    # Going back takes whatever depends on it with it, in other apps too: all of it is brought forward again.
    newest = executor.loader.graph.leaf_nodes()
    executor.migrate(migrations)
    try:
        yield executor.loader.project_state(migrations).apps
    finally:
        MigrationExecutor(connection).migrate(newest)


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_columns_to_search_by_are_filled_from_what_was_there():
    with as_of(BEFORE) as old:
        patient = old.get_model("archive", "Patient").objects.create(pseudonym="GG-OLD")
        study = old.get_model("archive", "Study").objects.create(patient=patient, uid="2.25.1")
        scan = old.get_model("archive", "Scan").objects.create(
            study=study,
            series_uid="2.25.2",
            source="dicom",
            shape_zyx=[40, 512, 512],
            affine_lps=[[0.0, -0.7, 0, 1], [0.8, 0, 0, 2], [0, 0, 5.0, 3], [0, 0, 0, 1]],
            geometry_sha256="0" * 64,
            voxels_sha256="0" * 64,
            slabs=[],
            kernel="B60F",
            warnings=[{"code": "contrast", "sentence": "x"}, {"code": "thick_slices", "sentence": "y"}],
        )
    from webapp.archive.models import Scan

    new = Scan.objects.get(pk=scan.pk)
    assert (new.slice_count, new.spacing_z_mm, new.spacing_xy_mm) == (40, 5.0, 0.75)
    assert new.contrast
    assert new.remark_codes == ["contrast", "thick_slices"]
    assert {"gg-old", "b60f", "2.25.1", "2.25.2"} <= set(new.search_text.split())
    assert (new.site, new.deleted_at) == ("", None)


SEX_OF_PATIENT = [("archive", "0007_came_as")]


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_sex_goes_to_the_scans_whose_own_files_say_it():
    """Not to those of another campaign that removes it: their headers say none, or their age is gone with it."""
    with as_of(SEX_OF_PATIENT) as old:
        patient = old.get_model("archive", "Patient").objects.create(pseudonym="GG-OLD", sex="F")
        study = old.get_model("archive", "Study").objects.create(patient=patient, uid="2.25.1")
        scans = {}
        for number, (name, age, header) in enumerate(
            [
                ("says", 60, {"00100040": {"vr": "CS", "Value": ["F"]}}),
                ("says none", 60, {"00100040": {"vr": "CS"}}),
                ("without index", 60, None),
                ("without index and age", None, None),
            ]
        ):
            scans[name] = old.get_model("archive", "Scan").objects.create(
                study=study,
                series_uid=f"2.25.{number}",
                source="dicom",
                shape_zyx=[1, 1, 1],
                affine_lps=[],
                geometry_sha256="",
                voxels_sha256="",
                slabs=[],
                patient_age_years=age,
            )
            if header is not None:
                old.get_model("archive", "Series").objects.create(
                    scan=scans[name],
                    uid=f"2.25.{number}",
                    modality="CT",
                    sop_class_uid="1",
                    transfer_syntax_uid="1",
                    instance_count=2,
                    headers=packed([json.dumps(header), "{}"]),
                )
    from webapp.archive.models import Scan

    found = {name: Scan.objects.get(pk=scan.pk).sex for name, scan in scans.items()}
    assert found == {"says": "F", "says none": "", "without index": "F", "without index and age": ""}
