"""What people search scans by gets columns of its own; for scans already there it is read off what they have."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models

FILL = """
UPDATE archive_scan SET
  slice_count = (shape_zyx->>0)::int,
  spacing_z_mm = sqrt((affine_lps->0->>2)::float8 ^ 2 + (affine_lps->1->>2)::float8 ^ 2
                      + (affine_lps->2->>2)::float8 ^ 2),
  spacing_xy_mm = (sqrt((affine_lps->0->>1)::float8 ^ 2 + (affine_lps->1->>1)::float8 ^ 2
                        + (affine_lps->2->>1)::float8 ^ 2)
                   + sqrt((affine_lps->0->>0)::float8 ^ 2 + (affine_lps->1->>0)::float8 ^ 2
                          + (affine_lps->2->>0)::float8 ^ 2)) / 2,
  contrast = contrast_agent <> '' OR warnings @> '[{"code": "contrast"}]',
  remark_codes = ARRAY(SELECT jsonb_array_elements(warnings)->>'code');
UPDATE archive_scan SET search_text = lower(concat_ws(' ', p.pseudonym, description, manufacturer, model_name, kernel,
    body_part, series_uid, t.uid))
  FROM archive_study t JOIN archive_patient p ON p.id = t.patient_id WHERE t.id = archive_scan.study_id;
"""


class Migration(migrations.Migration):
    dependencies = [("archive", "0002_previews")]

    operations = [
        migrations.AddField("scan", "site", models.CharField(blank=True, default="", max_length=60)),
        migrations.AddField("scan", "body_part", models.CharField(blank=True, default="", max_length=32)),
        migrations.AddField("scan", "contrast", models.BooleanField(default=False)),
        migrations.AddField("scan", "tube_current_ma", models.FloatField(blank=True, null=True)),
        migrations.AddField("scan", "exposure_mas", models.FloatField(blank=True, null=True)),
        migrations.AddField("scan", "ctdi_vol_mgy", models.FloatField(blank=True, null=True)),
        migrations.AddField("scan", "slice_count", models.PositiveIntegerField(default=0)),
        migrations.AddField("scan", "spacing_z_mm", models.FloatField(default=0)),
        migrations.AddField("scan", "spacing_xy_mm", models.FloatField(default=0)),
        migrations.AddField("scan", "search_text", models.TextField(blank=True, default="", editable=False)),
        migrations.AddField(
            "scan",
            "remark_codes",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=40), blank=True, default=list, size=None
            ),
        ),
        migrations.AddIndex("scan", models.Index(fields=["-filed_at"], name="scan_filed_at")),
        migrations.AddIndex("scan", models.Index(fields=["site"], name="scan_site")),
        migrations.AddIndex("scan", models.Index(fields=["manufacturer", "model_name"], name="scan_scanner")),
        migrations.AddIndex("scan", models.Index(fields=["kernel"], name="scan_kernel")),
        migrations.AddIndex(
            "scan",
            django.contrib.postgres.indexes.GinIndex(fields=["remark_codes"], name="scan_remark_codes"),
        ),
        migrations.AddIndex("study", models.Index(fields=["shifted_date"], name="study_shifted_date")),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
