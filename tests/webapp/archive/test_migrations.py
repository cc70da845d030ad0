"""Scans that were filed before there were columns to search by get them by the migration."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE = [("archive", "0002_previews")]


@pytest.mark.django_db(transaction=True)
def test_columns_to_search_by_are_filled_from_what_was_there():
    executor = MigrationExecutor(connection)
    # Going back takes whatever depends on it with it, in other apps too: all of it is brought forward again.
    newest = executor.loader.graph.leaf_nodes()
    executor.migrate(BEFORE)
    try:
        old = executor.loader.project_state(BEFORE).apps
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
    finally:
        MigrationExecutor(connection).migrate(newest)
    from webapp.archive.models import Scan

    new = Scan.objects.get(pk=scan.pk)
    assert (new.slice_count, new.spacing_z_mm, new.spacing_xy_mm) == (40, 5.0, 0.75)
    assert new.contrast
    assert new.remark_codes == ["contrast", "thick_slices"]
    assert {"gg-old", "b60f", "2.25.1", "2.25.2"} <= set(new.search_text.split())
    assert (new.site, new.deleted_at) == ("", None)
