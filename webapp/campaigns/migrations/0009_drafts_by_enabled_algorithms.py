from django.db import migrations

# Checked at the commit: a campaign and what it may use are made in one transaction.
ADD = """
ALTER TABLE campaigns_campaign ADD CONSTRAINT drafts_by_enabled_algorithm
  FOREIGN KEY (id, draft_algorithm_id) REFERENCES campaigns_enabledalgorithm (campaign_id, algorithm_id)
  DEFERRABLE INITIALLY DEFERRED;
"""
DROP = "ALTER TABLE campaigns_campaign DROP CONSTRAINT drafts_by_enabled_algorithm;"


class Migration(migrations.Migration):

    dependencies = [('campaigns', '0008_enabled_algorithms')]

    operations = [migrations.RunSQL(ADD, DROP)]
