"""Foreign clients send a series each in their way: it is a case a moment later, voxel for voxel."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from dicomweb_client.api import DICOMwebClient
from dicomweb_client.session_utils import create_session_from_user_pass

from inference.imaging.dicom import volume_from_files
from tests.dcmtk import dcmtk
from tests.journeys.fixtures import slug_of, small_phantom
from tests.journeys.senders import (
    TITLE,
    ListenerOf,
    batches,
    datasets,
    listening,
    long_series,
    our_python_module,
    wait_until_filed,
)
from tests.journeys.site import Site, wait_until

pytestmark = [pytest.mark.journey]


@pytest.fixture
def slug(site: Site, request: pytest.FixtureRequest) -> str:
    """A campaign of this test's own."""
    site.mend()
    slug = slug_of(request.node.name)
    site.furnish(slug, "coordinator")
    return slug


@pytest.fixture
def listener(site: Site, slug: str) -> Iterator[ListenerOf]:
    """A listener for the campaign."""
    with listening(site, slug) as one:
        yield one


def voxels_sha256(folder: Path) -> str:
    return volume_from_files(sorted(folder.iterdir())).volume.voxels_sha256()


def test_dicomweb_client_stores_300_images_in_one_request(site: Site, slug: str) -> None:
    folder = long_series()
    incoming = site.home / "quarantine" / "incoming"
    # What a process killed by an earlier test left goes later, by the site's own clearing.
    before = set(incoming.glob("*"))
    coordinator = site.furnish(f"{slug[:30]}-http", "coordinator")["coordinator"]
    session = create_session_from_user_pass(coordinator.username, coordinator.password)
    client = DICOMwebClient(f"{site.address}/dicomweb/{slug[:30]}-http", session=session)
    images = datasets(folder)
    answer = client.store_instances(images)
    stored = [str(item.ReferencedSOPInstanceUID) for item in answer.ReferencedSOPSequence]
    assert stored == [str(image.SOPInstanceUID) for image in images]
    assert "FailedSOPSequence" not in answer
    scan = wait_until_filed(site, f"{slug[:30]}-http")
    assert scan["shape_zyx"][0] == 300
    assert scan["voxels_sha256"] == voxels_sha256(folder)
    (batch,) = batches(site, f"{slug[:30]}-http")
    assert (batch["source"], batch["file_count"]) == ("stow", 300)
    assert set(incoming.iterdir()) - before == set()


def test_pynetdicoms_tools_echo_and_store(site: Site, slug: str, listener: ListenerOf) -> None:
    echo = listener.run(*our_python_module("echoscu"), "-aec", TITLE)
    assert echo.returncode == 0, echo.stderr
    command = [*our_python_module("storescu"), "-aec", TITLE, "127.0.0.1", str(listener.port), str(small_phantom(41))]
    store = subprocess.run([*command, "-r"], capture_output=True, text=True, timeout=300, check=False)
    assert store.returncode == 0, store.stderr
    scan = wait_until_filed(site, slug)
    assert scan["voxels_sha256"] == voxels_sha256(small_phantom(41))
    assert "40 stored, 0 refused" in listener.said()


def test_dcmtks_tools_echo_and_store(site: Site, slug: str, listener: ListenerOf) -> None:
    assert listener.run(dcmtk("echoscu"), "-aec", TITLE).returncode == 0
    assert listener.run(dcmtk("echoscu"), "-aec", "ELSEWHERE").returncode != 0
    command = [dcmtk("storescu"), "-aec", TITLE, "-aet", "DCMTK", "+sd", "127.0.0.1", str(listener.port)]
    store = subprocess.run([*command, str(small_phantom(42))], capture_output=True, text=True, timeout=300, check=False)
    assert store.returncode == 0, store.stderr
    scan = wait_until_filed(site, slug)
    assert scan["voxels_sha256"] == voxels_sha256(small_phantom(42))
    assert batches(site, slug)[0]["sender"] == "DCMTK"


def test_dcmtk_sends_compressed_images_as_they_are(site: Site, slug: str, listener: ListenerOf) -> None:
    data = os.environ.get("GROUNDGLASS_DATA")
    if not data:
        pytest.skip("GROUNDGLASS_DATA is not set: no compressed scan is here")
    folder = Path(data).resolve() / "dicom" / "covidctmd-normal001"
    command = [dcmtk("storescu"), "-aec", TITLE, "-xs", "+sd", "+r", "127.0.0.1", str(listener.port), str(folder)]
    store = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert store.returncode == 0, store.stderr[-2000:]
    assert wait_until_filed(site, slug)["shape_zyx"][0] == 154


def test_watched_folder_is_emptied_into_the_campaign(site: Site, slug: str, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    site.launch("watch", "manage.py", "watch_folder", str(inbox), "--campaign", slug, "--quiet", "1")
    try:
        shutil.copytree(small_phantom(43), inbox / "from the scanner")
        scan = wait_until_filed(site, slug)
        wait_until("the folder is empty", lambda: not list(inbox.iterdir()))
    finally:
        site.end("watch")
    assert scan["voxels_sha256"] == voxels_sha256(small_phantom(43))


def test_what_is_filed_is_the_same_whichever_way_it_came(site: Site, slug: str, listener: ListenerOf) -> None:
    """One scan in one archive: the second way in recognises it, and its case is one more campaign's."""
    association = listener.associate()
    for image in datasets(small_phantom(44)):
        assert association.send_c_store(image).Status == 0
    association.release()
    scan = wait_until_filed(site, slug)
    done = site.ingest(small_phantom(44), slug=slug)
    assert "recognised and not doubled" in done.stdout
    assert np.prod(scan["shape_zyx"]) == 40 * 128 * 128
