"""Whom the demonstration lets review scans of their own."""

import pytest

from tests.factories.sites import a_team, client_of
from webapp.accounts.actions import set_campaign_right
from webapp.accounts.models import User
from webapp.audit.actor import SYSTEM
from webapp.intake.management.commands.load_demonstration import Command

pytestmark = pytest.mark.django_db


def test_radiologists_and_coordinator_review_scans_unless_it_was_taken_from_them():
    team = a_team("ai_check")
    set_campaign_right(user=team["amara"], allowed=False, by=SYSTEM)
    for _ in range(2):
        Command()._let_review(team.campaign)
    may = User.objects.filter(may_create_campaigns=True).values_list("username", flat=True)
    assert sorted(may) == ["clara", "robin"]
    assert "Case review" in client_of(User.objects.get(username="robin")).get("/").content.decode()
    assert "Case review" not in client_of(User.objects.get(username="kim")).get("/").content.decode()
