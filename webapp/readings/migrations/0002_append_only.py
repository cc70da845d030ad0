"""A signature is never changed and never removed."""

from django.db import migrations

from webapp.audit.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("readings", "0001_readings_signatures"), ("audit", "0002_chain_by_the_database")]
    operations = [append_only("readings_signature")]
