"""Drafts of a campaign: of one case, a choice, all of them; cancelled and tried again; by those who may."""

import pytest
from django.db import connection

from inference.phantoms.chest import make_phantom
from tests.factories.sites import a_scan, a_team
from webapp.algorithms.actions import fail_draft, register_algorithm, start_draft
from webapp.algorithms.fitting import needs_hu
from webapp.algorithms.models import Algorithm, DraftRun
from webapp.archive.models import Scan
from webapp.audit.actor import SYSTEM
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused
from webapp.campaigns.actions import add_case
from webapp.campaigns.draft_actions import cancel_drafts, request_drafts, retry_drafts
from webapp.campaigns.draft_queries import counts_by_state, current_runs
from webapp.campaigns.standing_actions import close_campaign
from webapp.readings.around import drafts_pending
from webapp.readings.assignment_actions import exclude_case
from webapp.readings.rules import may_start_reading
from webapp.releases.actions import delete_scan

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    """A campaign with one drafted case, and three whose runs were cancelled."""
    team = a_team("ai_check")
    phantom = make_phantom(1, shape_zyx=(6, 32, 32))
    team.cases += [add_case(campaign=team.campaign, scan=a_scan(phantom), by=SYSTEM) for _ in range(3)]
    cancel_drafts(campaign=team.campaign, run_ids=None, by=team["clara"])
    return team


def ask(team, numbers, by="clara", algorithm=None):
    chosen = algorithm or team.campaign.draft_algorithm
    return request_drafts(campaign=team.campaign, numbers=numbers, algorithm=chosen, by=team[by])


def states(team) -> dict[str, int]:
    return {state: count for state, count in counts_by_state(current_runs(team.campaign)).items() if count}


