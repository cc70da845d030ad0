"""Whoever returns a submission reviews it: no return was ever made otherwise."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("readings", "0010_readings_by_reader")]

    operations = [
        migrations.AlterField(
            model_name="return",
            name="review",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="made_return", to="readings.reading"
            ),
        ),
    ]
