"""The progress of a campaign: numbers that agree with their lists, and nobody else to see them."""

import csv
import datetime
import io

import numpy as np
import pytest
from django.http import QueryDict
from django.utils import timezone

from tests.factories.sites import a_team, paint, sign, submit
from tests.webapp.pages.conftest import client_of
from webapp.accounts.models import User
from webapp.campaigns.models import Case, Membership
from webapp.pages import progress
from webapp.pages.progress_charts import bland_altman, burn_down
from webapp.pages.worklist_search import Place, Wish
from webapp.readings.actions import return_submission, start_reading
from webapp.readings.assignment_actions import assign_reading, exclude_case
from webapp.readings.models import Comparison, Reading

MOST_QUERIES = 40
TODAY = datetime.date(2026, 3, 31)


def day(n):
    return TODAY - datetime.timedelta(days=n)


def test_burn_down_goes_down_by_what_was_done_and_on_at_the_pace_of_the_last_two_weeks():
    chart = burn_down(100, [(day(20), 30), (day(10), 28), (day(0), 14)], TODAY, began=day(30), width=600)
    assert (chart.left, chart.top, chart.pace) == (28, 100, 3.0)
    assert chart.ends_on == TODAY + datetime.timedelta(days=10)  # 28 cases at 3 a day
    points = [tuple(map(float, pair.split())) for pair in chart.path[1:].split("L")]
    assert points[0] == (0, 0)
    assert points[-1] == (450, 108.0)  # 30 of 40 days across, 28 of 100 left: 150 * (1 - 0.28)
    assert chart.ahead.startswith("M450.0 108.0L600.0 ")


@pytest.mark.parametrize(
    ("total", "done", "left", "ends"),
    [(10, [], 10, None), (10, [(day(40), 4)], 6, None), (4, [(day(1), 4)], 0, None), (9, [(TODAY, 1)], 8, 8)],
)
def test_burn_down_promises_nothing_where_nothing_can_be_told(total, done, left, ends):
    chart = burn_down(total, done, TODAY, began=TODAY)
    assert chart.left == left
    assert chart.ends_on == (ends and TODAY + datetime.timedelta(days=ends))


def test_bland_altman_of_a_known_set():
    assert bland_altman([(1, 2), (2, 3)]) is None
    plot = bland_altman([(10.0, 12.0), (20.0, 20.0), (30.0, 34.0), (40.0, 42.0)])
    assert plot is not None
    assert plot.bias == 2.0
    assert plot.sd == pytest.approx(1.632993)
    assert plot.limits == (pytest.approx(2 - 1.96 * 1.632993), pytest.approx(2 + 1.96 * 1.632993))
    assert (plot.mean_top, plot.reach, plot.count) == (50.0, 10.0, 4)
    assert plot.points[0] == (88.0, 88.0)  # mean 11 of 50 over 400, difference 2 of 10 above the middle of 220


def test_many_points_are_thinned_and_all_are_counted():
    plot = bland_altman([(n / 10, n / 10 + 1) for n in range(1200)])
    assert plot is not None
    assert (plot.count, plot.drawn, plot.bias) == (1200, 400, pytest.approx(1.0))


def numbers_and_lists(person, campaign):
    """Each number of the funnel beside how many cases the list shows that it leads to."""
    place = Place(person, campaign)
    lines, totals = progress.funnel_of(place)
    for line in lines:
        for code, count in line.cells:
            wish = Wish.of(QueryDict(f"show={code}&stage={line.name}&kind=study"), place)
            yield f"{line.name} {code}", count, wish.shown(wish.within(campaign.cases.all(), place)).count()
    for code in ("done", "excluded"):
        wish = Wish.of(QueryDict(f"show={code}&kind=study"), place)
        yield code, totals[code], wish.shown(wish.within(campaign.cases.all(), place)).count()


@pytest.mark.django_db
def test_every_number_of_the_funnel_is_that_of_its_list():
    team = a_team("draft_and_review", cases=7)
    for n in range(4):
        submit(start_reading(case=team.case(n), by=team["kim"]))
    sign(start_reading(case=team.case(0), by=team["robin"]))
    start_reading(case=team.case(1), by=team["robin"])
    back = start_reading(case=team.case(2), by=team["robin"])
    return_submission(reading=back, reason="The left lung is missing", stroke_sequence=0, by=team["robin"])
    assign_reading(case=team.case(4), reader=team["tom"], by=team["clara"])
    exclude_case(case=team.case(5), reason="not a chest", by=team["clara"])
    Case.objects.filter(pk=team.case(6).pk).update(kind="sentinel")
    for name, count, listed in numbers_and_lists(team["clara"], team.campaign):
        assert count == listed, name
    draft, review = progress.funnel_of(Place(team["clara"], team.campaign))[0]
    assert (draft.reached, review.reached) == (5, 3)
    assert dict(review.cells) == {
        "drafting": 0, "to_read": 1, "open": 1, "back": 0, "comparing": 0, "disputed": 0, "done": 1
    }  # fmt: skip
    assert dict(draft.cells)["back"] == 1


@pytest.mark.django_db
def test_times_are_medians_of_what_was_ended():
    team = a_team("ai_check", cases=4)
    for n, minutes in enumerate((2, 4, 9)):
        reading = start_reading(case=team.case(n), by=team["robin"])
        sign(reading)
        Reading.objects.filter(pk=reading.pk).update(active_ms=60_000 * minutes)
    team.case(0).scan.__class__.objects.update(slice_count=120)
    start_reading(case=team.case(3), by=team["robin"])
    (line,) = progress.readers_of(team.campaign)
    assert (line.name, line.stage, line.signed, line.open) == ("Robin", "check", 3, 1)
    assert (line.active_min, line.s_per_slice) == (4.0, 2.0)


