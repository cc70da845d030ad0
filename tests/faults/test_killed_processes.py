"""kill -9 in the middle of work: every acknowledged stroke is there afterwards, none is doubled, drafts come once."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.journeys.fixtures import small_phantom
from tests.journeys.formats import replay
from tests.journeys.site import Person, Site, wait_until
from tests.journeys.viewer import Reader

pytestmark = [pytest.mark.fault, pytest.mark.browser, pytest.mark.xdist_group("site")]


def _begin(
    reader: Reader, slug: str
) -> tuple[dict[str, NDArray[np.uint8]], Callable[[int], list[tuple[int, int]]], dict[str, Any]]:
    """Start reading; the draft, a function that gives the n-th of several paths beside each other, and the scan."""
    reader.sign_in()
    reader.start_reading(slug, 1)
    scan = reader.api()["scan"]
    reader.take("brush")
    view = reader.view("axial")
    _, ny, nx = scan["shape_zyx"]
    radius_mm = reader.handle("g.brushMm") / 2

    def path(n: int) -> list[tuple[int, int]]:
        spot = (nx * (0.2 + 0.12 * n), ny * (0.15 if n % 2 else 0.85))
        return reader.path_near(view, spot, radius_mm, scan, steps=2)

    return reader.stored_layers(), path, scan


def _check_nothing_lost_or_doubled(reader: Reader, draft: dict[str, NDArray[np.uint8]], strokes: int) -> None:
    """The server's log holds each stroke of this tab once, in order, and replays to the stored mask."""
    reader.wait_until_saved()
    mine = reader.handle("g.strokes.map(s => s.id)")
    stored = reader.stored_strokes()
    assert [stroke["id"] for stroke in stored] == mine
    assert len(set(mine)) == strokes
    assert [stroke["stroke_sequence"] for stroke in stored] == list(range(1, strokes + 1))
    layers = reader.stored_layers()
    for name, layer in replay(draft, stored).items():
        assert (layers[name] == layer).all(), name
    assert not reader.troubles, reader.troubles


def test_web_process_killed_between_two_strokes_loses_none(
    site: Site, open_tab: Callable[[Person], Reader], phantom_case: tuple[str, dict[str, Person]]
) -> None:
    slug, people = phantom_case
    reader = open_tab(people["radiologist"])
    draft, path, _ = _begin(reader, slug)
    reader.paint(path(0))
    reader.wait_until_saved()
    site.end("web")
    reader.paint(path(1))
    reader.paint(path(2))
    reader.wait_for_handle("g.saving.kind === 'offline' && g.saving.count === 2")
    site.start_web()
    _check_nothing_lost_or_doubled(reader, draft, 3)
    reader.open_reading(reader.reading_id)
    layers = reader.stored_layers()
    assert reader.lesion_voxels() == int((layers["findings"] == 1).sum())


def test_web_process_killed_while_strokes_are_under_way_loses_no_acknowledged_one(
    site: Site, open_tab: Callable[[Person], Reader], phantom_case: tuple[str, dict[str, Person]]
) -> None:
    slug, people = phantom_case
    reader = open_tab(people["radiologist"])
    draft, path, _ = _begin(reader, slug)
    for n in range(4):
        reader.paint(path(n))
    before = reader.acknowledged()
    site.end("web")
    site.start_web()
    stored = [stroke["id"] for stroke in reader.stored_strokes()]
    assert set(before) <= set(stored)
    _check_nothing_lost_or_doubled(reader, draft, 4)


def test_database_killed_in_mid_run_loses_no_stroke(
    site: Site, open_tab: Callable[[Person], Reader], phantom_case: tuple[str, dict[str, Person]]
) -> None:
    slug, people = phantom_case
    reader = open_tab(people["radiologist"])
    draft, path, _ = _begin(reader, slug)
    reader.paint(path(0))
    reader.wait_until_saved()
    acknowledged = reader.acknowledged()
    reader.paint(path(1))
    site.kill_database()
    reader.paint(path(2))
    site.start_database()
    site.mend_worker()
    stored = wait_until(
        "the strokes painted meanwhile are stored",
        lambda: (now := reader.stored_strokes_or_none()) and len(now) == 3 and now,
    )
    assert acknowledged[0] == stored[0]["id"]
    _check_nothing_lost_or_doubled(reader, draft, 3)


def test_worker_killed_during_a_draft_another_attempt_finishes_it_once(site: Site) -> None:
    slug = "killed-worker"
    site.furnish(slug, "coordinator", "radiologist")
    site.end("worker")
    site.ingest(small_phantom(31, (80, 224, 224)), slug=slug)
    assert [run["state"] for run in site.drafts(slug)] == ["queued"]
    site.start_worker()
    wait_until(
        "the draft has begun",
        lambda: [run["attempts"] for run in site.drafts(slug)] == [1],
        pause_s=0.01,
    )
    site.end("worker")
    (run,) = site.drafts(slug)
    assert run["state"] == "running", "the worker was killed too late for this test to mean anything"
    site.start_worker()
    (run,) = site.wait_for_drafts(slug)
    assert run["attempts"] == 2
    masks = site.rows("SELECT id FROM masks_mask WHERE scan_id = %s", run["scan_id"])
    versions = site.rows("SELECT number FROM masks_version WHERE mask_id = %s", run["mask_id"])
    assert [mask["id"] for mask in masks] == [run["mask_id"]], "one draft is visible, not two"
    assert [version["number"] for version in versions] == [1]
