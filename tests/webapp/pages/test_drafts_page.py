"""The page of a campaign's drafts, its part that is read anew, its table, and what a case says of its drafts."""

import csv
import io

import pytest

from inference.phantoms.chest import make_phantom
from tests.factories.sites import a_scan, a_team, client_of
from webapp.algorithms.actions import fail_draft, report_progress, start_draft
from webapp.algorithms.models import DraftRun
from webapp.audit.actor import SYSTEM
from webapp.campaigns.actions import add_case
from webapp.campaigns.draft_queries import current_runs
from webapp.campaigns.standing_actions import close_campaign

pytestmark = pytest.mark.django_db
PAGE = "/campaigns/team/drafts/"


@pytest.fixture
def team():
    """A finished draft, one under way, one that failed, one in line."""
    team = a_team("ai_check")
    DraftRun.objects.update(
        uncertainty=0.12345, weights_sha256="ab" * 32, options={"threshold": 0.5}, device="cuda:0", duration_s=4.25
    )
    phantom = make_phantom(1, shape_zyx=(6, 32, 32))
    team.cases += [add_case(campaign=team.campaign, scan=a_scan(phantom), by=SYSTEM) for _ in range(3)]
    running = start_draft(run=team.cases[1].scan.draft_runs.get())
    report_progress(run=running, fraction=0.375, text="Looking for lungs")
    fail_draft(run=start_draft(run=team.cases[2].scan.draft_runs.get()), sentence="There is no <lung>.")
    return team


def text(answer) -> str:
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def run_of(team, place: int) -> DraftRun:
    return current_runs(team.campaign).get(scan=team.cases[place].scan_id)


def test_each_run_stands_with_its_state_progress_and_reason(team):
    page = text(client_of(team["clara"]).get(PAGE))
    for what in ("running", "in line", "failed", "finished", 'value="0.375"', "Looking for lungs", "0.123", "cuda:0"):
        assert what in page
    assert "There is no &lt;lung&gt;." in page
    assert f'data-topic="draft:{run_of(team, 1).pk}"' in page
    assert f'data-topic="draft:{run_of(team, 0).pk}"' not in page
    failed = text(client_of(team["clara"]).get(f"{PAGE}?state=failed"))
    assert "There is no" in failed
    assert "Looking for lungs" not in failed


def test_the_part_that_is_read_anew_has_the_same_runs_whatever_state_they_came_to(team):
    clara = client_of(team["clara"])
    run = run_of(team, 1)
    address = f"{PAGE}rows/?state=running&run={run.pk}&run=nonsense"
    assert 'value="0.375"' in text(clara.get(address))
    fail_draft(run=run, sentence="The scan was deleted.")
    part = text(clara.get(address))
    assert "The scan was deleted." in part
    assert f'id="state-{run.pk}"' in part
    assert "<html" not in part
    assert str(run_of(team, 3).pk) not in part


def test_runs_of_other_campaigns_are_not_in_the_part(team):
    other = DraftRun.objects.create(
        scan=a_scan(team.phantoms[0]), algorithm=team.campaign.draft_algorithm, label_set=team.campaign.label_set
    )
    assert str(other.pk) not in text(client_of(team["clara"]).get(f"{PAGE}rows/?run={other.pk}")).split("<tbody>")[-1]


def do(team, what: str, who: str = "clara", **said):
    return client_of(team[who]).post(PAGE, {"do": what, **said}, follow=True)


def test_coordinators_ask_cancel_and_try_again(team):
    assert "1 cancelled." in text(do(team, "cancel", run=str(run_of(team, 1).pk)))
    assert "2 drafts put in line." in text(do(team, "ask", numbers="2-3"))
    assert "3 cancelled." in text(do(team, "cancel_all"))
    assert "1 draft put in line." in text(do(team, "retry", run=[str(run_of(team, 2).pk), "nonsense"]))
    assert "2 drafts put in line." in text(do(team, "ask", algorithm="classical-baseline@1"))
    fail_draft(run=start_draft(run=run_of(team, 1)), sentence="There is no lung.")
    assert "1 draft put in line." in text(do(team, "retry_all"))
    for what, sentence in (("retry_all", "None of these runs failed"), ("dance", "Choose what to do")):
        answer = do(team, what)
        assert answer.status_code == 409
        assert sentence in answer.content.decode()
    assert do(team, "ask", numbers="77").status_code == 409
    assert do(team, "ask", algorithm="other@2").status_code == 409


