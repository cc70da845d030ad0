"""Runs that are cancelled, put in line, and timed; what a draft was really made with, and how sure it is."""

from django.db import migrations, models
from django.db.models import Q

STATES = ["queued", "running", "finished", "failed", "cancelled"]


class Migration(migrations.Migration):
    dependencies = [("algorithms", "0002_versions")]

    operations = [
        migrations.AlterField(
            "draftrun",
            "state",
            models.CharField(max_length=12, default="queued", choices=[(state, state) for state in STATES]),
        ),
        migrations.AddField("draftrun", "job_id", models.BigIntegerField(null=True)),
        migrations.AddField("draftrun", "started_at", models.DateTimeField(null=True)),
        migrations.AddField("draftrun", "uncertainty", models.FloatField(null=True)),
        migrations.AddField(
            "draftrun",
            "weights_sha256",
            models.CharField(max_length=64, blank=True, default="", db_default=""),
        ),
        migrations.AddConstraint(
            "draftrun",
            models.UniqueConstraint(
                fields=["scan", "algorithm", "label_set"],
                condition=Q(state__in=["queued", "running"]),
                name="one_run_under_way",
            ),
        ),
        migrations.AddConstraint(
            "draftrun",
            models.CheckConstraint(
                condition=Q(uncertainty=None) | Q(uncertainty__gte=0, uncertainty__lte=1),
                name="uncertainty_from_0_to_1",
            ),
        ),
        migrations.AddIndex(
            "draftrun",
            models.Index(fields=["scan", "algorithm", "label_set", "requested_at"], name="run_of_scan"),
        ),
        migrations.AddIndex(
            "draftrun",
            models.Index(fields=["job_id"], condition=Q(state__in=["queued", "running"]), name="run_open"),
        ),
        migrations.AddIndex("draftrun", models.Index(fields=["algorithm", "-finished_at"], name="run_finished")),
    ]
