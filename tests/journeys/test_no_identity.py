"""A real site takes a made-up patient in by every way; nothing of the patient is in its files, database or logs."""

import shutil
from pathlib import Path

import psycopg
import pytest
import requests

from inference.phantoms import make_phantom, write_dicom_series
from tests.factories.identities import SECRETS, everything_in, found_in, write_identities
from tests.journeys.fixtures import slug_of
from tests.journeys.senders import datasets, listening, wait_until_checked
from tests.journeys.site import Person, Site

pytestmark = [pytest.mark.journey]
BOUNDARY = "gg"


def identified(folder: Path) -> Path:
    phantom = make_phantom(77, shape_zyx=(8, 32, 40), spacing_zyx_mm=(20.0, 9.0, 8.0))
    return write_identities(write_dicom_series(phantom, folder / "Featherstonehaugh MRN-77-04711-XQ"))


def store(site: Site, by: Person, slug: str, folder: Path) -> int:
    body = b""
    for path in sorted(folder.iterdir()):
        body += f"\r\n--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode() + path.read_bytes()
    study = datasets(folder)[0].StudyInstanceUID
    kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
    url = f"{site.address}/dicomweb/{slug}/studies/{study}"
    answer = requests.post(
        url, body + f"\r\n--{BOUNDARY}--".encode(), headers={"Content-Type": kind}, auth=(by.username, by.password)
    )
    # Refusals are logged by Django with the address, which has a UID in it.
    refused = requests.post(url, b"none", headers={"Content-Type": kind}, auth=(by.username, by.password))
    assert refused.status_code == 400
    return answer.status_code


def upload(site: Site, by: Person, slug: str, folder: Path) -> None:
    with requests.Session() as browser:
        browser.get(f"{site.address}/sign-in/")
        credentials = {"username": by.username, "password": by.password}
        assert browser.post(f"{site.address}/api/sign-in/", json=credentials).ok
        headers = {"X-CSRFToken": browser.cookies["csrftoken"], "Origin": site.address}
        batch = browser.post(f"{site.address}/intake/batches/", {"campaign": slug}, headers=headers).json()
        for path in sorted(folder.iterdir()):
            content = path.read_bytes()
            said = {**headers, "X-File-Name": path.name, "X-File-Size": str(len(content))}
            said["Content-Type"] = "application/octet-stream"
            assert browser.post(f"{site.address}{batch['files_url']}", content, headers=said).status_code == 201
        assert browser.post(f"{site.address}{batch['finish_url']}", headers=headers).ok


def test_no_string_of_an_identity_is_left_by_any_way_in(site: Site, tmp_path: Path, request) -> None:
    site.mend()
    slug = slug_of(request.node.name)
    coordinator = site.furnish(slug, "coordinator")["coordinator"]
    folder = identified(tmp_path)
    assert len(found_in(b"".join(path.read_bytes() for path in folder.iterdir()))) == len(SECRETS)
    spoilt = tmp_path / "spoilt" / "Marjoribanks"
    shutil.copytree(folder, spoilt)
    sorted(spoilt.iterdir())[3].unlink()
    (spoilt / "Cholmondeley.dcm").write_bytes(b"Featherstonehaugh")
    site.ingest(folder, spoilt, tmp_path / "Godmanchester", slug=slug, check=False)
    assert store(site, coordinator, slug, folder) == 200
    upload(site, coordinator, slug, spoilt)
    with listening(site, slug) as listener:
        association = listener.associate()
        for image in datasets(folder):
            assert association.send_c_store(image).Status == 0
        association.release()
        inbox = tmp_path / "inbox"
        shutil.copytree(spoilt, inbox / "Mainwaring")
        site.launch("watch", "manage.py", "watch_folder", str(inbox), "--campaign", slug, "--quiet", "1")
        try:
            wait_until_checked(site, slug, 5)
        finally:
            site.end("watch")
    leaks = {}
    for path in site.home.rglob("*"):
        if path.is_file() and "postgres" not in path.parts and (found := found_in(path.read_bytes())):
            leaks[str(path.relative_to(site.home))] = found
    url = (site.home / "postgres" / "site.url").read_text().strip()
    with psycopg.connect(url) as connection:
        leaks |= {table: found for table, content in everything_in(connection) if (found := found_in(content))}
    assert leaks == {}
    assert (site.home / "logs" / "web.log").exists()