def test_auditors_look_and_change_nothing(team):
    assert 'type="checkbox"' not in text(client_of(team["otto"]).get(PAGE))
    answer = do(team, "cancel_all", "otto")
    assert answer.status_code == 403
    assert "Only a coordinator" in answer.content.decode()
    assert DraftRun.objects.filter(state="cancelled").count() == 0


def test_closed_campaign_says_that_nothing_more_is_drafted(team):
    close_campaign(campaign=team.campaign, reason="", by=team["clara"])
    assert "nothing more is drafted in it" in text(client_of(team["clara"]).get(PAGE))
    assert do(team, "ask").status_code == 409


def test_page_of_a_campaign_without_runs_says_what_it_will_show(team):
    DraftRun.objects.filter(mask=None).delete()
    run = DraftRun.objects.get()
    run.scan = a_scan(team.phantoms[0])
    run.save()
    assert "No draft was asked for yet" in text(client_of(team["clara"]).get(PAGE))


def test_table_has_a_line_a_run_with_what_it_was_made_with(team):
    rows = list(csv.DictReader(io.StringIO(text(client_of(team["clara"]).get(f"{PAGE}table.csv")))))
    assert [(row["case"], row["state"]) for row in rows] == [
        ("1", "finished"),
        ("2", "running"),
        ("3", "failed"),
        ("4", "queued"),
    ]
    first = rows[0]
    assert (first["weights_sha256"], first["device"], float(first["duration_s"])) == ("ab" * 32, "cuda:0", 4.25)
    assert (float(first["uncertainty"]), first["options_json"]) == (0.12345, '{"threshold": 0.5}')
    assert rows[2]["failure"] == "There is no <lung>."
    assert rows[1]["uncertainty"] == ""


def case_page(team, who: str, number: int) -> str:
    return text(client_of(team[who]).get(f"/campaigns/team/cases/{number}/"))


def test_case_says_what_its_draft_was_made_with_and_to_coordinators_how_sure_it_is(team):
    for who in ("robin", "clara"):
        page = case_page(team, who, 1)
        assert "classical-baseline 1" in page
        assert "abababababab" in page
        assert "threshold 0.5" in page
        assert "cuda:0" in page
    assert "0.123" in case_page(team, "clara", 1)
    assert "0.123" not in case_page(team, "robin", 1)
    assert "Uncertainty" not in case_page(team, "robin", 1)


def test_case_says_where_its_draft_stands_in_line_and_keeps_it_fresh(team):
    page = case_page(team, "robin", 4)
    # Before it the jobs of the drafts that the factory made without a worker, and of the one under way here.
    assert "3 before it" in page
    part = client_of(team["robin"]).get("/campaigns/team/cases/4/draft/")
    assert 'id="draft-wait"' in text(part)
    assert "3 before it" in text(part)
    assert "Cancel" not in text(part)
    assert "Cancel" in text(client_of(team["clara"]).get("/campaigns/team/cases/4/draft/"))


def test_coordinators_cancel_and_ask_on_the_page_of_a_case(team):
    clara = client_of(team["clara"])
    run = run_of(team, 3)
    clara.post("/campaigns/team/cases/4/draft/", {"do": "cancel", "run": str(run.pk)})
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert "cancelled before it was made" in case_page(team, "clara", 4)
    clara.post("/campaigns/team/cases/4/draft/", {"do": "ask", "algorithm": "classical-baseline@1"})
    assert run_of(team, 3).state == "queued"
    assert "Only a coordinator" in text(
        client_of(team["robin"]).post("/campaigns/team/cases/4/draft/", {"do": "cancel", "run": "x"}, follow=True)
    )


def test_what_readers_may_not_see_of_a_draft_is_not_there(team):
    protocol = team.campaign.protocols.get()
    protocol.terms = {**protocol.terms, "hides_ai": True}
    protocol.save()
    assert client_of(team["robin"]).get("/campaigns/team/cases/1/draft/").status_code == 404
    page = case_page(team, "robin", 1)
    assert "cuda:0" not in page
    assert "draft:" not in page


def test_page_of_many_runs_is_asked_for_in_few_queries(team, django_assert_max_num_queries):
    phantom = make_phantom(1, shape_zyx=(6, 32, 32))
    for _ in range(60):
        add_case(campaign=team.campaign, scan=a_scan(phantom), by=SYSTEM)
    clara = client_of(team["clara"])
    with django_assert_max_num_queries(50):
        page = text(clara.get(PAGE))
    assert page.count('name="run"') == 50
    assert "1 to 50 of 64" in page