def line() -> int:
    """How many runs wait for a worker (the factory's drafted case was drafted by none)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs AS job JOIN algorithms_draftrun AS run ON run.job_id = job.id"
            " WHERE job.status = 'todo' AND run.state <> 'finished'"
        )
        return cursor.fetchone()[0]


def refusal(do, *arguments, **said) -> str:
    with pytest.raises(ActionRefused) as refused:
        do(*arguments, **said)
    return f"{refused.value.code}: {refused.value.sentence}"


def event(name: str) -> Event:
    return Event.objects.filter(name=name).order_by("-pk")[0]


def test_a_choice_of_cases_is_put_in_line_and_nothing_twice(team):
    asked = ask(team, [3, 1, 2])
    assert (asked.queued, asked.already, dict(asked.left_out)) == ([2, 3], [1], {})
    assert asked.words == "2 drafts put in line. 1 draft finished or under way already."
    assert (states(team), line()) == ({"queued": 2, "finished": 1, "cancelled": 1}, 2)
    again = ask(team, [1, 2, 3])
    assert (again.queued, again.already, line()) == ([], [1, 2, 3], 2)
    asking = event("campaign.drafts_requested")
    details = asking.content["details"]
    assert asking.chain == f"campaign:{team.campaign.pk}"
    assert (details["cases"], details["already"]) == ([], 3)


def test_one_case_is_recorded_as_what_it_is_about(team):
    ask(team, [2])
    assert event("campaign.drafts_requested").subject == f"case:{team.case(1).pk}"


def test_all_without_a_draft_are_put_in_line(team):
    exclude_case(case=team.case(3), reason="of another study", by=team["clara"])
    assert ask(team, None).queued == [2, 3]
    assert refusal(ask, team, None).startswith("nothing: Every case has its draft already")


def test_what_cannot_be_drafted_is_left_out_and_said(team):
    Scan.objects.filter(pk=team.cases[1].scan_id).update(has_hu=False)
    delete_scan(scan=team.cases[2].scan, reason="sent by mistake", by=team["clara"])
    exclude_case(case=team.case(3), reason="of another study", by=team["clara"])
    asked = ask(team, [1, 2, 3, 4])
    assert (asked.queued, asked.already) == ([], [1])
    assert sorted(asked.left_out.values()) == [[2], [3], [4]]
    assert "no Hounsfield units, and Classical baseline 1 needs them" in refusal(ask, team, [2])
    assert "scans were deleted" in refusal(ask, team, [3])
    assert "left the campaign" in refusal(ask, team, [4])
    assert refusal(ask, team, [99]).startswith("nothing: Choose the cases")


def test_scan_without_hu_that_comes_in_is_not_asked_for_in_vain(team):
    scan = a_scan(make_phantom(1, shape_zyx=(6, 32, 32)))
    Scan.objects.filter(pk=scan.pk).update(has_hu=False)
    scan.refresh_from_db()
    add_case(campaign=team.campaign, scan=scan, by=SYSTEM)
    assert not scan.draft_runs.exists()


def test_network_that_draws_lungs_takes_scans_without_hu_and_one_that_does_not_refuses():
    assert not needs_hu(Algorithm(entry="network", card={"labels": ["lung", "lesion"]}))
    assert needs_hu(Algorithm(entry="network", card={"labels": ["lesion"]}))


def test_case_that_no_draft_can_be_made_of_does_not_wait_for_one(team):
    scan = a_scan(make_phantom(1, shape_zyx=(6, 32, 32)))
    Scan.objects.filter(pk=scan.pk).update(has_hu=False)
    scan.refresh_from_db()
    case = add_case(campaign=team.campaign, scan=scan, by=SYSTEM)
    assert case not in team.campaign.cases.filter(drafts_pending(team.campaign))
    assert may_start_reading(case, team["robin"]) is None


def test_closed_campaigns_other_algorithms_and_others_than_coordinators_are_refused(team):
    other = register_algorithm(name="other", version="1", title="Other", entry="classical-baseline", card={}, by=SYSTEM)
    assert refusal(ask, team, [2], algorithm=other).startswith("no_such_algorithm: This campaign may not use Other 1")
    for person in ("robin", "kim", "otto", "mallory"):
        assert refusal(ask, team, [2], by=person).startswith("not_coordinator")
        assert refusal(cancel_drafts, campaign=team.campaign, run_ids=None, by=team[person]).startswith("not_coord")
        assert refusal(retry_drafts, campaign=team.campaign, run_ids=None, by=team[person]).startswith("not_coord")
    close_campaign(campaign=team.campaign, reason="", by=team["clara"])
    assert refusal(ask, team, [2]).startswith("closed: Team is closed: nothing more is drafted in it.")
    runs = list(current_runs(team.campaign).filter(state="cancelled").values_list("pk", flat=True))
    said = refusal(retry_drafts, campaign=team.campaign, run_ids=runs, by=team["clara"])
    assert said.startswith("closed")
    assert line() == 0


def test_chosen_runs_are_cancelled_those_under_way_too_and_others_stay(team):
    ask(team, [2, 3, 4])
    second, third, fourth = current_runs(team.campaign).filter(state="queued").order_by("job_id")
    start_draft(run=second)
    chosen = [second.pk, third.pk, current_runs(team.campaign).get(state="finished").pk]
    assert cancel_drafts(campaign=team.campaign, run_ids=chosen, by=team["clara"]) == 2
    assert states(team) == {"queued": 1, "finished": 1, "cancelled": 2}
    details = event("campaign.drafts_cancelled").content["details"]
    assert (details["cases"], details["under_way"]) == ([2, 3], 1)
    assert refusal(cancel_drafts, campaign=team.campaign, run_ids=chosen, by=team["clara"]).startswith("nothing")
    fourth.refresh_from_db()
    assert fourth.state == "queued"


def test_failed_runs_are_tried_again_all_or_those_chosen(team):
    ask(team, [2, 3])
    for run in current_runs(team.campaign).filter(state="queued"):
        fail_draft(run=start_draft(run=run), sentence="There is no lung.")
    assert retry_drafts(campaign=team.campaign, run_ids=None, by=team["clara"]).queued == [2, 3]
    assert event("campaign.drafts_retried").content["details"]["cases"] == [2, 3]
    assert states(team) == {"queued": 2, "finished": 1, "cancelled": 1}, "what was tried again is no longer failed"
    assert refusal(retry_drafts, campaign=team.campaign, run_ids=None, by=team["clara"]).startswith("nothing")
    cancelled = current_runs(team.campaign).get(state="cancelled")
    done = current_runs(team.campaign).get(state="finished")
    assert retry_drafts(campaign=team.campaign, run_ids=[cancelled.pk, done.pk], by=team["clara"]).queued == [4]
    assert DraftRun.objects.filter(state="finished").count() == 1


def test_asking_for_many_takes_as_few_queries_as_for_one(team, django_assert_max_num_queries):
    phantom = make_phantom(1, shape_zyx=(6, 32, 32))
    for _ in range(30):
        add_case(campaign=team.campaign, scan=a_scan(phantom), by=SYSTEM)
    cancel_drafts(campaign=team.campaign, run_ids=None, by=team["clara"])
    with django_assert_max_num_queries(40):
        assert len(ask(team, None).queued) == 33
