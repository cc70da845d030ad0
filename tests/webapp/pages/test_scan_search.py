"""Searching scans finds what is asked for among what a person may see, in a fixed number of queries."""

import re
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories.scans import a_scan_record, many_scans
from tests.factories.sites import a_campaign, a_person
from tests.webapp.pages.conftest import client_of
from webapp.archive.models import Scan
from webapp.audit.actor import SYSTEM
from webapp.campaigns.actions import add_member
from webapp.releases.actions import delete_scan

pytestmark = pytest.mark.django_db


@pytest.fixture
def coordinator():
    return a_person("cleo", a_campaign("covid"), "coordinator")


@pytest.fixture
def scans(coordinator) -> dict[str, Scan]:
    """Four scans that differ in everything that can be asked for, by a short name."""
    from webapp.campaigns.models import Campaign

    campaign = Campaign.objects.get(slug="covid")
    return {
        "thin": a_scan_record(
            campaign,
            pseudonym="GG-THIN",
            sex="F",
            shifted_date=date(2018, 3, 1),
            site="Hospital 01",
            manufacturer="SIEMENS",
            model_name="SOMATOM Definition",
            kernel="B60f",
            slice_thickness_mm=1.0,
            kvp=120.0,
            ctdi_vol_mgy=2.9,
            patient_age_years=34,
        ),
        "thick": a_scan_record(
            campaign,
            pseudonym="GG-THICK",
            sex="M",
            shifted_date=date(2019, 3, 1),
            site="Hospital 02",
            manufacturer="GE MEDICAL SYSTEMS",
            model_name="LightSpeed VCT",
            kernel="STANDARD",
            slice_thickness_mm=5.0,
            kvp=100.0,
            ctdi_vol_mgy=8.0,
            patient_age_years=71,
            contrast=True,
            warnings=[{"code": "thick_slices", "sentence": "Thick slices (5 mm)."}],
        ),
        "bare": a_scan_record(
            campaign, pseudonym="GG-BARE", sex="", shifted_date=None, source="nifti", description="NIfTI"
        ),
        "two": a_scan_record(
            campaign,
            pseudonym="GG-TWO",
            sex="M",
            shifted_date=date(2020, 1, 5),
            site="Hospital 02",
            manufacturer="GE MEDICAL SYSTEMS",
            model_name="Revolution",
            kernel="LUNG",
            slice_thickness_mm=2.0,
            kvp=120.0,
            ctdi_vol_mgy=3.0,
            patient_age_years=85,
        ),
    }


def found(user, query: str = "") -> list[str]:
    """Pseudonyms on the page, in order, without the GG-."""
    page = client_of(user).get(f"/scans/{query}").content.decode()
    return [name.lower() for name in re.findall(r'class="case-link mono"[^>]*>GG-(\w+)<', page)]


def test_everything_is_listed_the_newest_first(coordinator, scans):
    assert found(coordinator) == ["two", "bare", "thick", "thin"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=gg-thi", {"thin", "thick"}),
        ("q=lightspeed", {"thick"}),
        ("q=hospital+02+lung", {"two"}),
        ("q=100%25", set()),
        ("q=%00thin", {"thin"}),
        ("site=Hospital+02", {"thick", "two"}),
        ("site=-", {"bare"}),
        ("site=Hospital+01&site=Hospital+02", {"thin", "thick", "two"}),
        ("scanner=GE+MEDICAL+SYSTEMS+Revolution", {"two"}),
        ("scanner=-", {"bare"}),
        ("kernel=B60f", {"thin"}),
        ("thickness=thin", {"thin"}),
        ("thickness=medium", {"two"}),
        ("thickness=thick", {"thick"}),
        ("thickness=-", {"bare"}),
        ("kvp=120", {"thin", "two"}),
        ("dose=low", {"thin"}),
        ("dose=usual", {"two"}),
        ("dose=high", {"thick"}),
        ("dose=-", {"bare"}),
        ("sex=M", {"thick", "two"}),
        ("sex=-", {"bare"}),
        ("age=young", {"thin"}),
        ("age=old", {"thick"}),
        ("age=oldest", {"two"}),
        ("contrast=yes", {"thick"}),
        ("remark=thick_slices", {"thick"}),
        ("remark=sharp_kernel", {"thin", "two"}),
        ("remark=unknown_acquisition", {"bare"}),
        ("remark=contrast&remark=sharp_kernel", {"thin", "thick", "two"}),
        ("source=nifti", {"bare"}),
        ("campaign=covid", {"thin", "thick", "bare", "two"}),
        ("campaign=another", set()),
        ("from=2019-01-01", {"thick", "two"}),
        ("to=2019-01-01", {"thin"}),
        ("from=2019-03-01&to=2019-03-01", {"thick"}),
        ("site=Hospital+02&sex=M&age=oldest", {"two"}),
        ("thickness=nonsense", set()),
    ],
)
def test_each_filter_narrows_the_list(coordinator, scans, query, expected):
    assert set(found(coordinator, f"?{query}")) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("pseudonym", ["bare", "thick", "thin", "two"]),
        ("-pseudonym", ["two", "thin", "thick", "bare"]),
        ("thickness", ["thin", "two", "thick", "bare"]),
        ("-thickness", ["thick", "two", "thin", "bare"]),
        ("age", ["thin", "thick", "two", "bare"]),
        ("date", ["thin", "thick", "two", "bare"]),
        ("-date", ["two", "thick", "thin", "bare"]),
        ("no-such-order", ["two", "bare", "thick", "thin"]),
        ("study__patient__pseudonym", ["two", "bare", "thick", "thin"]),
    ],
)
def test_list_is_sorted_with_what_is_unknown_last(coordinator, scans, order, expected):
    assert found(coordinator, f"?order={order}") == expected


