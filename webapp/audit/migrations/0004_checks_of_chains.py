"""How far each chain was checked, and what was found."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_search_events")]

    operations = [
        migrations.CreateModel(
            name="ChainCheck",
            fields=[
                ("chain", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("seq", models.BigIntegerField(default=0)),
                ("hash", models.CharField(max_length=64)),
                ("checked_at", models.DateTimeField(null=True)),
                ("again_seq", models.BigIntegerField(default=0)),
                ("again_hash", models.CharField(max_length=64)),
                ("whole_checked_at", models.DateTimeField(null=True)),
                ("faults", models.JSONField(default=list)),
            ],
        ),
    ]
