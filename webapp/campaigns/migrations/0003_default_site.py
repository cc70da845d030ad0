"""Scans that come in for a campaign may get its site."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0002_guidelines")]

    operations = [
        migrations.AddField("campaign", "default_site", models.CharField(blank=True, default="", max_length=60)),
    ]