def test_menus_count_what_each_choice_would_find(coordinator, scans):
    page = client_of(coordinator).get("/scans/?kvp=120").content.decode()
    counts = dict(re.findall(r'<span class="grow">([^<]+)</span><span class="count">(\d+)</span>', page))
    assert (counts["Hospital 01"], counts["Hospital 02"]) == ("1", "1")  # of two there, one was at 100 kVp
    assert (counts["male"], counts["female"]) == ("1", "1")
    assert counts["GE Revolution"] == "1"
    assert "GE LightSpeed VCT" not in counts
    assert (counts["120 kVp"], counts["100 kVp"], counts["not known"]) == (
        "2",
        "1",
        "1",
    )  # its own menu offers the rest


def test_chip_of_a_filter_takes_it_away_and_keeps_the_rest(coordinator, scans):
    page = client_of(coordinator).get("/scans/?sex=M&site=Hospital+02&q=ge&order=age").content.decode()
    (address,) = re.findall(r'class="chip chosen" href="([^"]+)" title="No longer only male"', page)
    assert address.replace("&amp;", "&") == "?q=ge&site=Hospital+02&order=age"


def test_days_that_are_none_are_said_and_left_out(coordinator, scans):
    page = client_of(coordinator).get("/scans/?from=yesterday").content.decode()
    assert "yesterday is no date" in page
    assert len(found(coordinator, "?from=yesterday")) == 4


def test_only_scans_of_ones_own_campaigns_are_found_and_counted(coordinator, scans):
    other = a_campaign("other")
    a_scan_record(other, pseudonym="GG-HIDDEN", site="Hospital 99")
    a_scan_record(None, pseudonym="GG-LOOSE")
    assert "hidden" not in found(coordinator)
    assert "loose" not in found(coordinator)
    page = client_of(coordinator).get("/scans/").content.decode()
    assert "Hospital 99" not in page
    assert "Other" not in page
    assert found(coordinator, "?campaign=other") == []
    outsider = a_person("otto")
    empty = client_of(outsider).get("/scans/").content.decode()
    assert "No scans yet" in empty
    assert "GG-" not in empty
    administrator = a_person("adam")
    administrator.is_superuser = True
    administrator.save()
    assert {"hidden", "loose", "thin"} <= set(found(administrator))


def test_nothing_found_is_said_with_a_way_back(coordinator, scans):
    page = client_of(coordinator).get("/scans/?q=nobody").content.decode()
    assert "No scan is like that." in page
    assert "Show all" in page


def test_deleted_scan_is_in_no_list_and_no_count(coordinator, scans):
    delete_scan(scan=scans["two"], reason="sent by mistake", by=coordinator)
    assert found(coordinator) == ["bare", "thick", "thin"]
    page = client_of(coordinator).get("/scans/?campaign=covid").content.decode()
    assert "3 scans found" in page
    add_member(campaign=a_campaign("empty"), user=coordinator, role="auditor", by=SYSTEM)
    page = client_of(coordinator).get("/scans/?campaign=covid").content.decode()
    assert 'Covid</span><span class="count">3</span>' in page


def test_hostile_words_are_shown_as_words(coordinator, scans):
    Scan.objects.filter(pk=scans["thin"].pk).update(kernel="<script>alert(1)</script>", site='"><img src=x>')
    page = client_of(coordinator).get("/scans/?q=%3Cscript%3Ealert(1)%3C/script%3E").content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_queries_do_not_grow_with_scans_or_filters(coordinator, scans):
    from webapp.campaigns.models import Campaign

    client = client_of(coordinator)

    def queries(query: str) -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get(f"/scans/{query}").status_code == 200
        return len(caught)

    few = queries("")
    many_scans(Campaign.objects.get(slug="covid"), 300)
    assert queries("") == few
    assert queries("?page=3&order=age") <= few
    assert queries("?q=ge&site=Hospital+02&sex=M&remark=sharp_kernel&thickness=thin&campaign=covid") <= few + 5
    assert few <= 12  # what is narrowed adds one query for each menu that then offers more than was found


def test_pages_follow_each_other_and_keep_the_search(coordinator, scans):
    from webapp.campaigns.models import Campaign

    many_scans(Campaign.objects.get(slug="covid"), 120)
    first = found(coordinator, "?order=pseudonym")
    page = client_of(coordinator).get("/scans/?order=pseudonym").content.decode()
    (following,) = re.findall(r'rel="next" href="([^"]+)"', page)
    second = found(coordinator, following.replace("&amp;", "&"))
    assert (len(first), len(second)) == (50, 50)
    assert first + second == sorted(first + second)
    assert found(coordinator, "?page=999&order=pseudonym")  # the last one there is


def test_site_is_named_for_what_the_search_finds_and_only_where_one_coordinates(coordinator, scans):
    other = a_campaign("other")
    add_member(campaign=other, user=coordinator, role="radiologist", by=SYSTEM)
    foreign = a_scan_record(other, pseudonym="GG-FOREIGN", sex="M")
    client = client_of(coordinator)
    answer = client.post("/scans/site/?sex=M", {"site": "  Hospital\n 07 "}, follow=True)
    assert "2 scans have another site now." in answer.content.decode()
    assert set(found(coordinator, "?site=Hospital+07")) == {"thick", "two"}
    foreign.refresh_from_db()
    assert foreign.site == ""
    reader = a_person("rita", other, "radiologist")
    said = client_of(reader).post("/scans/site/", {"site": "Mine"}, follow=True).content.decode()
    assert "No scan was chosen that you may name a site for." in said
    assert not Scan.objects.filter(site="Mine").exists()
