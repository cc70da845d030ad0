"""OHIF before a campaign's DICOMweb root: its built files, and a proxy on the same origin that adds an access token.

What a department does with nginx (docs/how-to/dicomweb.md), in a few lines: the browser holds no token, and everyone
who reaches this address sees what the token's person sees.
"""

import contextlib
import json
import mimetypes
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.journeys.site import Site

# What a proxy must not hand on (RFC 9110 7.6.1), and what is made anew here.
OWN = {"connection", "transfer-encoding", "content-length", "content-encoding", "keep-alive", "host", "authorization"}


def app_config(slug: str) -> str:
    """OHIF's app-config.js: its own defaults, with a campaign as the source."""
    root = f"/dicomweb/{slug}"
    source = {
        "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
        "sourceName": "groundglass",
        "configuration": {
            "friendlyName": "Groundglass",
            "name": "groundglass",
            "qidoRoot": root,
            "wadoRoot": root,
            "qidoSupportsIncludeField": True,
            "imageRendering": "wadors",
            "thumbnailRendering": "thumbnailDirect",
            "enableStudyLazyLoad": True,
            "supportsFuzzyMatching": False,
            "supportsWildcard": True,
            "bulkDataURI": {"enabled": True},
            "omitQuotationForMultipartRequest": True,
        },
    }
    settings = {
        "routerBasename": None,
        "extensions": [],
        "modes": [],
        "customizationService": {},
        "showStudyList": True,
        "maxNumberOfWebWorkers": 2,
        "showWarningMessageForCrossOrigin": False,
        "strictZSpacingForVolumeViewport": True,
        "defaultDataSourceName": "groundglass",
        "dataSources": [source],
    }
    return f"window.config = {json.dumps(settings)};\n"


@contextlib.contextmanager
def running_ohif(pages: Path, site: Site, slug: str, token: str) -> Iterator[tuple[str, list[str]]]:
    """OHIF's address, and a list that fills with each request to the DICOMweb root: "200 /path"."""
    log: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path.startswith("/dicomweb/"):
                self._proxied()
            elif path == "/app-config.js":
                self._sent(app_config(slug).encode(), "text/javascript")
            else:
                file = (pages / path.lstrip("/")).resolve()
                inside = file.is_relative_to(pages) and file.is_file()
                shown = file if inside else pages / "index.html"
                kind = "application/wasm" if shown.suffix == ".wasm" else mimetypes.guess_type(shown.name)[0]
                self._sent(shown.read_bytes(), kind or "application/octet-stream")

        def _proxied(self) -> None:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in OWN}
            headers |= {
                "Authorization": f"Bearer {token}",
                "Host": self.headers["Host"],
                "X-Forwarded-For": self.client_address[0],
                "Accept-Encoding": "identity",
            }
            with requests.get(f"{site.address}{self.path}", headers=headers, stream=True, timeout=180) as answer:
                log.append(f"{answer.status_code} {self.path}")
                self.send_response(answer.status_code)
                for name, value in answer.headers.items():
                    if name.lower() not in OWN:
                        self.send_header(name, value)
                body = answer.content
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def _sent(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", log
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
