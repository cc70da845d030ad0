"""A watched folder: what lies still in it for a while is taken into quarantine and removed from the folder.

A folder in it is one sending, the loose files together are another. Symbolic links are not followed and stay.
"""

import contextlib
import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from webapp.audit.actor import SYSTEM
from webapp.campaigns.models import Campaign
from webapp.intake import quarantine
from webapp.intake.actions import discard_batch, finish_batch
from webapp.intake.processing import opened_alone
from webapp.intake.receiving import NOTHING_SAID, Said, receive_all
from webapp.intake.sources import Sent

# What a folder's files look like from outside: path, size, time of the last change.
State = tuple[tuple[Path, int, int], ...]


@dataclass
class Seen:
    """A sending as it was when it was last looked at, and since when it has been so."""

    state: State
    since_s: float


class Watch:
    """Looks at a folder now and then; `say` gets one line for each sending taken."""

    def __init__(
        self, folder: Path, campaign: Campaign, quiet_s: float, say: Callable[[str], object], said: Said = NOTHING_SAID
    ) -> None:
        self.folder, self.campaign, self.quiet_s, self._say, self._said = folder, campaign, quiet_s, say, said
        self._seen: dict[str, Seen] = {}

    def look(self, now_s: float) -> int:
        """Take what has been still for long enough; return how many sendings that was."""
        sendings = self._sendings()
        self._seen = {name: seen for name, seen in self._seen.items() if name in sendings}
        taken = 0
        for name, files in sendings.items():
            state = _state_of(files)
            seen = self._seen.get(name)
            if seen is None or seen.state != state:
                self._seen[name] = Seen(state, now_s)
            elif state and now_s - seen.since_s >= self.quiet_s:
                taken += self._take(name, state)
        return taken

    def _sendings(self) -> dict[str, list[Path]]:
        """The regular files of each folder in the watched one, and under "" the loose ones."""
        found: dict[str, list[Path]] = {}
        for entry in sorted(os.scandir(self.folder), key=lambda entry: entry.name):
            if entry.is_dir(follow_symlinks=False):
                inside = [Path(at, name) for at, _, names in os.walk(entry.path) for name in sorted(names)]
                found[entry.name] = [path for path in inside if path.is_file() and not path.is_symlink()]
            elif entry.is_file(follow_symlinks=False):
                found.setdefault("", []).append(Path(entry.path))
        return found

    def _take(self, name: str, state: State) -> int:
        said = {"site": self._said.site, "data_set": self._said.data_set}
        with opened_alone(campaign=self.campaign, by=SYSTEM, source="watch", **said) as batch:
            try:
                things = [
                    Sent(str(path.relative_to(self.folder)), size, functools.partial(_opened, path))
                    for path, size, _ in state
                ]
                receive_all(batch=batch, things=things, durable=True)
                changed = _state_of([path for path, _, _ in state]) != state
            except (OSError, quarantine.TooLarge) as error:
                discard_batch(batch=batch, by=SYSTEM)
                quarantine.remove(batch.pk)
                self._seen.pop(name)  # and is waited for again
                self._say(f"{len(state)} files could not be taken ({type(error).__name__}); they stay in the folder.")
                return 0
            if changed:
                discard_batch(batch=batch, by=SYSTEM)
                quarantine.remove(batch.pk)
                self._seen.pop(name)
                return 0
            finish_batch(batch=batch, by=SYSTEM)
        _remove(self.folder / name if name else None, state)
        self._seen.pop(name)
        self._say(f"Batch {batch.code}: {len(state)} files taken.")
        return 1


def _state_of(files: list[Path]) -> State:
    state = []
    for path in files:
        with contextlib.suppress(FileNotFoundError):
            status = path.lstat()
            state.append((path, status.st_size, status.st_mtime_ns))
    return tuple(state)


def _remove(folder: Path | None, state: State) -> None:
    """Remove the files that were taken, and the folders that are empty then."""
    for path, _, _ in state:
        path.unlink(missing_ok=True)
    if folder is None:
        return
    for at, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):  # something new, or a link, lies in it
            Path(at).rmdir()


def _opened(path: Path) -> BinaryIO:
    return open(path, "rb")
