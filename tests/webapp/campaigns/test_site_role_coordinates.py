"""The running site's database role may do what coordinators do, and change no record."""

import json
from dataclasses import replace

import pytest

from tests.factories.sites import PASSWORD, a_person, a_team, sign
from webapp.audit.actor import SYSTEM
from webapp.campaigns.actions import add_member, open_campaign, set_protocol
from webapp.campaigns.configurations import configuration_from, configuration_of, document_of
from webapp.campaigns.invitation_actions import accept_invitation, invite, revoke_invitation
from webapp.campaigns.models import Case
from webapp.campaigns.queries import current_protocol
from webapp.campaigns.standing_actions import archive_campaign, close_campaign, reopen_campaign, unarchive_campaign
from webapp.readings.actions import start_reading
from webapp.readings.bulk_actions import assign_at_random, assign_cases, draw_repeats, exclude_cases, move_readings
from webapp.readings.measured_actions import mark_case
from webapp.readings.models import Grade
from webapp.readings.team_actions import remove_member

pytestmark = pytest.mark.django_db


def test_site_role_may_do_everything_that_coordinators_do(site_role, run_jobs):
    team = a_team("ai_check", cases=3)
    clara, robin, campaign = team["clara"], team["robin"], team.campaign
    root = a_person("root")
    root.is_superuser = True
    root.save()
    known = sign(start_reading(case=team.case(), by=team["amara"])).version
    run_jobs()
    with site_role():
        text = json.dumps(document_of(configuration_of(campaign, current_protocol(campaign))))
        made = open_campaign(slug="second", name="Second", configuration=configuration_from(text), by=root)
        labels = [{"name": "Own", "colour": "#112233", "is_exclusion": False, "counts_as_lung": True}]
        own = replace(configuration_from(text), label_set_name="Own", labels=labels)
        open_campaign(slug="third", name="Third", configuration=own, by=root)
        now = current_protocol(campaign)
        terms = replace(now.said, pilot=True)
        set_protocol(
            campaign=campaign,
            stages=now.stage_list,
            terms=terms,
            statement=now.statement,
            note="",
            known_version=1,
            by=clara,
        )
        _, secret = invite(campaign=campaign, role="radiologist", days=1, by=clara)
        accept_invitation(secret=secret, username="nora", display_name="Nora", password=PASSWORD)
        revoke_invitation(invitation=invite(campaign=campaign, role="auditor", days=1, by=clara)[0], by=clara)
        mark_case(case=team.case(), kind=Case.SENTINEL, known_version=known, by=clara)
        numbers = [2, 3]
        assign_at_random(campaign=campaign, numbers=numbers, readers=[robin], seed=1, by=clara)
        move_readings(
            campaign=campaign, numbers=numbers, source=robin, target=team["amara"], reason="On leave", by=clara
        )
        exclude_cases(campaign=campaign, numbers=[3], reason="Wrong body part", by=clara)
        assert remove_member(campaign=campaign, user=team["amara"], role="radiologist", by=clara) == 2
        add_member(campaign=campaign, user=team["amara"], role="radiologist", by=clara)
        assign_cases(campaign=campaign, numbers=[2], reader=team["amara"], by=clara)
        sign(start_reading(case=team.case(1), by=team["amara"]))
        draw_repeats(campaign=campaign, count=1, after_days=0, seed=1, by=clara)
        reading = sign(start_reading(case=team.case(), by=robin)).reading
        for action in (close_campaign, archive_campaign, unarchive_campaign, reopen_campaign):
            action(campaign=made, reason="As a test", by=SYSTEM)
    run_jobs()
    assert Grade.objects.filter(reading=reading, passed=True).exists()