@pytest.fixture
def read_twice(db, run_jobs):
    team = a_team("double_reading", cases=4)
    for n in range(3):
        for name in ("robin", "amara"):
            reading = start_reading(case=team.case(n), by=team[name])
            if name == "amara" and n == 1:
                paint(reading, team[name], np.zeros_like(team.phantoms[1].findings))
            sign(reading)
    run_jobs()
    return team


def test_agreement_is_of_what_was_compared_and_the_worst_lead_to_their_cases(read_twice):
    pairs = progress.pairs_of(read_twice.campaign)
    assert [(pair.case_number, pair.accepted) for pair in pairs] == [(1, True), (2, False), (3, True)]
    (stored,) = Comparison.objects.get(case__number=2).pairs
    assert pairs[1].dice == stored["dice"]
    assert pairs[1].difference == pytest.approx(stored["extent_difference"])
    agreement = progress.agreement_of(pairs)
    assert (agreement.count, agreement.accepted, agreement.dice_median) == (3, 2, 1.0)
    assert [pair.case_number for pair in agreement.worst] == [2]
    assert "One reading has lesion and the other has none." in agreement.worst[0].reasons
    page = client_of(read_twice["otto"]).get("/campaigns/team/progress/").content.decode()
    assert "One reading has lesion and the other has none." in page
    assert "/campaigns/team/cases/2/" in page
    assert "2 of 3 pairs accepted" in page


def test_done_cases_burn_down_on_the_day_of_their_reference(read_twice):
    assert progress.done_by_day(read_twice.campaign) == [(timezone.localdate(), 2)]
    chart = progress.burn_down_of(read_twice.campaign, {"all": 4, "excluded": 0})
    assert chart.left == 2


def test_what_is_stuck_is_named_with_its_list(read_twice):
    team = read_twice
    start_reading(case=team.case(3), by=team["robin"])
    Reading.objects.filter(case=team.case(3)).update(started_at=timezone.now() - datetime.timedelta(days=8))

    def stuck():
        place = Place(team["clara"], team.campaign)
        return {one.what: one for one in progress.stuck_of(place, progress.funnel_of(place)[1])}

    idle = stuck()["begun or given and left for 7 days and more"]
    assert (idle.count, idle.lines[0][:3]) == (1, (4, "reading", "Robin"))
    assert stuck()["disputed, not yet taken by an adjudicator"].count == 1
    Membership.objects.filter(role="adjudicator").delete()
    assert stuck()["disputed, and this campaign has no adjudicator"].count == 1
    Membership.objects.create(campaign=team.campaign, user=team["ada"], role="adjudicator")
    start_reading(case=team.case(1), by=team["ada"])
    assert set(stuck()) == {idle.what}


def test_sentinels_are_measured_by_what_is_known(db, run_jobs):
    team = a_team("ai_check", cases=2)
    known = start_reading(case=team.case(0), by=team["amara"])
    sign(known)
    reading = start_reading(case=team.case(1), by=team["robin"])
    sign(reading)
    run_jobs()
    Case.objects.filter(pk=team.case(1).pk).update(kind="sentinel", known_version=known.signature.version)
    (line,) = progress.sentinels_of(team.campaign)
    extents = [r.signature.version.measurement.values["extent_percent"] for r in (known, reading)]
    assert (line.name, line.count, line.measured) == ("Robin", 1, 1)
    assert line.bias == pytest.approx(extents[1] - extents[0])
    assert line.mean_error == pytest.approx(abs(extents[1] - extents[0]))


def test_readers_get_nothing_of_it_and_overseers_all(read_twice):
    for part in ("", "figures/", "table.csv"):
        address = f"/campaigns/team/progress/{part}"
        for name in ("robin", "ada", "kim", "mallory"):
            assert client_of(read_twice[name]).get(address).status_code == 404, name
        for name in ("clara", "otto"):
            assert client_of(read_twice[name]).get(address).status_code == 200, name
    # A coordinator who reads blinded in the campaign is a reader first.
    Membership.objects.create(campaign=read_twice.campaign, user=read_twice["clara"], role="radiologist")
    assert client_of(read_twice["clara"]).get("/campaigns/team/progress/").status_code == 404


def test_tables_are_csv_that_no_spreadsheet_runs(read_twice):
    User.objects.filter(username="robin").update(display_name="=HYPERLINK(1)")
    client = client_of(read_twice["clara"])

    def table(of):
        text = client.get(f"/campaigns/team/progress/table.csv?of={of}").content.decode()
        return list(csv.reader(io.StringIO(text)))

    assert "'=HYPERLINK(1)" in {row[0] for row in table("readers")}
    assert [row[0] + row[2] for row in table("pairs")[1:]] == ["1yes", "2no", "3yes"]
    assert [row[0] for row in table("stages")] == ["stage", "reading", "adjudication"]
    assert client.get("/campaigns/team/progress/table.csv?of=passwords").status_code == 404


def test_page_needs_as_many_queries_for_many_readings_as_for_few(read_twice, django_assert_max_num_queries):
    client = client_of(read_twice["clara"])
    with django_assert_max_num_queries(MOST_QUERIES):
        page = client.get("/campaigns/team/progress/").content.decode()
    assert 'data-live="progress:team"' in page


@pytest.mark.django_db
def test_campaign_without_cases_or_readings_says_what_it_will_show():
    team = a_team("double_reading", cases=0)
    page = client_of(team["clara"]).get("/campaigns/team/progress/").content.decode()
    assert "once the campaign has cases" in page
    assert "from the first reading on" in page
