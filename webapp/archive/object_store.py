"""An S3 bucket as the archive's storage: django-storages, with one request a read, and every trouble an OSError."""

import errno
import functools
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import ContentFile, File
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

P = ParamSpec("P")
R = TypeVar("R")

# What object stores call a disk that is full, or a quota that is used up.
FULL = {"InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "XAmzQuotaExceeded", "EntityTooLarge"}
ABSENT = {"NoSuchKey", "404", "NotFound"}


class ObjectStoreError(OSError):
    """The object store did not do what it was asked; `errno` is ENOSPC where it is full, EIO otherwise."""


def _as_os_error(function: Callable[P, R]) -> Callable[P, R]:
    """Let callers know one kind of failing storage: whatever the client library raises becomes an OSError."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            full = code in FULL or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 507
            # The library's own words may quote addresses and keys of access: the code is enough.
            reason = f"The object store refused ({code or 'no reason'})."
            raise ObjectStoreError(errno.ENOSPC if full else errno.EIO, reason) from error
        except (BotoCoreError, Boto3Error) as error:
            raise ObjectStoreError(errno.EIO, f"The object store failed ({type(error).__name__}).") from error

    return run


class ObjectStore(S3Storage):
    """The bucket that GROUNDGLASS_S3_BUCKET names. Objects are whole or not there; nobody gets a URL of one."""

    KEYS_AN_ANSWER = 1000

    @_as_os_error
    def _open(self, name: str, mode: str = "rb") -> File:
        """A stored object, read at once: slabs and instances are small, and each is checked against its hash."""
        if mode != "rb":
            raise ValueError("Objects of the archive are written whole.")
        key = self._normalize_name(clean_name(name))
        try:
            answer = self.bucket.meta.client.get_object(Bucket=self.bucket_name, Key=key)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in ABSENT:
                raise FileNotFoundError(errno.ENOENT, "There is no such object.", name) from error
            raise
        return ContentFile(answer["Body"].read(), name)

    @_as_os_error
    def _save(self, name: str, content: Any) -> str:
        return super()._save(name, content)

    @_as_os_error
    def exists(self, name: str) -> bool:
        """Whether an object is there."""
        return super().exists(name)

    @_as_os_error
    def delete(self, name: str) -> None:
        """Remove an object; one that is not there is no fault."""
        super().delete(name)

    @_as_os_error
    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Folders and objects directly under a path."""
        return super().listdir(path)

    @_as_os_error
    def delete_under(self, path: str) -> int:
        """Remove every object whose name begins with `path` and a slash; return how many. A thousand a request."""
        count = 0
        for entries in self._under(path):
            keys = [{"Key": entry["Key"]} for entry in entries]
            answer = self.bucket.delete_objects(Delete={"Objects": keys, "Quiet": True})
            if refused := answer.get("Errors"):
                raise ObjectStoreError(errno.EIO, f"The object store kept {len(refused)} objects that were to go.")
            count += len(keys)
        return count

    @_as_os_error
    def newest_under(self, path: str) -> float | None:
        """When the newest object under a path was written (seconds since 1970); None where there is none."""
        times = (entry["LastModified"].timestamp() for entries in self._under(path) for entry in entries)
        return max(times, default=None)

    def _under(self, path: str) -> Iterator[list[dict[str, Any]]]:
        """What lies under a path, as the store lists it, an answer at a time."""
        prefix = self._normalize_name(clean_name(path)).rstrip("/") + "/"
        pages = self.bucket.meta.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket_name, Prefix=prefix, PaginationConfig={"PageSize": self.KEYS_AN_ANSWER}
        )
        for page in pages:
            if entries := page.get("Contents"):
                yield entries
