"""A fork does its part of the work, and its failures are those of this process."""

import errno
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.imaging.findings import Finding, SeriesRefused
from webapp.archive.second_process import SecondProcessEnded, made_in_second_process


def process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def failing(error: BaseException) -> Iterator[int]:
    yield 1
    raise error


def test_things_are_made_elsewhere_and_come_in_their_order():
    with made_in_second_process((os.getpid(), number) for number in range(500)) as made:
        seen = list(made)
    assert [number for _, number in seen] == list(range(500))
    (other,) = {pid for pid, _ in seen}
    assert other != os.getpid()
    assert not process_exists(other)


@pytest.mark.parametrize(
    "error",
    [
        SeriesRefused("broken_file", "file 3 is a broken DICOM file.", [Finding("a", "b")]),
        OSError(errno.ENOSPC, "No space left on device"),
        KeyError("a"),
    ],
    ids=["refused", "disk full", "unforeseen"],
)
def test_what_is_raised_there_is_raised_here_after_what_came_before(error):
    with made_in_second_process(failing(error)) as made:
        assert next(made) == 1
        with pytest.raises(type(error)) as raised:
            next(made)
    assert vars(raised.value) == vars(error)
    assert raised.value.args == error.args


def test_an_error_that_cannot_be_told_says_its_kind():
    class OfThisTest(Exception):  # a class of a function: pickle does not find it
        pass

    with made_in_second_process(failing(OfThisTest("a name"))) as made, pytest.raises(RuntimeError) as raised:
        list(made)
    assert raised.value.args == ("OfThisTest",)


def test_one_that_is_killed_is_noticed():
    def killed() -> Iterator[int]:
        yield 1
        os.kill(os.getpid(), signal.SIGKILL)

    with made_in_second_process(killed()) as made, pytest.raises(SecondProcessEnded):
        list(made)


def test_it_ends_with_the_block_however_that_is_left():
    def forever() -> Iterator[int]:
        while True:
            yield os.getpid()

    others = []

    def fail() -> None:
        with made_in_second_process(forever()) as made:
            others.append(next(made))
            assert process_exists(others[0])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not process_exists(others[0])


def test_it_ends_by_itself_when_this_one_is_killed():
    """The first process is a fork of the test, killed with SIGKILL; the second writes down what it makes."""
    reading, writing = os.pipe()

    def noted() -> Iterator[int]:
        for number in range(10_000):
            os.write(writing, f"{os.getpid()}\n".encode())
            yield number
            time.sleep(0.001)

    first = os.fork()
    if first == 0:
        with made_in_second_process(noted()) as made:
            for _ in made:
                pass
        os._exit(0)
    os.close(writing)
    with open(reading) as notes:
        second = int(notes.readline())
        os.kill(first, signal.SIGKILL)
        os.waitpid(first, 0)
        # The end of the notes is the end of all who could write them.
        assert len(notes.readlines()) < 9_000
    state = Path(f"/proc/{second}/stat")
    deadline = time.monotonic() + 30
    while process_exists(second) and time.monotonic() < deadline:
        time.sleep(0.01)
    # Where nobody waits for orphans, its entry stays: a zombie runs no more.
    assert not process_exists(second) or state.read_text().split()[2] == "Z"
