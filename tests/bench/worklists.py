"""Worklist, home and progress of a campaign of 10,000 cases and 100,000 readings: how long a page takes."""

import os
import re
import sys
import time
from typing import Any

import requests

from tests.journeys.site import Person, Site

CASES, READINGS, ROUNDS = 10_000, 100_000, 40
SLUG = "ten-thousand-cases"
LIST = f"/campaigns/{SLUG}/"
RADIOLOGISTS, TECHNICIANS = 20, 4
ROLES = (
    *(f"radiologist {n}" for n in range(1, RADIOLOGISTS + 1)),
    *(f"technician {n}" for n in range(1, TECHNICIANS + 1)),
    "adjudicator",
    "coordinator",
)
# What is asked for, by whom, and what the answer holds.
PAGES = {
    "worklist, first page": ("radiologist 1", LIST, "worklist cases"),
    "worklist, in the middle": ("radiologist 1", f"{LIST}?page=50", "worklist cases"),
    "worklist, to read": ("radiologist 1", f"{LIST}?show=ready", "worklist cases"),
    "worklist, filtered and sorted": (
        "radiologist 1",
        f"{LIST}?show=signed&site=Hospital+03&order=due",
        "worklist cases",
    ),
    "worklist, searched": ("radiologist 1", f"{LIST}?q=GG-1A", "worklist cases"),
    "home of a reader": ("radiologist 1", "/", "Waits for you"),
    "worklist of a coordinator, first page": ("coordinator", LIST, "worklist cases"),
    "worklist of a coordinator, in the middle": ("coordinator", f"{LIST}?page=50&order=-settled", "worklist cases"),
    "worklist of a coordinator, with readers": ("coordinator", f"{LIST}?show=open", "worklist cases"),
    "worklist of a coordinator, one reader's": ("coordinator", f"{LIST}?reader={SLUG}-radiologist-7", "worklist cases"),
    "worklist of a coordinator, searched": ("coordinator", f"{LIST}?q=GG-1A", "worklist cases"),
    "home of a coordinator": ("coordinator", "/", "Waits for you"),
    "progress": ("coordinator", f"{LIST}progress/", "Agreement so far"),
}


def measure(site: Site) -> dict[str, list[float]]:
    """Milliseconds of each page over HTTP, from the request to its last byte."""
    people = site.furnish(SLUG, *ROLES)
    site.run("-m", "tests.bench.worklists", GROUNDGLASS_DATABASE_ROLE="owner")
    sessions = {role: _signed_in(site, people[role]) for role in {role for role, *_ in PAGES.values()}}
    taken: dict[str, list[float]] = {}
    for round_ in range(ROUNDS + 1):
        for name, (role, address, holds) in PAGES.items():
            began = time.perf_counter()
            answer = sessions[role].get(site.address + address)
            ms = 1000 * (time.perf_counter() - began)
            assert answer.status_code == 200, address
            assert holds in answer.text, address
            if round_:  # the first of each compiles its template
                taken.setdefault(name, []).append(ms)
    return taken


def _signed_in(site: Site, person: Person) -> requests.Session:
    session = requests.Session()
    page = session.get(f"{site.address}/sign-in/").text
    token = re.findall(r'csrfmiddlewaretoken" value="(\w+)"', page)[0]
    form = {"username": person.username, "password": person.password, "csrfmiddlewaretoken": token}
    session.post(f"{site.address}/sign-in/", form, headers={"Referer": f"{site.address}/sign-in/"})
    return session


