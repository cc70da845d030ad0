"""Versions: registered whole or not at all, never changed, retired with a reason."""

import hashlib
import io
import json
import shutil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, ProgrammingError, connection, transaction

from inference.phantoms.chest import make_phantom
from tests.factories.pictures import a_png
from tests.factories.sites import a_campaign, a_person, a_scan
from tests.factories.versions import a_registered_version, write_version
from webapp.algorithms.actions import request_draft
from webapp.algorithms.models import Algorithm, AlgorithmFile, DraftRun, TrainingScan
from webapp.algorithms.shipped import SHIPPED, register_files, register_shipped
from webapp.algorithms.version_actions import register_version, retire_version
from webapp.archive import storage
from webapp.archive.upkeep import damaged_files
from webapp.audit.actor import SYSTEM
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused
from webapp.campaigns.actions import add_case, create_campaign
from webapp.masks.presets import study_label_set

pytestmark = pytest.mark.django_db


def events(name: str) -> list[dict]:
    return [event.content["details"] for event in Event.objects.filter(name=name).order_by("pk")]


def test_version_is_registered_with_what_lies_beside_its_card(written):
    out = io.StringIO()
    call_command("algorithms", "register", str(written), stdout=out)
    made = Algorithm.objects.get(name="tiny")
    weights = written.with_suffix(".safetensors").read_bytes()
    assert (made.title, made.entry, made.weights_sha256) == ("Tiny", "network", hashlib.sha256(weights).hexdigest())
    assert made.card == json.loads(written.read_text())
    assert made.curves["columns"][0] == "epoch"
    assert [row[0] for row in made.curves["rows"]] == [1, 2, 3]
    assert made.curves["rows"][0][6] is None
    stored = {(one.kind, one.name): storage.read(one.path, one.sha256) for one in made.files.all()}
    assert set(stored) == {("weights", ""), ("picture", "failure-1")}
    assert stored["weights", ""] == weights
    [event] = events("algorithm.registered")
    assert event["weights_sha256"] == made.weights_sha256
    assert "non-commercial" in event["licence"]
    out = io.StringIO()
    call_command("algorithms", "list", stdout=out)
    assert f"tiny                             1          {made.weights_sha256[:12]}  Tiny\n" == out.getvalue()


def test_same_version_again_changes_nothing_and_another_under_its_name_is_refused(written, tmp_path, unchecked):
    first = register_files(written, by=SYSTEM)
    assert register_files(written, by=SYSTEM) == first
    assert [event["already_there"] for event in events("algorithm.registered")] == [False, True]
    other = json.loads(written.read_text()) | {"notes": ["Better than ever."]}
    shutil.copy(written.with_suffix(".safetensors"), tmp_path / "tiny.safetensors")
    (tmp_path / "tiny.json").write_text(json.dumps(other))
    with pytest.raises(ActionRefused, match="registered with another card"):
        register_files(tmp_path / "tiny.json", by=SYSTEM)
    content = b"other weights"
    (tmp_path / "tiny.safetensors").write_bytes(content)
    (tmp_path / "tiny.json").write_text(json.dumps(other | {"weights_sha256": hashlib.sha256(content).hexdigest()}))
    with pytest.raises(CommandError, match="registered with other weights"):
        call_command("algorithms", "register", str(tmp_path / "tiny.json"))
    assert Algorithm.objects.get(name="tiny").card == json.loads(written.read_text())
    assert AlgorithmFile.objects.count() == 2


def test_weights_that_are_not_those_of_the_card_leave_nothing(written, tmp_path, unchecked):
    shutil.copy(written, tmp_path / "tiny.json")
    (tmp_path / "tiny.safetensors").write_bytes(b"changed")
    with pytest.raises(ActionRefused, match="changed while they were being read"):
        register_files(tmp_path / "tiny.json", by=SYSTEM)
    assert not Algorithm.objects.exists()
    assert not AlgorithmFile.objects.exists()


def test_missing_weights_and_cards_are_named(tmp_path, written):
    shutil.copy(written, tmp_path / "tiny.json")
    with pytest.raises(CommandError, match=r"There is no tiny\.safetensors: card and weights lie beside each other"):
        call_command("algorithms", "register", str(tmp_path / "tiny.json"))
    (tmp_path / "none.safetensors").write_bytes(b"")
    with pytest.raises(CommandError, match=r"There is no none\.json"):
        call_command("algorithms", "register", str(tmp_path / "none.json"))


