"""Networks in the worker: weights from storage, checked; a draft end to end; what cannot run says why on its case."""

import math
from pathlib import Path

import numpy as np
import pytest

from tests.factories.filed import a_filed_scan
from tests.factories.sites import a_campaign
from webapp.algorithms import loading
from webapp.algorithms.loading import NotLoaded, loaded
from webapp.algorithms.models import Algorithm, DraftRun
from webapp.algorithms.shipped import register_files
from webapp.archive import storage
from webapp.audit.actor import SYSTEM
from webapp.audit.models import Event
from webapp.campaigns.actions import add_case
from webapp.campaigns.algorithm_actions import enable_algorithm, use_for_drafts
from webapp.masks.queries import version_layers

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(db, written, unchecked, settings, tmp_path) -> Algorithm:
    """A registered network, in a worker whose folder is empty."""
    settings.GROUNDGLASS_HOME, settings.GROUNDGLASS_DEVICE = tmp_path / "home", "cpu"
    loading._network.cache_clear()
    yield register_files(written, by=SYSTEM)
    loading._network.cache_clear()


def damage(version: Algorithm) -> None:
    stored = Path(storage.default_storage.path(version.files.get(kind="weights").path))
    stored.write_bytes(b"x" + stored.read_bytes()[1:])


def draft_of(tmp_path: Path, version: Algorithm, run_jobs) -> DraftRun:
    campaign = a_campaign()
    enable_algorithm(campaign=campaign, algorithm=version, by=SYSTEM)
    campaign = use_for_drafts(campaign=campaign, algorithm=version, by=SYSTEM)
    scan, _, _ = a_filed_scan(tmp_path)
    add_case(campaign=campaign, scan=scan, by=SYSTEM)
    run_jobs()
    return DraftRun.objects.get(scan=scan)


def test_network_drafts_a_case_and_its_draft_says_with_what(version, tmp_path, run_jobs):
    run = draft_of(tmp_path, version, run_jobs)
    assert (run.state, run.failure_sentence) == ("finished", "")
    layers = version_layers(run.mask.versions.get(number=1))
    # This network says lung and lesion of every voxel.
    assert (layers["findings"] == 1).sum() == (layers["anatomy"] > 0).sum() > 0
    assert set(np.unique(layers["anatomy"])) <= {0, 1, 2}
    assert (run.device, run.options["threshold"]) == ("cpu", 0.5)
    event = Event.objects.get(name="draft.finished").content["details"]
    assert event["weights_sha256"] == run.weights_sha256 == version.weights_sha256
    # Of every voxel it is as sure as its answer, 4.0, makes it: p = 0.982.
    p, voxels = 1 / (1 + math.exp(-4)), 14 * 32 * 32
    millilitre = 1 / (20.0 * 7.0 * 6.5 / 1000 * 48 * 64 / 32**2)
    expected = (2 * p * voxels + millilitre) / ((p + 1) * voxels + millilitre)
    assert run.uncertainty == pytest.approx(1 - expected, abs=0.0005)


def test_network_is_loaded_once_and_its_copy_is_checked(version, settings, monkeypatch):
    first = loaded(version)
    assert first.identity()["weights_sha256"] == version.weights_sha256
    assert loaded(version) is first
    [copy] = (settings.GROUNDGLASS_HOME / "weights").glob("*.safetensors")
    copy.write_bytes(b"damaged meanwhile")
    loading._network.cache_clear()
    assert loaded(version).identity() == first.identity()
    assert copy.stat().st_size > 100
    # From now on without storage.
    monkeypatch.setattr(storage, "read", None)
    loading._network.cache_clear()
    assert loaded(version).identity() == first.identity()


def test_damaged_weights_are_told_on_the_case(version, tmp_path, run_jobs):
    damage(version)
    run = draft_of(tmp_path, version, run_jobs)
    assert run.state == "failed"
    assert "The weights of Tiny 1 cannot be read from storage" in run.failure_sentence
    assert "checksum differs" in run.failure_sentence


def test_device_that_is_not_there_is_told(version, settings):
    settings.GROUNDGLASS_DEVICE = "cuda:99"
    with pytest.raises(NotLoaded, match=r"Tiny 1 cannot run in this worker: .*no GPU for 'cuda:99'"):
        loaded(version)


def test_baseline_runs_on_any_workers_cpu_in_the_version_of_this_release(settings):
    settings.GROUNDGLASS_DEVICE = "cuda:1"
    baseline = a_campaign().draft_algorithm
    assert (loaded(baseline).device, loaded(baseline).weights_sha256) == ("cpu", None)
    baseline.version = "0"
    with pytest.raises(NotLoaded, match="came with another release"):
        loaded(baseline)
