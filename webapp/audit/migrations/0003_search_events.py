"""The trail is searched by person, by event, by time and by words."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.functions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_chain_by_the_database")]

    operations = [
        migrations.AddIndex("event", models.Index(fields=["actor_id", "id"], name="event_actor")),
        migrations.AddIndex("event", models.Index(fields=["at"], name="event_at")),
        migrations.AddIndex("event", models.Index(fields=["chain", "at"], name="event_chain_at")),
        migrations.AddIndex("event", models.Index(fields=["chain", "name", "seq"], name="event_chain_name")),
        migrations.AddIndex("event", models.Index(fields=["chain", "actor_id", "seq"], name="event_chain_actor")),
        migrations.AddIndex(
            "event",
            django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.search.SearchVector(
                    django.db.models.functions.Left("body", 20_000), config="simple"
                ),
                fastupdate=False,
                name="event_words",
            ),
        ),
    ]
