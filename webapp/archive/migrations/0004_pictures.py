"""Small pictures of scans, made once and stored like their pixels."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("archive", "0003_search_scans")]

    operations = [
        migrations.CreateModel(
            name="Picture",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "scan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="pictures", to="archive.scan"
                    ),
                ),
                (
                    "plane",
                    models.CharField(
                        choices=[("axial", "axial"), ("coronal", "coronal"), ("sagittal", "sagittal")], max_length=8
                    ),
                ),
                ("size", models.CharField(choices=[("small", "small"), ("large", "large")], max_length=8)),
                ("width_px", models.PositiveIntegerField()),
                ("height_px", models.PositiveIntegerField()),
                ("path", models.CharField(max_length=300)),
                ("sha256", models.CharField(max_length=64)),
                ("bytes", models.PositiveIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("scan", "plane", "size"), name="one_picture_per_plane_and_size")
                ]
            },
        ),
    ]
