"""Submissions, returns, verdicts, comparisons and references are records; cases of before learn where they stand."""

from django.db import migrations

from webapp.audit.append_only import append_only

UNREAD = """
UPDATE campaigns_case c SET stage = p.stages->0->>'name', places_left = (p.stages->0->>'readers')::int
FROM (SELECT DISTINCT ON (campaign_id) campaign_id, stages FROM campaigns_protocol ORDER BY campaign_id, version DESC) p
WHERE p.campaign_id = c.campaign_id
"""
READ = """
WITH first AS (
  SELECT DISTINCT ON (campaign_id) campaign_id, (stages->0->>'readers')::int AS readers
  FROM campaigns_protocol ORDER BY campaign_id, version DESC
), counts AS (
  SELECT case_id, min(protocol_id) AS protocol_id,
    count(*) FILTER (WHERE state <> 'superseded') AS taken,
    count(*) FILTER (WHERE state IN ('signed', 'submitted')) AS done
  FROM readings_reading GROUP BY case_id
)
UPDATE campaigns_case c SET
  protocol_id = k.protocol_id,
  places_left = greatest(0, f.readers - k.taken),
  state = CASE
    WHEN k.done >= f.readers THEN 'done'
    WHEN k.taken >= f.readers THEN 'with readers'
    ELSE 'to read' END
FROM first f, counts k
WHERE f.campaign_id = c.campaign_id AND k.case_id = c.id
"""

# One signed reading of one reader was what stood for a case.
REFERENCES = """
INSERT INTO readings_reference (case_id, number, version_id, protocol_id, how, began_from_draft, made_at)
SELECT DISTINCT ON (r.case_id) r.case_id, 1, s.version_id, r.protocol_id, 'signed',
  coalesce(origin.author_kind = 'algorithm', false), s.signed_at
FROM readings_signature s
JOIN readings_reading r ON r.id = s.reading_id AND r.state = 'signed'
JOIN campaigns_case c ON c.id = r.case_id AND c.state = 'done'
JOIN campaigns_protocol p ON p.id = r.protocol_id AND (p.stages->0->>'readers')::int = 1
JOIN masks_mask m ON m.id = r.mask_id
LEFT JOIN masks_version v ON v.id = m.forked_from_id
LEFT JOIN masks_mask origin ON origin.id = v.mask_id
ORDER BY r.case_id, s.signed_at DESC
"""


class Migration(migrations.Migration):
    dependencies = [("readings", "0004_workflow"), ("audit", "0002_chain_by_the_database")]
    operations = [
        migrations.RunSQL(UNREAD, migrations.RunSQL.noop),
        migrations.RunSQL(READ, migrations.RunSQL.noop),
        migrations.RunSQL(REFERENCES, migrations.RunSQL.noop),
        append_only(
            "readings_submission",
            "readings_return",
            "readings_verdict",
            "readings_comparison",
            "readings_reference",
        ),
    ]
