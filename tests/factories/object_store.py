"""A server that speaks S3, in a process of its own, and the site's storage in a fresh bucket of it."""

import contextlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import boto3
from botocore.config import Config

KEY, SECRET, REGION = "groundglass", "a-secret-of-the-tests", "eu-central-1"
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Bucket:
    """One bucket and where it is."""

    name: str
    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        """What an installation sets to keep its archive here."""
        return {
            "GROUNDGLASS_S3_BUCKET": self.name,
            "GROUNDGLASS_S3_ENDPOINT": self.endpoint,
            "GROUNDGLASS_S3_REGION": REGION,
            "GROUNDGLASS_S3_ACCESS_KEY": KEY,
            "GROUNDGLASS_S3_SECRET_KEY": SECRET,
            "GROUNDGLASS_S3_PREFIX": "reading room/ct",
        }

    def objects(self) -> dict[str, bytes]:
        """Everything that lies in the bucket, asked for by another client than the site's."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
        return {key: self.client.get_object(Bucket=self.name, Key=key)["Body"].read() for key in keys}

    @property
    def client(self):
        """A client of the tests' own."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            config=Config(s3={"addressing_style": "path"}),
        )


@contextlib.contextmanager
def object_store_server() -> Iterator[str]:
    """The address of a running server; it ends with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        end = time.monotonic() + PATIENCE_S
        while True:
            with contextlib.suppress(OSError, urllib.error.URLError):
                urllib.request.urlopen(f"{address}/moto-api/", timeout=5).close()
                break
            if server.poll() is not None or time.monotonic() > end:
                raise AssertionError("The object store did not start.")
            time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(10)


def a_bucket(endpoint: str) -> Bucket:
    """A new, empty bucket."""
    bucket = Bucket(f"scans-{uuid.uuid4().hex[:12]}", endpoint)
    bucket.client.create_bucket(Bucket=bucket.name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return bucket
