"""The least DICOMweb server that the stock WADO-RS loader needs: one series, raw frames, a plain ASGI application.

Frames are held in memory, decoded, and sent as they lie in a DICOM file (explicit little endian): the stock path is
given the fastest server that it can have. Run with uvicorn, as ours is: `uvicorn tests.bench.dicomweb:application`.
"""

import json
import mimetypes
import os
from pathlib import Path
from typing import Any

import pydicom
from pydicom.uid import ExplicitVRLittleEndian

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "build" / "bench"
SERIES = "/dicom-web/studies/1/series/1"
BOUNDARY = b"frame"

frames: dict[str, bytes] = {}
metadata: list[dict[str, Any]] = []


def load(folder: Path) -> None:
    """Decode a folder's DICOM files into memory."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.suffix == ".csv":
            continue
        dataset = pydicom.dcmread(path)
        if dataset.file_meta.TransferSyntaxUID.is_compressed:
            dataset.decompress()
        head = b"\r\n--" + BOUNDARY + b"\r\nContent-Type: application/octet-stream; transfer-syntax="
        head += ExplicitVRLittleEndian.encode() + b"\r\n\r\n"
        frames[str(dataset.SOPInstanceUID)] = head + dataset.PixelData + b"\r\n--" + BOUNDARY + b"--\r\n"
        del dataset.PixelData
        metadata.append(dataset.to_json_dict())


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer GETs of the bench page, the series' metadata and its frames."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                load(Path(os.environ["BENCH_SERIES"]))
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    path = scope["path"]
    kind, body = "text/plain", None
    if path == f"{SERIES}/metadata":
        kind, body = "application/dicom+json", json.dumps(metadata).encode()
    elif path.startswith(f"{SERIES}/instances/"):
        body = frames.get(path.split("/")[-3])
        kind = f'multipart/related; type="application/octet-stream"; boundary={BOUNDARY.decode()}'
    elif path.startswith("/bench/"):
        file = (PAGES / (path.removeprefix("/bench/") or "index.html")).resolve()
        if file.is_relative_to(PAGES) and file.is_file():
            kind, body = mimetypes.guess_type(file.name)[0] or "application/octet-stream", file.read_bytes()
    status = 200 if body is not None else 404
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body or b"")).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body or b""})
