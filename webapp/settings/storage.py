"""Where the archive lies: a folder of the data folder, or a bucket of any object store that speaks S3."""

import os
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

CONNECT_S, ANSWER_S, TRIES = 5, 60, 4


def archive_storage(home: Path) -> dict[str, Any]:
    """Return the default entry of Django's STORAGES; the bucket wherever GROUNDGLASS_S3_BUCKET names one."""
    bucket = os.environ.get("GROUNDGLASS_S3_BUCKET", "")
    if not bucket:
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(home / "archive"), "base_url": None},
        }
    return {"BACKEND": "webapp.archive.object_store.ObjectStore", "OPTIONS": _object_store(bucket)}


def _object_store(bucket: str) -> dict[str, Any]:
    from botocore.config import Config  # only where it is used: it is large

    endpoint = os.environ.get("GROUNDGLASS_S3_ENDPOINT", "")
    # A store of one's own seldom has a host name for each bucket.
    addressing = os.environ.get("GROUNDGLASS_S3_ADDRESSING", "") or ("path" if endpoint else "auto")
    if addressing not in ("path", "virtual", "auto"):
        raise ImproperlyConfigured("GROUNDGLASS_S3_ADDRESSING is path, virtual or auto.")
    access_key = os.environ.get("GROUNDGLASS_S3_ACCESS_KEY", "")
    secret_key = os.environ.get("GROUNDGLASS_S3_SECRET_KEY", "")
    if bool(access_key) != bool(secret_key):
        raise ImproperlyConfigured("GROUNDGLASS_S3_ACCESS_KEY and GROUNDGLASS_S3_SECRET_KEY are set both, or neither.")
    encryption = os.environ.get("GROUNDGLASS_S3_ENCRYPTION", "")
    return {
        "bucket_name": bucket,
        "endpoint_url": endpoint or None,
        "region_name": os.environ.get("GROUNDGLASS_S3_REGION", "") or None,
        "access_key": access_key or None,
        "secret_key": secret_key or None,
        "location": os.environ.get("GROUNDGLASS_S3_PREFIX", "").strip("/"),
        "verify": os.environ.get("GROUNDGLASS_S3_CA_FILE", "") or None,
        "object_parameters": {"ServerSideEncryption": encryption} if encryption else {},
        # An object's name is its content's hash: writing it again is writing the same.
        "file_overwrite": True,
        "default_acl": None,
        "querystring_auth": True,
        "gzip": False,
        "client_config": Config(
            s3={"addressing_style": addressing},
            signature_version="s3v4",
            connect_timeout=CONNECT_S,
            read_timeout=ANSWER_S,
            retries={"max_attempts": TRIES, "mode": "standard"},
            max_pool_connections=16,
        ),
    }
