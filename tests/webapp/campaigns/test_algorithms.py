"""Which algorithms a campaign uses, and which one makes its drafts."""

import json

import pytest
from django.db import IntegrityError, connection, transaction

from tests.factories.sites import a_team, client_of, sign
from tests.factories.versions import a_registered_version
from webapp.algorithms.actions import fail_draft, start_draft
from webapp.algorithms.models import DraftRun
from webapp.algorithms.version_actions import retire_version
from webapp.audit.actor import SYSTEM
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused
from webapp.campaigns.actions import open_campaign
from webapp.campaigns.algorithm_actions import disable_algorithm, enable_algorithm, use_for_drafts
from webapp.campaigns.configurations import configuration_from, configuration_of, document_of
from webapp.campaigns.models import Campaign, EnabledAlgorithm
from webapp.campaigns.queries import algorithms_of, current_protocol
from webapp.campaigns.review_actions import begin_case_review
from webapp.campaigns.standing_actions import close_campaign
from webapp.readings.actions import start_reading
from webapp.readings.assignment_actions import take_next_case
from webapp.readings.rules import may_start_reading

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return a_team("ai_check", cases=2)


def again(team) -> Campaign:
    return Campaign.objects.get(pk=team.campaign.pk)


def test_new_campaign_uses_what_drafts_in_it(team):
    assert list(algorithms_of(team.campaign)) == [team.campaign.draft_algorithm]


def test_coordinator_enables_and_disables_versions(team):
    version, clara = a_registered_version(), team["clara"]
    for person in ("robin", "otto", "mallory"):
        with pytest.raises(ActionRefused, match="Only a coordinator"):
            enable_algorithm(campaign=team.campaign, algorithm=version, by=team[person])
    enable_algorithm(campaign=team.campaign, algorithm=version, by=clara)
    assert set(algorithms_of(team.campaign)) == {version, team.campaign.draft_algorithm}
    with pytest.raises(ActionRefused, match="enabled in this campaign already"):
        enable_algorithm(campaign=team.campaign, algorithm=version, by=clara)
    disable_algorithm(campaign=team.campaign, algorithm=version, by=clara)
    with pytest.raises(ActionRefused, match="not enabled"):
        disable_algorithm(campaign=team.campaign, algorithm=version, by=clara)
    with pytest.raises(ActionRefused, match="makes the drafts here: choose another one first"):
        disable_algorithm(campaign=team.campaign, algorithm=team.campaign.draft_algorithm, by=clara)
    told = Event.objects.filter(name__startswith="campaign.algorithm", chain=f"campaign:{team.campaign.pk}")
    assert [(event.name, event.content["details"]["algorithm"]) for event in told.order_by("pk")] == [
        ("campaign.algorithm_enabled", "tiny@1"),
        ("campaign.algorithm_disabled", "tiny@1"),
    ]


def test_another_version_drafts_from_now_on_and_what_was_begun_stays(team):
    begun = start_reading(case=team.case(0), by=team["robin"])
    origin = begun.begun_mask.forked_from
    assert origin is not None
    version = a_registered_version()
    with pytest.raises(ActionRefused, match="enable it first"):
        use_for_drafts(campaign=team.campaign, algorithm=version, by=team["clara"])
    enable_algorithm(campaign=team.campaign, algorithm=version, by=team["clara"])
    use_for_drafts(campaign=team.campaign, algorithm=version, by=team["clara"])
    with pytest.raises(ActionRefused, match="makes the drafts here already"):
        use_for_drafts(campaign=team.campaign, algorithm=version, by=team["clara"])
    case = team.case(1)
    assert str(may_start_reading(case, team["amara"])) == "The AI draft of this case is not ready yet."
    with pytest.raises(ActionRefused) as refused:
        take_next_case(campaign=again(team), by=team["amara"])
    assert refused.value.code == "nothing_to_read"
    runs = DraftRun.objects.filter(algorithm=version)
    assert {run.scan_id for run in runs} == {one.scan_id for one in team.cases}
    begun.refresh_from_db()
    assert begun.begun_mask.forked_from == origin
    assert sign(begun).version.mask.forked_from == origin
    event = Event.objects.get(name="campaign.draft_algorithm_set").content["details"]
    assert (event["algorithm"], event["before"], event["drafts"]) == ("tiny@1", "Classical baseline 1", 2)


def test_what_has_its_draft_already_is_not_drafted_again(team):
    first, version = team.campaign.draft_algorithm, a_registered_version()
    enable_algorithm(campaign=team.campaign, algorithm=version, by=SYSTEM)
    use_for_drafts(campaign=team.campaign, algorithm=version, by=SYSTEM)
    counted = DraftRun.objects.count()
    use_for_drafts(campaign=again(team), algorithm=first, by=SYSTEM)
    assert DraftRun.objects.count() == counted
    assert may_start_reading(team.case(1), team["amara"]) is None


def never_asked_for(team, version) -> None:
    """As it is where a version was retired before a case came."""
    use_for_drafts(campaign=team.campaign, algorithm=version, by=SYSTEM)
    DraftRun.objects.filter(algorithm=version).delete()


