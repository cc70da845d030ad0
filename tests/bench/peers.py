"""`make bench-peers`: the same scan through OHIF on Orthanc, in the same Chromium, in turns with ours.

Nothing of the peers is part of the product: OHIF's built viewer comes from its npm package into a cache folder, Orthanc
with its DICOMweb plugin and nginx before both come from the distribution.
"""

import argparse
import contextlib
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
from playwright.sync_api import Browser, sync_playwright

from tests.bench import intake, loading
from tests.bench.figures import median
from tests.bench.subjects import SCAN, begin_reading, bring_in, say
from tests.journeys.site import ROOT, free_port, running_site, wait_until
from tests.journeys.viewer import PATIENCE_MS, launch_browser

OHIF = "3.13.2"
OHIF_SHA256 = "b189d3963bfc58e9394a9db8c7be75d07beb029ec211dbb126d47b62969dd3f1"
CACHE = ROOT / "build" / "bench-peers"
PACKAGES = ["orthanc", "orthanc-dicomweb", "nginx-light"]
DICOMWEB_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
SERVERS_PATH = "/usr/sbin:/sbin"
MIME = "/etc/nginx/mime.types"
LAYOUT = "segmentation?hangingprotocolId=mpr&StudyInstanceUIDs="
CANNOT = 2


@dataclass(frozen=True)
class Peers:
    """Where the peers answer: the scan in OHIF's MPR layout, Orthanc's REST, Orthanc's C-STORE."""

    page: str
    rest: str
    dicom_port: int


class Missing(Exception):
    """A peer cannot be had on this machine; the message is the sentence that says so."""


