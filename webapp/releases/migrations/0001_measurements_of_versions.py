import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = [("masks", "0002_append_only")]
    operations = [
        migrations.CreateModel(
            name="Measurement",
            fields=[
                (
                    "version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="measurement",
                        serialize=False,
                        to="masks.version",
                    ),
                ),
                ("values", models.JSONField()),
                ("measured_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
    ]
