"""A scan may be deleted: its row stays as a tombstone, and the same series may be filed anew."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("archive", "0004_pictures")]

    operations = [
        migrations.AddField("scan", "deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
        migrations.AddField(
            "scan", "deleted_by_name", models.CharField(blank=True, default="", editable=False, max_length=120)
        ),
        migrations.AddField(
            "scan", "deletion_reason", models.CharField(blank=True, default="", editable=False, max_length=500)
        ),
        migrations.AlterField("scan", "series_uid", models.CharField(max_length=64)),
        migrations.AddConstraint(
            "scan",
            models.UniqueConstraint(
                condition=Q(deleted_at=None), fields=("series_uid",), name="one_scan_per_series"
            ),
        ),
        migrations.AddConstraint(
            "scan",
            models.CheckConstraint(
                condition=Q(deleted_at=None, deletion_reason="")
                | Q(deleted_at__isnull=False) & ~Q(deletion_reason=""),
                name="deleted_scan_has_a_reason",
            ),
        ),
    ]
