"""The pages of algorithms: cards of strangers shown as text, for who coordinates or administers, and nobody else."""

import hashlib
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.factories.pictures import a_png
from tests.factories.sites import a_person, a_team, client_of
from tests.factories.versions import CURVES, a_card, a_registered_version
from tests.webapp.pages.test_accessibility import (
    Page,
    test_every_button_and_link_says_what_it_does,
    test_every_field_has_a_label_and_every_picture_its_words,
    test_every_page_has_a_title_a_language_and_one_main_part,
    test_headings_begin_with_one_of_the_first_rank_and_skip_none,
    test_names_on_a_page_are_unique_and_what_is_referred_to_is_there,
)
from webapp.accounts.actions import set_administrator
from webapp.algorithms.models import Algorithm
from webapp.audit.actor import SYSTEM
from webapp.campaigns.algorithm_actions import enable_algorithm, mark_patient
from webapp.pages.algorithm_card import MOST_ROWS, card_view, tables_of

pytestmark = pytest.mark.django_db

__all__ = [
    "test_every_button_and_link_says_what_it_does",
    "test_every_field_has_a_label_and_every_picture_its_words",
    "test_every_page_has_a_title_a_language_and_one_main_part",
    "test_headings_begin_with_one_of_the_first_rank_and_skip_none",
    "test_names_on_a_page_are_unique_and_what_is_referred_to_is_there",
]


@pytest.fixture
def team():
    return a_team("ai_check")


@pytest.fixture
def admin(db):
    sam = a_person("sam")
    set_administrator(user=sam, allowed=True, by=SYSTEM)
    sam.refresh_from_db()
    return client_of(sam)


@pytest.fixture
def pages(team, admin) -> dict[str, Page]:
    """The pages of algorithms in the states that differ in what stands on them; asked of as all pages are."""
    version = a_registered_version(curves={"columns": ["epoch", "train_loss"], "rows": [[1, 0.9], [2, 0.5]]})
    enable_algorithm(campaign=team.campaign, algorithm=version, by=SYSTEM)
    mark_patient(algorithm=version, scan=team.case().scan, reason="It is in the public set.", by=SYSTEM)
    clara = client_of(team["clara"])
    address = "/algorithms/tiny/1/"
    found = {
        "list": clara.get("/algorithms/"),
        "list of an administrator": admin.get("/algorithms/"),
        "nothing sent": admin.post("/algorithms/", {}),
        "card": clara.get(address),
        "card to an administrator": admin.get(address),
        "baseline": clara.get("/algorithms/classical-baseline/1/"),
        "settings": clara.get("/campaigns/team/settings/"),
    }
    admin.post(f"{address}retire/", {"confirm": "tiny 1", "reason": "There is a better one."})
    found["retired"] = admin.get(address)
    return {name: Page(answer.content.decode()) for name, answer in found.items()}


def test_card_is_shown_with_licence_figures_curves_and_pictures(team):
    a_registered_version(
        curves={
            "columns": ["epoch", "train_loss", "tune_lung_dice", "tune_lesion_dice"],
            "rows": [[1, 0.9, None, None], [2, 0.5, None, 0.42]],
        }
    )
    answer = client_of(team["clara"]).get("/algorithms/tiny/1/")
    page = answer.content.decode()
    assert "Not for commercial use." in page
    assert "0.731" in page
    assert "Consolidation at the back may be left out." in page
    assert '<td class="number">0.710</td>' in page
    assert "at the end tune lesion Dice 0.420" in page
    # What was never measured has no curve.
    assert "tune lung Dice" not in page
    [picture] = answer.context["pictures"]
    shown = client_of(team["clara"]).get(f"/algorithms/tiny/1/pictures/{picture.sha256}.png")
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/png")
    assert hashlib.sha256(shown.content).hexdigest() == picture.sha256
    assert client_of(team["clara"]).get(f"/algorithms/tiny/1/pictures/{'0' * 64}.png").status_code == 404


