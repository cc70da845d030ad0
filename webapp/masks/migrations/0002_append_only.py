"""Strokes, versions, slices of versions and label sets are never changed and never removed."""

from django.db import migrations

from webapp.audit.append_only import append_only

EXTERNAL = """
ALTER TABLE masks_sliceblob ALTER COLUMN data SET STORAGE EXTERNAL;
ALTER TABLE masks_headslice ALTER COLUMN data SET STORAGE EXTERNAL;
ALTER TABLE masks_stroke ALTER COLUMN payload SET STORAGE EXTERNAL;
"""


class Migration(migrations.Migration):
    dependencies = [("masks", "0001_masks_strokes_versions"), ("audit", "0002_chain_by_the_database")]
    operations = [
        append_only("masks_stroke", "masks_version", "masks_sliceblob", "masks_labelset"),
        # zstd has compressed these already: PostgreSQL must not try again.
        migrations.RunSQL(EXTERNAL, migrations.RunSQL.noop),
    ]