def program(name: str) -> str | None:
    """Where a program of the system lies; servers often lie outside a person's PATH."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SERVERS_PATH}")


def have_servers() -> bool:
    """Whether Orthanc, its plugin and nginx are installed."""
    return bool(program("Orthanc") and program("nginx") and DICOMWEB_PLUGIN.exists())


def get_servers() -> None:
    """Install the servers where that is possible; raises Missing otherwise."""
    if have_servers():
        return
    wanted = " ".join(PACKAGES)
    if os.geteuid() != 0 or not program("apt-get"):
        raise Missing(f"Orthanc, its DICOMweb plugin or nginx is missing (on Debian: apt-get install {wanted}).")
    say(f"installing {wanted} ...")
    unasked = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], capture_output=True, check=False)
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES]
    done = subprocess.run(command, env=unasked, capture_output=True, check=False)
    if done.returncode or not have_servers():
        raise Missing(f"Orthanc and nginx could not be installed: `apt-get install {wanted}` failed.")


def get_ohif() -> Path:
    """The built viewer's folder, fetched once and checked against its checksum; raises Missing."""
    folder = CACHE / f"ohif-{OHIF}"
    if (folder / "package" / "dist" / "index.html").exists():
        return folder / "package" / "dist"
    if not program("npm"):
        raise Missing("npm is missing: OHIF comes as an npm package.")
    folder.mkdir(parents=True, exist_ok=True)
    say(f"fetching OHIF {OHIF} (50 MB) ...")
    done = subprocess.run(
        ["npm", "pack", f"@ohif/app@{OHIF}", "--silent"],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    archive = folder / f"ohif-app-{OHIF}.tgz"
    if done.returncode or not archive.exists():
        raise Missing(f"OHIF cannot be fetched: `npm pack @ohif/app@{OHIF}` failed.")
    if hashlib.sha256(archive.read_bytes()).hexdigest() != OHIF_SHA256:
        archive.unlink()
        raise Missing(f"OHIF's package is not the one that is pinned here (version {OHIF}, by sha256).")
    # The tarball's own checksum has been compared: it is unpacked as it is.
    subprocess.run(["tar", "xzf", archive.name], cwd=folder, check=True)
    archive.unlink()
    return folder / "package" / "dist"


def orthanc_settings(home: Path, port: int, dicom_port: int) -> dict[str, Any]:
    """Orthanc as it comes, on ports and in a folder of its own."""
    return {
        "StorageDirectory": str(home / "orthanc"),
        "IndexDirectory": str(home / "orthanc"),
        "Plugins": [str(DICOMWEB_PLUGIN)],
        "HttpPort": port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomPort": dicom_port,
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }


def viewer_settings() -> str:
    """OHIF's app-config.js: its own defaults, with Orthanc as the source."""
    source = {
        "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
        "sourceName": "orthanc",
        "configuration": {
            "friendlyName": "Orthanc",
            "name": "orthanc",
            "qidoRoot": "/dicom-web",
            "wadoRoot": "/dicom-web",
            "wadoUriRoot": "/wado",
            "qidoSupportsIncludeField": False,
            "imageRendering": "wadors",
            "thumbnailRendering": "wadors",
            "enableStudyLazyLoad": True,
            "supportsFuzzyMatching": False,
            "supportsWildcard": True,
            "omitQuotationForMultipartRequest": True,
        },
    }
    settings = {
        "routerBasename": None,
        "extensions": [],
        "modes": [],
        "customizationService": {},
        "showStudyList": True,
        "maxNumberOfWebWorkers": 3,
        "showLoadingIndicator": True,
        "strictZSpacingForVolumeViewport": True,
        "maxNumRequests": {"interaction": 100, "thumbnail": 5, "prefetch": 25},
        "defaultDataSourceName": "orthanc",
        "dataSources": [source],
    }
    return f"window.config = {json.dumps(settings)};\n"


def nginx_settings(home: Path, pages: Path, port: int, orthanc_port: int) -> str:
    """nginx before both: OHIF's files from the disk, DICOMweb from Orthanc over kept connections."""
    kept = "\n".join(
        f"  {kind}_temp_path {home}/nginx-{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # Where root starts it, its worker would step down to a user who cannot enter a folder of root's.
    user = "user root;" if os.geteuid() == 0 else ""
    return f"""
{user}
worker_processes 2;
pid {home}/nginx.pid;
error_log {home}/nginx.log;
events {{ worker_connections 512; }}
http {{
  include {MIME};
  types {{ application/wasm wasm; }}
  access_log off;
  sendfile on;
{kept}
  upstream orthanc {{ server 127.0.0.1:{orthanc_port}; keepalive 16; }}
  server {{
    listen 127.0.0.1:{port};
    root {pages};
    location = /app-config.js {{ alias {home}/app-config.js; }}
    location /dicom-web/ {{
      proxy_pass http://orthanc;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_buffers 64 64k;
    }}
    location / {{ try_files $uri /index.html; }}
  }}
}}
"""


def answers(url: str) -> bool:
    """Whether a server answers there."""
    with contextlib.suppress(OSError):
        urllib.request.urlopen(url, timeout=10).close()
        return True
    return False


def send_to_orthanc(address: str, folder: Path) -> str:
    """Bring the scan in by REST, a file at a time; the study's UID."""
    study = ""
    for path in sorted(folder.glob("*.dcm")):
        body = path.read_bytes()
        study = study or str(pydicom.dcmread(path, stop_before_pixels=True).StudyInstanceUID)
        request = urllib.request.Request(f"{address}/instances", data=body, method="POST")
        urllib.request.urlopen(request, timeout=60).close()
    return study


@contextlib.contextmanager
def running_peers(home: Path, pages: Path, folder: Path, raw: dict[str, Any]) -> Iterator[Peers]:
    """Orthanc with the scan in it, and OHIF before it."""
    orthanc_port, dicom_port, port = free_port(), free_port(), free_port()
    (home / "orthanc").mkdir(parents=True)
    (home / "orthanc.json").write_text(json.dumps(orthanc_settings(home, orthanc_port, dicom_port)))
    (home / "app-config.js").write_text(viewer_settings())
    (home / "nginx.conf").write_text(nginx_settings(home, pages, port, orthanc_port))
    orthanc, nginx = program("Orthanc"), program("nginx")
    assert orthanc
    assert nginx
    servers = []
    try:
        with open(home / "servers.log", "ab") as log:
            for command in (
                [orthanc, str(home / "orthanc.json")],
                [nginx, "-c", str(home / "nginx.conf"), "-g", "daemon off;"],
            ):
                servers.append(subprocess.Popen(command, cwd=home, stdout=log, stderr=log))
        address = f"http://127.0.0.1:{orthanc_port}"
        wait_until("Orthanc answers", lambda: answers(f"{address}/system"))
        say("sending the scan to Orthanc ...")
        began = time.monotonic()
        study = send_to_orthanc(address, folder)
        raw["orthanc_ingest_s"] = time.monotonic() - began
        wait_until("nginx answers", lambda: answers(f"http://127.0.0.1:{port}/app-config.js"))
        yield Peers(f"http://127.0.0.1:{port}/{LAYOUT}{study}", address, dicom_port)
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def load_peer(browser: Browser, address: str, picture: Path | None = None) -> dict[str, float]:
    """One load in a fresh profile; milliseconds since navigation."""
    context = browser.new_context(viewport=loading.SCREEN)
    context.add_init_script(path=Path(__file__).parent / "ohif.js")
    page = context.new_page()
    page.goto(address, wait_until="commit")
    page.wait_for_function("() => window.peer && window.peer.timings.complete !== undefined", timeout=PATIENCE_MS)
    peer: dict[str, Any] = page.evaluate("() => window.peer")
    if picture:
        page.wait_for_timeout(2000)  # its panels come to rest
        page.screenshot(path=picture)
    context.close()
    timings = peer["timings"]
    # The slice may be drawn only with the whole volume; then the two moments are one.
    return {
        "first_slice_ms": timings.get("firstSlice", timings["complete"]),
        "complete_ms": timings["complete"],
        "frames": peer["frames"],
    }


def measure(folder: Path, pages: Path, runs: int, picture: Path | None) -> dict[str, Any]:
    """Loads of both in turns."""
    raw: dict[str, Any] = {"ours": [], "ohif": [], "load": []}
    with tempfile.TemporaryDirectory(prefix="groundglass-peers-") as home, contextlib.ExitStack() as stack:
        site = stack.enter_context(running_site(Path(home) / "site", INTAKE_QUIET_S="2"))
        playwright = stack.enter_context(sync_playwright())
        subject = bring_in(site, folder)
        raw["ingest_s"] = subject.raw["ingest_s"]
        browser = launch_browser(playwright)
        stack.callback(browser.close)
        raw["browser"] = browser.version
        begin_reading(browser, site, subject)
        (Path(home) / "peers").mkdir()
        peers = stack.enter_context(running_peers(Path(home) / "peers", pages, folder, raw))
        for run in range(runs):
            raw["load"].append(os.getloadavg()[0])
            raw["ours"].append(loading.load_ours(browser, site, subject.person, subject.reading_id))
            say(f"load {run + 1} of {runs}, ours: {raw['ours'][-1]}")
            raw["ohif"].append(load_peer(browser, peers.page, picture if run == 0 else None))
            say(f"load {run + 1} of {runs}, OHIF: {raw['ohif'][-1]}")
        browser.close()
        raw["intake"] = intake.beside_orthanc(site, peers.rest, peers.dicom_port, runs)
    return raw


def print_figures(raw: dict[str, Any]) -> None:
    """The table."""
    print(f"\nThe same scan, three planes, fresh profiles, in turns; medians of {len(raw['ours'])}")
    print(f"{'':<40}{'ours':>9}{'OHIF ' + OHIF:>14}  unit  OHIF/ours")
    for name, key in (("first slice visible", "first_slice_ms"), ("all slices complete and drawn", "complete_ms")):
        ours, ohif = (median([run[key] for run in raw[who]]) / 1000 for who in ("ours", "ohif"))
        print(f"{name:<40}{ours:>9.2f}{ohif:>14.2f}  s     {ohif / ours:.1f}")
    ingest = (raw["ingest_s"], raw["orthanc_ingest_s"])
    print(f"{'the 248 files brought in':<40}{ingest[0]:>9.2f}{ingest[1]:>14.2f}  s     (Orthanc: by REST, a file each)")
    print_intake(raw["intake"])
    loads = ", ".join(f"{load:.1f}" for load in raw["load"])
    print(f"\nChromium {raw['browser']}, {os.cpu_count()} cores, load average before each turn: {loads}")


def print_intake(raw: dict[str, list[float | None]]) -> None:
    """Images a second of 300 uncompressed files, the same ones to both."""
    print(f"\n{'300 files of 512 x 512, medians':<40}{'ours':>9}{'Orthanc':>14}  images/s")
    for name, ours, theirs in (
        ("manage.py ingest; Orthanc by REST", "command_s", "orthanc_rest_s"),
        ("C-STORE by storescu", "store_s", "orthanc_store_s"),
    ):
        seconds = [[s for s in raw[who] if s is not None] for who in (ours, theirs)]
        if all(seconds):
            print(f"{name:<40}{intake.per_second(seconds[0]):>9.0f}{intake.per_second(seconds[1]):>14.0f}")
    print("Ours decodes, checks, de-identifies and packs them; Orthanc stores what it is sent.")


def main() -> int:
    """Get the peers, measure, print, write; 2 where a peer cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.peers", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="loads of each (default 3)")
    parser.add_argument("--picture", type=Path, help="where to write a picture of OHIF's layout")
    options = parser.parse_args()
    data = os.environ.get("GROUNDGLASS_DATA")
    if not data:
        print("GROUNDGLASS_DATA is not set: make bench-peers needs the real scan in that folder.", file=sys.stderr)
        return CANNOT
    try:
        get_servers()
        pages = get_ohif()
    except Missing as missing:
        print(f"The peers cannot be measured here. {missing}", file=sys.stderr)
        return CANNOT
    raw = measure(Path(data).resolve() / SCAN, pages, options.runs, options.picture)
    print_figures(raw)
    results = ROOT / "bench-results"
    results.mkdir(exist_ok=True)
    path = results / f"{time.strftime('%Y%m%d-%H%M%S')}-peers.json"
    path.write_text(json.dumps({"system": platform.platform(), "ohif": OHIF, **raw}, indent=1))
    print(f"Every run: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