def test_what_ships_is_registered_once(tmp_path, written):
    for path in written.parent.iterdir():
        shutil.copy(path, tmp_path / path.name)
    assert [one.name for one in register_shipped(by=SYSTEM, folder=tmp_path)] == ["classical-baseline", "tiny"]
    assert register_shipped(by=SYSTEM, folder=tmp_path) == []
    assert len(events("algorithm.registered")) == 2


def test_weights_that_ship_can_be_registered():
    call_command("algorithms", "shipped", stdout=io.StringIO())
    shipped = {path.stem for path in SHIPPED.glob("*.json")}
    assert set(Algorithm.objects.values_list("name", flat=True)) == shipped | {"classical-baseline"}


def test_only_administrators_register_and_retire(written, unchecked):
    from webapp.algorithms.submitted import checked

    campaign = a_campaign()
    clara = a_person("clara", campaign, "coordinator")
    with written.with_suffix(".safetensors").open("rb") as weights:
        submitted = checked(card=written.read_bytes(), weights=weights)
        with pytest.raises(ActionRefused, match="Only an administrator"):
            register_version(submitted=submitted, by=clara)
    with pytest.raises(ActionRefused, match="Only an administrator"):
        retire_version(algorithm=campaign.draft_algorithm, reason="I do not like it", by=clara)


def test_retired_version_begins_no_new_run_and_keeps_what_it_made():
    campaign = a_campaign()
    algorithm = campaign.draft_algorithm
    scan = a_scan(make_phantom(1, shape_zyx=(6, 32, 32)))
    run = request_draft(scan=scan, algorithm=algorithm, label_set=campaign.label_set, by=SYSTEM)
    with pytest.raises(ActionRefused, match="Say why"):
        retire_version(algorithm=algorithm, reason="bad", by=SYSTEM)
    call_command(
        "algorithms", "retire", algorithm.name, algorithm.version, "--reason", "Misses consolidation.",
        stdout=io.StringIO(),
    )  # fmt: skip
    algorithm.refresh_from_db()
    assert algorithm.retired_reason == "Misses consolidation."
    assert DraftRun.objects.filter(pk=run.pk).exists()
    other = a_scan(make_phantom(2, shape_zyx=(6, 32, 32)))
    with pytest.raises(ActionRefused, match=r"was retired on .*Misses consolidation"):
        request_draft(scan=other, algorithm=algorithm, label_set=campaign.label_set, by=SYSTEM)
    with pytest.raises(ActionRefused, match="was retired"):
        create_campaign(slug="more", name="More", label_set=study_label_set(), draft_algorithm=algorithm, by=SYSTEM)
    case = add_case(campaign=campaign, scan=other, by=SYSTEM)
    assert not DraftRun.objects.filter(scan=case.scan).exists()
    with pytest.raises(ActionRefused, match="retired already"):
        retire_version(algorithm=algorithm, reason="once more", by=SYSTEM)
    assert [event["reason"] for event in events("algorithm.retired")] == ["Misses consolidation."]


def test_files_of_versions_are_looked_after_with_those_of_scans(db):
    version = a_registered_version()
    [picture] = version.files.all()
    assert list(damaged_files()) == []
    path = Path(storage.default_storage.path(picture.path))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    [sentence] = damaged_files()
    assert sentence.startswith(f"Algorithm {version}, the picture failure-1: ")
    assert "checksum differs" in sentence


def test_database_refuses_networks_without_weights_and_changed_files(site_role):
    with pytest.raises(IntegrityError), transaction.atomic():
        Algorithm.objects.create(name="x", version="1", title="X", entry="network")
    version = a_registered_version()
    TrainingScan.objects.create(algorithm=version, voxels_sha256="0" * 64, role="train")
    for table in ("algorithms_algorithmfile", "algorithms_trainingscan"):
        with site_role(), pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            connection.cursor().execute(f"UPDATE {table} SET algorithm_id = algorithm_id")


def test_title_and_pictures_are_the_senders_to_choose(tmp_path, unchecked):
    card = write_version(tmp_path, pictures=False, name="my-net")
    for name in ("my-net-b.png", "my-net-a 1.png", "other.png"):
        (tmp_path / name).write_bytes(a_png((8, 8)))
    made = register_files(card, by=SYSTEM, title="Our own")
    assert str(made) == "Our own 1"
    assert [one.name for one in made.files.filter(kind="picture")] == ["a-1", "b"]
