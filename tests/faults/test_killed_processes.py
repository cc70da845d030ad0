"""kill -9 in the middle of work: every acknowledged stroke is there afterwards, none is doubled, drafts come once."""

from collections.abc import Callable

import pytest

from tests.faults.promise import begin, check_kept, check_screen
from tests.journeys.fixtures import small_phantom
from tests.journeys.site import Person, Site, wait_until
from tests.journeys.viewer import Reader

pytestmark = [pytest.mark.fault, pytest.mark.browser]


def test_web_process_killed_in_the_middle_of_a_stroke_loses_none(
    site: Site, open_tab: Callable[[Person], Reader], phantom_case: tuple[str, dict[str, Person]]
) -> None:
    slug, people = phantom_case
    painter = begin(open_tab(people["radiologist"]), slug)
    reader = painter.reader
    painter.paint(0)
    reader.wait_until_saved()
    path = painter.path(1)
    reader.drag(path[:2], release=False)
    site.end("web")
    reader.page.mouse.move(*path[2])
    reader.page.mouse.up()
    painter.paint(2)
    reader.wait_for_handle("g.saving.kind === 'offline' && g.saving.count === 2")
    site.start_web()
    check_kept(painter, 3)
    reader.open_reading(reader.reading_id)
    check_screen(reader)


def test_web_process_killed_while_strokes_are_under_way_loses_no_acknowledged_one(
    site: Site, open_tab: Callable[[Person], Reader], phantom_case: tuple[str, dict[str, Person]]
) -> None:
    slug, people = phantom_case
    painter = begin(open_tab(people["radiologist"]), slug)
    painter.paint(0, 1, 2, 3)
    before = painter.reader.acknowledged()
    site.end("web")
    site.start_web()
    stored = [stroke["id"] for stroke in painter.reader.stored_strokes()]
    assert set(before) <= set(stored)
    check_kept(painter, 4)


def test_database_killed_in_mid_run_loses_no_stroke(
    site: Site, open_tab: Callable[[Person], Reader], phantom_case: tuple[str, dict[str, Person]]
) -> None:
    slug, people = phantom_case
    painter = begin(open_tab(people["radiologist"]), slug)
    reader = painter.reader
    painter.paint(0)
    reader.wait_until_saved()
    acknowledged = reader.acknowledged()
    painter.paint(1)
    site.kill_database()
    painter.paint(2)
    site.start_database()
    # It ends as soon as it notices, which may be a while, and a real site's supervisor starts another.
    site.end("worker")
    site.start_worker()
    stored = wait_until(
        "the strokes painted meanwhile are stored",
        lambda: (now := reader.stored_strokes_or_none()) and len(now) == 3 and now,
    )
    assert acknowledged[0] == stored[0]["id"]
    check_kept(painter, 3)


@pytest.mark.slow  # tests/webapp/algorithms/test_workers.py has the same of two workers
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
