"""Algorithm versions ready to run in this process: the weights of one lie in a folder of this machine, checked."""

import contextlib
import functools
import hashlib
import json
import os
import threading
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from webapp.algorithms.models import Algorithm, AlgorithmFile
from webapp.algorithms.submitted import CARD_ENDING, WEIGHTS_ENDING
from webapp.archive import storage

if TYPE_CHECKING:
    from inference.segmenting.algorithms import Algorithm as Loaded

CPU = "cpu"
CHUNK_BYTES = 1024 * 1024
_one_at_a_time = threading.Lock()


class NotLoaded(ValueError):
    """A version that cannot run here; the message is a sentence for people."""


def loaded(algorithm: Algorithm) -> "Loaded":
    """A version ready to run, on the device that GROUNDGLASS_DEVICE names; a process keeps the last one that it ran.

    Raises NotLoaded: the weights are damaged in storage, the device is not there.
    """
    with _one_at_a_time:
        if algorithm.entry == Algorithm.NETWORK:
            return _network(algorithm.pk, algorithm.weights_sha256, settings.GROUNDGLASS_DEVICE)
        return _baseline(algorithm)


def _baseline(algorithm: Algorithm) -> "Loaded":
    from inference.segmenting.algorithms import load_algorithm

    if algorithm.entry != Algorithm.BASELINE:
        raise NotLoaded(f"{algorithm} is of a kind that this version of Groundglass does not have.")
    made = load_algorithm(algorithm.entry, CPU)
    if made.version != algorithm.version:
        raise NotLoaded(f"{algorithm} came with another release; this one has version {made.version} of it.")
    return made


# Two networks would share a GPU's memory.
@functools.lru_cache(maxsize=1)
def _network(pk: int, weights_sha256: str, device: str) -> "Loaded":
    from inference.segmenting.algorithms import AlgorithmRefused, load_algorithm

    algorithm = Algorithm.objects.get(pk=pk)
    weights = _weights_here(algorithm)
    try:
        return load_algorithm(str(weights), device)
    except AlgorithmRefused as refusal:
        raise NotLoaded(f"{algorithm} cannot run in this worker: {refusal}") from refusal


def _weights_here(algorithm: Algorithm) -> Path:
    """The weights of a version in a folder of this machine, its card beside them; from storage where they are not."""
    folder = Path(settings.GROUNDGLASS_HOME) / "weights"
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / f"{algorithm.name}-{algorithm.version}-{algorithm.weights_sha256[:16]}{WEIGHTS_ENDING}"
    if _sha256_of(weights) != algorithm.weights_sha256:
        stored = AlgorithmFile.objects.filter(algorithm=algorithm, kind=AlgorithmFile.WEIGHTS).first()
        if stored is None:
            raise NotLoaded(f"{algorithm} has no weights here: an administrator registers it anew.")
        try:
            content = storage.read(stored.path, stored.sha256)
        except (storage.DamagedFile, OSError) as damage:
            sentence = f"The weights of {algorithm} cannot be read from storage: {damage}"
            raise NotLoaded(f"{sentence} An administrator registers it anew, as another version.") from damage
        _write_whole(weights, content)
    _write_whole(weights.with_suffix(CARD_ENDING), json.dumps(algorithm.ordered_card).encode())
    return weights


def _sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while part := stream.read(CHUNK_BYTES):
                digest.update(part)
    except FileNotFoundError:
        return ""
    return digest.hexdigest()


def _write_whole(path: Path, content: bytes) -> None:
    """A file that is there whole or as it was before; several workers may write the same one at once."""
    part = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