def test_case_that_was_never_asked_for_waits_on_the_list_as_by_the_rule(team):
    version = a_registered_version()
    enable_algorithm(campaign=team.campaign, algorithm=version, by=SYSTEM)
    never_asked_for(team, version)
    refusal = may_start_reading(team.case(1), team["amara"])
    assert str(refusal) == "The AI draft of this case by Tiny 1 is not ready yet."
    with pytest.raises(ActionRefused) as refused:
        take_next_case(campaign=again(team), by=team["amara"])
    assert refused.value.code == "nothing_to_read"


def test_case_without_a_draft_waits_for_another_algorithm_once_its_own_is_retired(team):
    version = a_registered_version()
    enable_algorithm(campaign=team.campaign, algorithm=version, by=SYSTEM)
    never_asked_for(team, version)
    retire_version(algorithm=version, reason="It was trained on the wrong labels.", by=SYSTEM)
    refusal = may_start_reading(team.case(), team["robin"])
    assert refusal is not None
    assert refusal.sentence == (
        "This case has no AI draft, and Tiny 1 was retired: its coordinator chooses another algorithm."
    )
    with pytest.raises(ActionRefused, match="was retired"):
        enable_algorithm(campaign=team.campaign, algorithm=version, by=SYSTEM)
    use_for_drafts(campaign=again(team), algorithm=team.campaign.draft_algorithm, by=SYSTEM)
    assert may_start_reading(team.case(), team["robin"]) is None


def test_draft_that_failed_keeps_nobody_waiting(team):
    version, case = a_registered_version(), team.case()
    enable_algorithm(campaign=team.campaign, algorithm=version, by=SYSTEM)
    use_for_drafts(campaign=team.campaign, algorithm=version, by=SYSTEM)
    assert may_start_reading(case, team["robin"]) is not None
    started = start_draft(run=DraftRun.objects.get(scan=case.scan, algorithm=version))
    assert started is not None
    fail_draft(run=started, sentence="No lung.")
    assert may_start_reading(team.case(), team["robin"]) is None


def test_closed_campaign_keeps_its_algorithms(team):
    version = a_registered_version()
    enable_algorithm(campaign=team.campaign, algorithm=version, by=team["clara"])
    close_campaign(campaign=team.campaign, reason="", by=team["clara"])
    for action in (enable_algorithm, disable_algorithm, use_for_drafts):
        with pytest.raises(ActionRefused, match="closed"):
            action(campaign=team.campaign, algorithm=version, by=team["clara"])


def test_database_refuses_drafts_by_what_is_not_enabled(team):
    version = a_registered_version()
    campaign = Campaign.objects.filter(pk=team.campaign.pk)
    for change in (lambda: campaign.update(draft_algorithm=version), lambda: EnabledAlgorithm.objects.all().delete()):
        before = transaction.savepoint()
        change()
        with pytest.raises(IntegrityError, match="drafts_by_enabled_algorithm"):
            connection.check_constraints()  # as a commit does
        transaction.savepoint_rollback(before)


def test_configuration_takes_what_drafts_along_and_refuses_a_retired_version(team):
    document = document_of(configuration_of(team.campaign, current_protocol(team.campaign)))
    text = json.dumps(document)
    made = open_campaign(slug="again", name="Again", configuration=configuration_from(text), by=SYSTEM)
    assert list(algorithms_of(made)) == [made.draft_algorithm] == [team.campaign.draft_algorithm]
    retire_version(algorithm=team.campaign.draft_algorithm, reason="There is a better one.", by=SYSTEM)
    with pytest.raises(ActionRefused, match="was retired"):
        configuration_from(text)


def test_case_reviews_are_drafted_by_the_youngest_version_that_is_not_retired(team):
    team["robin"].may_create_campaigns = True
    team["robin"].save()
    first, second = a_registered_version(), a_registered_version(name="other", weights_sha256="cd" * 32)
    retire_version(algorithm=second, reason="It misses the bases.", by=SYSTEM)
    assert begin_case_review(by=team["robin"]).draft_algorithm == first


def test_settings_page_changes_the_algorithms(team):
    version, clara = a_registered_version(), client_of(team["clara"])
    address = "/campaigns/team/settings/"
    page = clara.get(address).content.decode()
    assert "makes the drafts" in page
    assert f'name="algorithm" value="{version.pk}"' in page
    for do, sentence in (
        ("enable", "Tiny 1 may be used in this campaign."),
        ("use", "Tiny 1 makes the drafts from now on"),
        ("disable", "Tiny 1 makes the drafts here: choose another one first."),
    ):
        answer = clara.post(f"{address}algorithms/", {"do": do, "algorithm": version.pk}, follow=True)
        assert sentence in answer.content.decode()
    assert again(team).draft_algorithm == version
    for sent in ({"do": "enable", "algorithm": "9" * 30}, {"do": "burn", "algorithm": version.pk}, {}):
        answer = clara.post(f"{address}algorithms/", sent, follow=True)
        assert "Nothing was changed: choose an algorithm." in answer.content.decode()
    otto = client_of(team["otto"])
    assert "Use for drafts" not in otto.get(address).content.decode()
    refused = otto.post(f"{address}algorithms/", {"do": "disable", "algorithm": version.pk}, follow=True)
    assert "Only a coordinator" in refused.content.decode()
