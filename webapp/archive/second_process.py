"""A second process beside this one, for work in Python that would hold this one up: a fork that ends with its work.

It has everything that this process has, as it is at that moment, and must leave the database alone: both would speak
on one connection. Results come back through a pipe as they are made.
"""

import contextlib
import fcntl
import gc
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Generator, Iterable, Iterator
from typing import BinaryIO, NoReturn, TypeVar, cast

T = TypeVar("T")
HELD_BYTES = 1024 * 1024
PATIENCE_S = 5.0


class SecondProcessEnded(OSError):
    """The second process ended before its work: it was killed, perhaps for want of memory."""


def is_possible() -> bool:
    """Whether this process may be doubled: not where other threads could hold a lock at that moment."""
    return hasattr(os, "fork") and threading.active_count() == 1


@contextlib.contextmanager
def made_in_second_process(things: Iterable[T]) -> Iterator[Iterator[T]]:
    """What `things` gives, made in a second process that begins with the block; each one has to be picklable.

    What is raised while they are made is raised where they are taken; SecondProcessEnded where nothing can tell any
    more. However the block is left, the second process is gone then: it ends at its next result once nobody reads, and
    so it does without this one.
    """
    reading, writing = os.pipe()
    with contextlib.suppress(OSError):  # more than the system lets it have
        # Work goes on while nobody takes its results.
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, HELD_BYTES)
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _make(things, writing)
    os.close(writing)
    try:
        with open(reading, "rb") as results:
            yield _taken(results)
    finally:
        _end(child)


def _end(child: int) -> None:
    """Wait for the second process, which ends at its next result when nobody reads; not for long."""
    patience_ends = time.monotonic() + PATIENCE_S
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > patience_ends:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return
        time.sleep(0.001)


def _make(things: Iterable[object], writing: int) -> NoReturn:
    """What the second process does: nothing of what this process would do at its end."""
    try:
        # Not even what this process left to collect may be closed here.
        gc.disable()
        results = open(writing, "wb")  # noqa: SIM115 - closed by the end of the process
        try:
            for thing in things:
                # Once nobody reads, this raises.
                results.write(pickle.dumps((thing, None)))
                results.flush()
            results.write(pickle.dumps((None, None)))
        except BaseException as error:
            # What is half made is cleared away, as it would be in this process.
            with contextlib.suppress(BaseException):
                cast(Generator[object, None, None], things).close()
            results.write(_pickled(error))
        results.flush()
    finally:
        os._exit(0)


def _pickled(error: BaseException) -> bytes:
    try:
        told = pickle.dumps((None, error))
        pickle.loads(told)
    except Exception:  # its words may be of a file, its kind is not
        told = pickle.dumps((None, RuntimeError(type(error).__name__)))
    return told


def _taken(results: BinaryIO) -> Iterator[T]:
    while True:
        try:
            thing, error = pickle.load(results)
        except (EOFError, pickle.UnpicklingError) as broken:
            raise SecondProcessEnded("the second process ended before its work") from broken
        if error is not None:
            raise error
        if thing is None:
            return
        yield thing