EVIL = "<script>alert('x')</script>{{ 7|add:7 }}"


def test_card_of_a_stranger_is_text_wherever_it_stands(team):
    card = a_card(
        licence=EVIL,
        notes=[EVIL],
        metrics={EVIL: EVIL, "rows": [{EVIL: EVIL}], "nested": {EVIL: {EVIL: 1}}},
        training={EVIL: {EVIL: EVIL}, "sets": {EVIL: {"cases": [EVIL], "licence": EVIL}}, "split": {"train": [EVIL]}},
        look={EVIL: EVIL},
        labels=[EVIL],
    )
    version = a_registered_version(card=card, title=EVIL[:120])
    enable_algorithm(campaign=team.campaign, algorithm=version, by=SYSTEM)
    clara = client_of(team["clara"])
    for address in ("/algorithms/tiny/1/", "/algorithms/", "/campaigns/team/settings/"):
        page = clara.get(address).content.decode()
        assert "<script>alert" not in page
        assert "{{ 7|add:7 }}" in page
        assert "&lt;script&gt;" in page


def test_card_of_any_shape_and_size_has_a_page():
    shapes = [None, [], {}, "text", 3, [[1, 2], "x"], {"a": [1, {"b": 2}]}, {"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}]
    for shape in shapes:
        card = {"name": "x", "labels": ["lung"], "training": shape, "metrics": shape, "notes": shape, "look": shape}
        for part in ("sets", "split"):
            card_view(Algorithm(entry="network", card={**card, "training": {part: shape}}))
        assert card_view(Algorithm(entry="network", card=card)).charts == []
    [table] = tables_of([{"case": f"P{n}", "dice": 0.5} for n in range(1000)])
    assert (len(table.rows), table.left_out) == (MOST_ROWS, 1000 - MOST_ROWS)


def test_figures_a_case_become_one_table_and_folds_another():
    found = tables_of(
        {
            "lesion_dice_mean": 0.71,
            "cases": {"P1": {"lung": 0.98, "lesion": 0.7}, "P2": {"lung": 0.97}},
            "folds": [{"fold": 1, "loss": 0.2}, {"fold": 2, "loss": None}],
        }
    )
    assert [(table.title, table.columns) for table in found] == [
        ("", ["Figure", "Value"]),
        ("Cases", ["", "lung", "lesion"]),
        ("Folds", ["fold", "loss"]),
    ]
    assert found[1].rows == [["P1", "0.980", "0.700"], ["P2", "0.970", ""]]
    assert found[2].rows == [["1", "0.200"], ["2", "–"]]
    assert found[1].heads == [("", False), ("lung", True), ("lesion", False)]
    assert found[2].lines[1] == [("2", True), ("–", False)]


def files_of(written) -> dict[str, SimpleUploadedFile]:
    return {
        "card": SimpleUploadedFile("tiny.json", written.read_bytes()),
        "weights": SimpleUploadedFile("tiny.safetensors", written.with_suffix(".safetensors").read_bytes()),
        "pictures": [
            SimpleUploadedFile("tiny-failure 1.png", a_png((4, 4))),
            SimpleUploadedFile("b.png", a_png((4, 5))),
        ],
        "curves": SimpleUploadedFile("tiny.curves.csv", CURVES.encode()),
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    from tests.factories.versions import write_version

    return write_version(tmp_path_factory.mktemp("tiny"))


def test_administrator_uploads_a_version(admin, written):
    answer = admin.post("/algorithms/", {**files_of(written), "title": "Our network"}, follow=True)
    assert answer.redirect_chain == [("/algorithms/tiny/1/", 302)]
    page = answer.content.decode()
    assert "Our network 1 is registered." in page
    assert 'alt="Failure 1"' in page
    assert 'alt="B"' in page
    made = Algorithm.objects.get(name="tiny")
    assert (made.title, made.registered_by_name, made.files.count()) == ("Our network", "Sam", 3)


def test_upload_that_does_not_fit_is_refused_on_the_page(admin, written, monkeypatch):
    card = json.loads(written.read_text()) | {"width": 2}
    sent = {**files_of(written), "card": SimpleUploadedFile("tiny.json", json.dumps(card).encode())}
    answer = admin.post("/algorithms/", sent)
    assert answer.status_code == 409
    assert "do not fit the network of their card" in answer.content.decode()
    monkeypatch.setattr("webapp.pages.algorithm_forms.WEIGHTS_BYTES", 10)
    answer = admin.post("/algorithms/", files_of(written))
    assert answer.status_code == 400
    assert "tiny.safetensors has more than" in answer.content.decode()
    assert not Algorithm.objects.exists()


def test_pages_are_not_there_for_who_coordinates_nothing(team, written):
    version = a_registered_version()
    [picture] = version.files.all()
    card = "/algorithms/tiny/1/"
    for name in ("robin", "otto", "mallory"):
        client = client_of(team[name])
        for address in ("/algorithms/", card, f"{card}pictures/{picture.sha256}.png"):
            assert client.get(address).status_code == 404
        assert client.post("/algorithms/", files_of(written)).status_code == 404
        for address in (f"{card}retire/", f"{card}patients/"):
            assert client.post(address, {"reason": "Because I can."}).status_code == 404
    clara = client_of(team["clara"])
    assert clara.post("/algorithms/", files_of(written)).status_code == 403
    assert clara.post(f"{card}retire/", {"confirm": "tiny 1", "reason": "I do not like it."}).status_code == 403
    assert clara.get("/algorithms/tiny/2/").status_code == 404
    version.refresh_from_db()
    assert version.retired_at is None


def test_retiring_asks_for_the_name_and_a_reason(team, admin):
    version = a_registered_version()
    address = "/algorithms/tiny/1/retire/"
    sentence = admin.post(address, {"confirm": "tiny", "reason": "It is old."}, follow=True).content.decode()
    assert "Nothing was changed: type tiny 1 to confirm." in sentence
    assert "Say why" in admin.post(address, {"confirm": "tiny 1", "reason": ""}, follow=True).content.decode()
    done = admin.post(address, {"confirm": "tiny 1", "reason": "There is a better one."}, follow=True).content.decode()
    assert "Tiny 1 is retired: it begins no new runs." in done
    assert 'It begins no new runs; what it made stays. <span class="muted">There is a better one.</span>' in done
    version.refresh_from_db()
    assert version.retired_at is not None


def test_patients_are_marked_by_the_address_of_a_case_or_a_scan(team, admin):
    a_registered_version()
    scan, address = team.case().scan, "/algorithms/tiny/1/patients/"
    clara = client_of(team["clara"])
    for named in ("team/7", "elsewhere/1", "1", "", "x\0y", "/scans/not-a-scan/", "team/" + "9" * 40):
        answer = clara.post(address, {"scan": named, "reason": "It is in the public set."}, follow=True)
        assert "there is no such case or scan" in answer.content.decode()
    sent = {"scan": "http://testserver/campaigns/team/cases/1/", "reason": "It is in the public set."}
    page = clara.post(address, sent, follow=True).content.decode()
    assert f"Patient {scan.study.patient} is marked" in page
    assert ">team/1</a>" in page
    refused = clara.post(address, {**sent, "do": "unmark"}, follow=True).content.decode()
    assert "Only an administrator" in refused
    other = a_team_elsewhere()
    assert "A patient whom you see no scan of" in other.get("/algorithms/tiny/1/").content.decode()
    taken_back = {"scan": f"/scans/{scan.pk}/", "reason": "Somebody of the same name.", "do": "unmark"}
    assert "is not marked any more" in admin.post(address, taken_back, follow=True).content.decode()


def a_team_elsewhere():
    """The browser of somebody who coordinates another campaign."""
    from tests.factories.sites import a_campaign

    return client_of(a_person("carol", a_campaign("elsewhere"), "coordinator"))
