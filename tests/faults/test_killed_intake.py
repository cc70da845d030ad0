"""kill -9 while scans come in: what was acknowledged is there, nothing is half-written, and the rest can follow."""

import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from tests.journeys.fixtures import slug_of
from tests.journeys.senders import (
    ListenerOf,
    batches,
    datasets,
    listening,
    long_series,
    orphans,
    scans,
    wait_until_filed,
)
from tests.journeys.site import Person, Site, wait_until

pytestmark = [pytest.mark.fault]
BOUNDARY = "gg"


@pytest.fixture
def coordinator(site: Site, request: pytest.FixtureRequest) -> Person:
    site.mend()
    return site.furnish(slug_of(request.node.name), "coordinator")["coordinator"]


@pytest.fixture
def slug(coordinator: Person) -> str:
    return coordinator.username.removesuffix("-coordinator")


@pytest.fixture
def listener(site: Site, slug: str) -> Iterator[ListenerOf]:
    with listening(site, slug) as one:
        yield one


def originals(site: Site, slug: str) -> list[dict]:
    return site.rows(
        "SELECT o.* FROM intake_original o JOIN intake_batch b ON b.id = o.batch_id"
        " JOIN campaigns_campaign c ON c.id = b.campaign_id WHERE c.slug = %s",
        slug,
    )


def sealed_files(site: Site, slug: str) -> list[Path]:
    return [path for batch in batches(site, slug) for path in (site.home / "quarantine" / str(batch["id"])).iterdir()]


def test_listener_killed_in_mid_association_keeps_what_it_answered(site: Site, slug: str, listener: ListenerOf) -> None:
    images = datasets(long_series(120, 11))
    association = listener.associate()
    answered = 0
    for image in images:
        if answered == 30:
            site.end(listener.name)
        try:
            status = association.send_c_store(image)
        except (RuntimeError, ValueError):
            break
        if "Status" not in status or status.Status != 0:
            break
        answered += 1
    assert 30 <= answered < 120, "the listener was killed too late for this test to mean anything"
    (batch,) = batches(site, slug)
    assert (batch["state"], batch["sent_whole"]) == ("receiving", False)
    assert batch["file_count"] >= answered
    kept = originals(site, slug)
    assert all(row["whole"] for row in kept)
    assert {path.stem for path in sealed_files(site, slug)} >= {row["key"] for row in kept}
    listener.start()
    again = listener.associate()
    for image in images:
        assert again.send_c_store(image).Status == 0
    again.release()
    scan = wait_until_filed(site, slug)
    assert scan["shape_zyx"][0] == 120
    (batch,) = batches(site, slug)
    assert batch["file_count"] == 120


@pytest.mark.slow
def test_worker_killed_in_mid_filing_files_the_scan_once(site: Site, slug: str, coordinator: Person) -> None:
    folder = long_series(300, 12)
    site.end("worker")
    assert store(site, coordinator, slug, folder).status_code == 200
    site.start_worker()
    wait_until(
        "the batch is being checked",
        lambda: [batch["state"] for batch in batches(site, slug)] == ["processing"],
        pause_s=0.01,
    )
    site.end("worker")
    (batch,) = batches(site, slug)
    assert batch["state"] == "processing", "the worker was killed too late for this test to mean anything"
    assert scans(site, slug) == []
    site.start_worker()
    scan = wait_until_filed(site, slug)
    assert scan["shape_zyx"][0] == 300
    assert len(scans(site, slug)) == 1
    lines = site.rows("SELECT * FROM intake_seriesline WHERE batch_id = %s", batch["id"])
    assert [line["state"] for line in lines] == ["accepted"]
    files = {slab["path"] for slab in scan["slabs"]}
    assert all((site.home / "archive" / path).exists() for path in files)
    # What the killed filing left is no scan's; `archive sweep` removes it when it is old.
    assert all(path.name != str(scan["id"]) for path in orphans(site))


def test_command_killed_in_mid_filing_takes_its_second_process_along_and_files_nothing(
    site: Site, slug: str, coordinator: Person
) -> None:
    folder = long_series(300, 14)
    before = {path.name for path in orphans(site)}
    site.launch("ingest", "manage.py", "ingest", str(folder), "--campaign", slug)
    command = psutil.Process(site.processes["ingest"].pid)

    def filing_in_a_fork() -> list[psutil.Process]:
        begun = [path for path in orphans(site) if path.name not in before]
        # The fork that seals is gone by then: what is there now is the one that files.
        return command.children(recursive=True) if any(next(path.rglob("*.dcm"), None) for path in begun) else []

    others = wait_until("a fork files images", filing_in_a_fork, pause_s=0.01)
    command.kill()  # it alone: a fork of it is not told
    site.processes.pop("ingest").wait()
    assert psutil.wait_procs(others, timeout=30)[1] == []
    assert scans(site, slug) == []
    assert "1 accepted, 0 refused" in site.ingest(folder, slug=slug).stdout
    (scan,) = scans(site, slug)
    assert scan["shape_zyx"][0] == 300
    assert all(path.name != str(scan["id"]) for path in orphans(site))


def test_web_killed_in_the_middle_of_a_store_keeps_whole_images_alone(
    site: Site, slug: str, coordinator: Person
) -> None:
    folder = long_series(200, 13)
    outcome: list[object] = []

    def send() -> None:
        try:
            outcome.append(store(site, coordinator, slug, folder, slowly=True))
        except requests.RequestException as error:
            outcome.append(error)

    sending = threading.Thread(target=send)
    sending.start()
    wait_until("some images are there", lambda: len(originals(site, slug)) > 5, pause_s=0.02)
    site.end("web")
    sending.join()
    assert isinstance(outcome[0], requests.RequestException), "the request was answered before the server was killed"
    (batch,) = batches(site, slug)
    assert (batch["state"], batch["sent_whole"]) == ("receiving", False)
    assert 5 < batch["file_count"] < 200
    site.start_web()
    assert store(site, coordinator, slug, folder).status_code == 200
    assert wait_until_filed(site, slug)["shape_zyx"][0] == 200
    assert len(batches(site, slug)) == 1


def store(site: Site, by: Person, slug: str, folder: Path, slowly: bool = False) -> requests.Response:
    """A STOW-RS request of a folder, its body in chunks."""
    pause = threading.Event()

    def body() -> Iterator[bytes]:
        for path in sorted(folder.iterdir()):
            if slowly:
                pause.wait(0.02)
            yield f"\r\n--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode() + path.read_bytes()
        yield f"\r\n--{BOUNDARY}--\r\n".encode()

    return requests.post(
        f"{site.address}/dicomweb/{slug}/studies",
        data=body(),
        headers={"Content-Type": f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'},
        auth=(by.username, by.password),
        timeout=300,
    )
