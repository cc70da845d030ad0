"""multipart/related read as it arrives: each part is sealed while it comes, none is held in memory."""

import logging
from collections.abc import Callable
from typing import BinaryIO

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser

from webapp.intake.quarantine import Staged, Staging
from webapp.intake.sources import LARGEST_FILE_BYTES

READ_BYTES = 256 * 1024
MOST_PARTS = 100_000
logging.getLogger("python_multipart").setLevel(logging.CRITICAL + 1)  # it quotes what it cannot parse


class Malformed(Exception):
    """The body is no multipart message, or ends before its end."""


class Parts:
    """Feeds a stream through the parser. `took` gets each staged part of the type wanted, or why it could not be
    kept, and the other parts' types go to `foreign`."""

    def __init__(
        self,
        boundary: str,
        wanted: str,
        took: Callable[[Staged | Exception], None],
        foreign: Callable[[str], None],
    ) -> None:
        self._wanted, self._took, self._foreign = wanted, took, foreign
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = b""
        self._staging: Staging | None = None
        self._fault: Exception | None = None
        self._count, self._ended = 0, False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._all,
            },
        )

    def read(self, stream: BinaryIO) -> None:
        """Read to the end. Raises Malformed, and OSError where the client vanished; parts that ended before count."""
        try:
            while chunk := stream.read(READ_BYTES):
                self._parser.write(chunk)
            self._parser.finalize()
            if not self._ended:
                raise Malformed
        except MultipartParseError:
            raise Malformed from None
        finally:
            if self._staging is not None:
                self._staging.__exit__()

    def _begin(self) -> None:
        self._headers, self._name, self._value = {}, b"", b""
        self._count += 1
        if self._count > MOST_PARTS:
            raise Malformed

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _headers_finished(self) -> None:
        kind = self._headers.get(b"content-type", self._wanted.encode()).split(b";")[0].strip().lower()
        self._staging, self._fault = None, None
        if kind != self._wanted.encode():
            self._foreign(kind.decode("latin-1"))
            return
        try:
            self._staging = Staging("image.dcm", LARGEST_FILE_BYTES)
        except OSError as error:
            self._fault = error

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._staging is None:
            return
        try:
            self._staging.write(memoryview(data)[start:end])
        except Exception as error:  # a full disk, say: this part is lost, the next may find room
            self._give_up(error)

    def _end(self) -> None:
        if self._staging is not None:
            try:
                staged = self._staging.finish()
            except OSError as error:
                self._give_up(error)
            else:
                self._staging = None
                self._took(staged)
                return
        if self._fault is not None:
            self._took(self._fault)
            self._fault = None

    def _give_up(self, error: Exception) -> None:
        assert self._staging is not None
        self._staging.__exit__()
        self._staging, self._fault = None, error

    def _all(self) -> None:
        self._ended = True