# Of 10,000 cases 9,000 were drafted, read by four of the radiologists and read again by them, of which 500 wait to be
# settled; 500 are being read, 400 wait for their first reader, 100 left the campaign. 17,500 readings were given back.
STAGES = [
    {"name": "draft", "role": "technician", "readers": 1, "ends_with": "submit", "starts_from": "ai_draft"},
    {"name": "reading", "role": "radiologist", "readers": 4, "starts_from": "previous", "blinded": True},
    {"name": "adjudication", "role": "adjudicator", "starts_from": "intersection", "only_if_disputed": True},
]
FULL, DISPUTED, BEGUN, FRESH = 9_000, 500, 500, 400
CASE_STANDING = """
UPDATE campaigns_case SET protocol_id = %(protocol)s, added_at = now() - interval '300 days',
  due_on = CASE WHEN number %% 3 = 0 THEN current_date + (number %% 60) - 20 END, priority = (number %% 50 = 0)::int,
  state = CASE WHEN number <= %(full)s - %(disputed)s THEN 'done' WHEN number > %(last)s THEN 'excluded'
    ELSE 'to read' END,
  excluded_reason = CASE WHEN number > %(last)s THEN 'not a chest' ELSE '' END,
  stage = CASE WHEN number <= %(full)s - %(disputed)s THEN 'reading' WHEN number <= %(full)s THEN 'adjudication'
    WHEN number <= %(full)s + %(begun)s THEN 'reading' ELSE 'draft' END,
  places_left = CASE WHEN number <= %(full)s - %(disputed)s THEN 0 WHEN number <= %(full)s THEN 1
    WHEN number <= %(full)s + %(begun)s THEN 2 ELSE 1 END,
  settled_at = now() - interval '1 hour' * ((number * 7919) %% 7000)
WHERE campaign_id = %(campaign)s
"""
# What is to be made: one line a reading, with the ids of everything that hangs on it.
PLAN = """
CREATE TEMPORARY TABLE plan AS
SELECT c.id AS case_id, c.number, c.scan_id, x.stage, x.state, x.repeat, p.id AS reader_id, p.display_name,
  gen_random_uuid() AS id, gen_random_uuid() AS mask_id, gen_random_uuid() AS version_id,
  now() - interval '1 hour' * ((c.number * 31 + x.k * 7) %% 6000 + 24) AS at
FROM campaigns_case c
CROSS JOIN LATERAL (
  SELECT 'reading' AS stage, 'signed' AS state, 0 AS repeat, k FROM generate_series(0, 3) k WHERE c.number <= %(full)s
  UNION ALL SELECT 'reading', 'signed', 1, k FROM generate_series(0, 3) k WHERE c.number <= %(full)s
  UNION ALL SELECT 'reading', CASE k WHEN 0 THEN 'signed' ELSE 'in progress' END, 0, k FROM generate_series(0, 1) k
    WHERE c.number > %(full)s AND c.number <= %(full)s + %(begun)s
  UNION ALL SELECT 'reading', 'released', 0, k FROM generate_series(9, 10) k WHERE c.number <= %(released)s
) x
JOIN (SELECT id, display_name, row_number() OVER (ORDER BY username) - 1 AS place
      FROM accounts_user WHERE username LIKE %(radiologists)s) p
  ON p.place = (c.number + 5 * x.k) %% %(radiologist_count)s
WHERE c.campaign_id = %(campaign)s
UNION ALL
SELECT c.id, c.number, c.scan_id, 'draft', 'submitted', 0, p.id, p.display_name, gen_random_uuid(), gen_random_uuid(),
  gen_random_uuid(), now() - interval '1 hour' * ((c.number * 31) %% 6000 + 600)
FROM campaigns_case c
JOIN (SELECT id, display_name, row_number() OVER (ORDER BY username) - 1 AS place
      FROM accounts_user WHERE username LIKE %(technicians)s) p ON p.place = c.number %% %(technician_count)s
WHERE c.campaign_id = %(campaign)s AND c.number <= %(full)s + %(begun)s
"""
MASKS = """
INSERT INTO masks_mask (id, scan_id, label_set_id, author_kind, author_id, author_name, stroke_sequence, head_hash,
  replay_cost, created_at)
SELECT mask_id, scan_id, %(labels)s, 'person', reader_id::text, display_name, 0, repeat('0', 64), 0, at FROM plan
"""
VERSIONS = """
INSERT INTO masks_version (id, mask_id, number, reason, author_name, stroke_sequence, stroke_head_hash,
  anatomy_manifest, findings_manifest, sha256, cut_at)
SELECT version_id, mask_id, 1, CASE state WHEN 'signed' THEN 'sign' ELSE 'submit' END, display_name, 0,
  repeat('0', 64), '', '', repeat('0', 64), at FROM plan WHERE state IN ('signed', 'submitted')
"""
READINGS_SQL = """
INSERT INTO readings_reading (id, case_id, protocol_id, stage, reader_id, state, mask_id, started_at, ended_at, reason,
  repeat, active_ms, active_at, attests)
SELECT id, case_id, %(protocol)s, stage, reader_id, state, mask_id, at,
  CASE WHEN state <> 'in progress' THEN at + interval '20 minutes' END, '', repeat,
  120000 + (number * 7919) %% 900000, at + interval '20 minutes', '{}'
FROM plan
"""
SUBMISSIONS = """
INSERT INTO readings_submission (reading_id, version_id, submitted_at)
SELECT id, version_id, at FROM plan WHERE state = 'submitted'
"""
SIGNATURES = """
INSERT INTO readings_signature (reading_id, version_id, version_sha256, signer_name, meaning, statement, attested,
  acknowledged, independent, signed_at)
SELECT id, version_id, repeat('0', 64), display_name, 'reviewed and approved', 'I have looked at every slice.', '{}',
  '[]', true, at FROM plan WHERE state = 'signed'
"""
MEASUREMENTS = """
INSERT INTO releases_measurement (version_id, values, measured_at)
SELECT version_id, jsonb_build_object('extent_percent', (number * 17 %% 400) / 10.0, 'weight_g', 210.5,
  'options', jsonb_build_object('bands', (SELECT jsonb_agg(b) FROM generate_series(1, 60) b)),
  'by_label', (SELECT jsonb_object_agg(v::text, jsonb_build_object('volume_ml', v * 1.5, 'weight_g', v * 2.5))
               FROM generate_series(1, 8) v)), at
FROM plan WHERE state IN ('signed', 'submitted') AND repeat = 0
"""
COMPARISONS = """
INSERT INTO readings_comparison (case_id, protocol_id, stage, signatures, pairs, accepted, reasons, compared_at)
SELECT s.case_id, %(protocol)s, 'reading', jsonb_agg(s.signature_id ORDER BY s.id), (
    SELECT jsonb_agg(jsonb_build_object('first', a, 'second', b,
      'dice', 0.5 + ((s.number * 13 + a * 7 + b) %% 50) / 100.0,
      'lung_dice', 0.98, 'extent_difference', ((s.number + a * 3 + b) %% 41) / 10.0 - 2,
      'empty', '[false, false]'::jsonb, 'contradicting_slices', '[]'::jsonb, 'numbers', jsonb_build_array(
        jsonb_build_object('extent_percent', (s.number * 17 %% 400) / 10.0, 'lesion_volume_ml', 300),
        jsonb_build_object('extent_percent', (s.number * 17 %% 400) / 10.0 + ((s.number + a * 3 + b) %% 41) / 10.0 - 2,
          'lesion_volume_ml', 310))))
    FROM generate_series(1, 4) a, generate_series(1, 4) b WHERE a < b),
  s.number <= %(full)s - %(disputed)s, '["Their Dice is 0.55, below 0.70."]', max(s.at)
FROM (SELECT plan.*, g.id AS signature_id FROM plan JOIN readings_signature g ON g.reading_id = plan.id
      WHERE plan.repeat = 0 AND plan.number <= %(full)s) s
GROUP BY s.case_id, s.number
"""
REFERENCES = """
INSERT INTO readings_reference (case_id, number, version_id, protocol_id, how, began_from_draft, made_at)
SELECT DISTINCT ON (case_id) case_id, 1, version_id, %(protocol)s, 'accepted', true,
  now() - interval '1 hour' * (number %% 5000)
FROM plan WHERE state = 'signed' AND repeat = 0 AND number <= %(full)s - %(disputed)s ORDER BY case_id, id
"""
DRAFTS = """
INSERT INTO algorithms_draftrun (id, scan_id, algorithm_id, label_set_id, state, attempts, fraction, progress_text,
  failure_sentence, options, device, requested_at, finished_at)
SELECT gen_random_uuid(), scan_id, %(algorithm)s, %(labels)s,
  CASE WHEN number %% 500 = 0 THEN 'failed' ELSE 'finished' END, 1, 1, '', '', '{}', 'cpu',
  now() - interval '300 days', now() - interval '300 days'
FROM campaigns_case WHERE campaign_id = %(campaign)s
"""
NOTICES = """
INSERT INTO notices_notice (id, person_id, kind, sentence, detail, url, campaign_slug, made_at, seen_at)
SELECT gen_random_uuid(), u.id, 'assigned', 'Case ' || n || ' was given to you.', '', '/', '',
  now() - interval '1 hour' * n, CASE WHEN n > 20 THEN now() END
FROM accounts_user u, generate_series(1, 500) n
"""
STATEMENTS = (
    CASE_STANDING, PLAN, MASKS, VERSIONS, READINGS_SQL, SUBMISSIONS, SIGNATURES, MEASUREMENTS, COMPARISONS, REFERENCES,
    DRAFTS, NOTICES, "ANALYZE",
)  # fmt: skip


