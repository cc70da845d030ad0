"""What a version knows from its training: its own scans, every scan of their patients, and patients marked by hand."""

import pytest

from inference.phantoms.chest import make_phantom
from tests.factories.sites import a_person, a_scan, a_team, client_of, sign
from tests.factories.versions import a_registered_version
from webapp.algorithms.models import MarkedPatient, TrainingScan
from webapp.algorithms.training_sets import (
    known_among,
    known_scans,
    refusal_for_validation,
    versions_that_know,
    why_known,
)
from webapp.archive.models import Scan
from webapp.audit.actor import SYSTEM
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused
from webapp.campaigns.algorithm_actions import mark_patient, unmark_patient
from webapp.readings.actions import start_reading
from webapp.readings.models import Reference
from webapp.releases.exports import facts_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def scans() -> list[Scan]:
    """Scans of three patients; the second and third are of one patient."""
    made = [a_scan(make_phantom(seed, shape_zyx=(6, 32, 32))) for seed in range(4)]
    made[2].study = made[1].study
    made[2].save()
    return made


def train_on(version, scan: Scan, role: str = "train") -> None:
    TrainingScan.objects.create(
        algorithm=version, voxels_sha256=scan.voxels_sha256, role=role, data_set="covid20", case_name="C7"
    )


def test_scans_of_trained_patients_are_known_and_no_others(scans):
    version, other = a_registered_version(), a_registered_version(name="other", weights_sha256="cd" * 32)
    train_on(version, scans[1])
    train_on(other, scans[3], "tune")
    assert set(known_scans(version.pk)) == {scans[1], scans[2]}
    assert known_among(version.pk, [scans[0].pk, scans[2].pk]) == {scans[2].pk}
    assert why_known(version, scans[1]) == "this scan was trained on (covid20 C7)"
    assert why_known(version, scans[2]) == "another scan of this patient was trained on (covid20 C7)"
    assert why_known(other, scans[3]) == "this scan was tuned on (covid20 C7)"
    assert why_known(version, scans[3]) == why_known(version, scans[0]) == ""
    assert refusal_for_validation(version, scans[0]) is None
    refusal = refusal_for_validation(version, scans[2])
    assert refusal is not None
    assert refusal.sentence == (
        "Tiny 1 is not validated on this case: it is in its training data (another scan of this patient was "
        "trained on (covid20 C7))."
    )
    assert versions_that_know(scans[1]) == [version]
    assert versions_that_know(scans[0]) == []


def test_deleted_scan_still_makes_its_patient_known(scans):
    version = a_registered_version()
    train_on(version, scans[1])
    Scan.ever.filter(pk=scans[1].pk).update(deleted_at="2026-01-01T00:00:00Z", deletion_reason="sent by mistake")
    assert set(known_scans(version.pk)) == {scans[2]}


def test_patients_are_marked_by_hand_with_a_reason_and_taken_back_by_administrators(scans):
    version = a_registered_version()
    team = a_team("ai_check")
    scan = team.case().scan
    for person in ("robin", "otto", "mallory"):
        with pytest.raises(ActionRefused, match="Only a coordinator"):
            mark_patient(algorithm=version, scan=scan, reason="It is in the public set.", by=team[person])
    with pytest.raises(ActionRefused, match="Only a coordinator"):
        mark_patient(algorithm=version, scan=scans[0], reason="Of another campaign.", by=team["clara"])
    with pytest.raises(ActionRefused, match="Say why"):
        mark_patient(algorithm=version, scan=scan, reason="x", by=team["clara"])
    mark_patient(algorithm=version, scan=scan, reason="It is in the public set.", by=team["clara"])
    assert why_known(version, scan).endswith(": It is in the public set")
    assert "marked by Clara" in why_known(version, scan)
    with pytest.raises(ActionRefused, match="marked as known to Tiny 1 already"):
        mark_patient(algorithm=version, scan=scan, reason="Once more, please.", by=SYSTEM)
    with pytest.raises(ActionRefused, match="Only an administrator"):
        unmark_patient(algorithm=version, scan=scan, reason="I was wrong.", by=team["clara"])
    unmark_patient(algorithm=version, scan=scan, reason="Another patient of that name.", by=SYSTEM)
    assert not MarkedPatient.objects.exists()
    told = Event.objects.filter(name__startswith="algorithm.patient").order_by("pk")
    assert [(event.name, event.subject) for event in told] == [
        ("algorithm.patient_marked", "algorithm:tiny@1"),
        ("algorithm.patient_unmarked", "algorithm:tiny@1"),
    ]


def test_drafts_of_known_cases_are_marked_and_rows_of_tables_say_for_whom(settings):
    team = a_team("ai_check", cases=2)
    baseline, case = team.campaign.draft_algorithm, team.case()
    client = client_of(team["robin"])
    address = f"/campaigns/team/cases/{case.number}/"
    assert "training data" not in client.get(address).content.decode()
    assert "training data" not in client.get("/campaigns/team/").content.decode()
    train_on(baseline, case.scan)
    page = client.get(address).content.decode()
    assert "this case is in its training data" in page
    assert (
        "Classical baseline 1 is not validated on this case: it is in its training data (this scan was trained" in page
    )
    assert client.get("/campaigns/team/").content.decode().count("in training data</span>") == 1
    assert "training data" not in client.get("/campaigns/team/cases/2/").content.decode()
    reading = start_reading(case=case, by=team["robin"])
    sign(reading)
    facts = facts_of(reading)
    assert facts["in_training_data_of"] == facts["draft_algorithm"] == "Classical baseline 1"
    assert Reference.objects.get(case=case).began_from_draft
    signed = client.get(address).content.decode()
    assert "from the draft of Classical baseline 1: agreement with it is biased" in signed


def test_draft_that_is_hidden_says_nothing_of_its_training(settings):
    team = a_team("double_reading", hides_ai=True)
    case = team.case()
    train_on(team.campaign.draft_algorithm, case.scan)
    page = client_of(a_person("rita", team.campaign, "radiologist")).get(f"/campaigns/team/cases/{case.number}/")
    assert "training data" not in page.content.decode()