def seed() -> None:
    """Fill the campaign, in the site's own environment."""
    import django

    django.setup()
    from django.db import connection, transaction

    from tests.factories.scans import many_scans
    from webapp.campaigns.models import Campaign, Protocol

    campaign = Campaign.objects.get(slug=SLUG)
    many_scans(campaign, CASES)
    Protocol.objects.filter(campaign=campaign).update(stages=STAGES)
    values: dict[str, Any] = {
        "campaign": campaign.pk,
        "protocol": campaign.protocols.get().pk,
        "labels": campaign.label_set_id,
        "algorithm": campaign.draft_algorithm_id,
        "full": FULL,
        "disputed": DISPUTED,
        "begun": BEGUN,
        "released": (READINGS - 9 * FULL - 3 * BEGUN) // 2,
        "last": FULL + BEGUN + FRESH,
        "radiologists": f"{SLUG}-radiologist-%",
        "technicians": f"{SLUG}-technician-%",
        "radiologist_count": RADIOLOGISTS,
        "technician_count": TECHNICIANS,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in STATEMENTS:
            cursor.execute(statement, values)
        cursor.execute("SELECT count(*) FROM readings_reading")
        assert cursor.fetchone()[0] == READINGS, "the readings are not as many as the table says"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    sys.exit(seed())
