"""The files of a scan that is being filed: its instances, which may be begun before its voxels are known, and the rest.

zstd, hashing and the disk release the interpreter, so they run in threads; making instances is work in Python, which a
second process does beside them where it may.
"""

import contextlib
import hashlib
import uuid
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from inference.imaging.slabs import encode_slab, slab_ranges
from inference.imaging.volume import Volume
from webapp.archive import storage
from webapp.archive.filing import NewInstance
from webapp.archive.models import Instance, Picture, Preview, Scan
from webapp.archive.pictures import write_pictures
from webapp.archive.previews import write_preview
from webapp.archive.second_process import is_possible, made_in_second_process

WRITERS = 4
ENCODERS = 2
MOST_WAITING = 16


@dataclass(frozen=True)
class Files:
    """What was written for a scan, rows unsaved: a known one has its slabs, preview and pictures already."""

    voxels_sha256: str
    instances: list[Instance]
    slabs: list[dict[str, Any]] = field(default_factory=list)
    preview: Preview | None = None
    pictures: list[Picture] = field(default_factory=list)


@dataclass(frozen=True)
class Written:
    """One instance whose file is stored."""

    sop_class_uid: str
    sop_uid: str
    slices: tuple[int, ...]
    path: str
    sha256: str


@dataclass(frozen=True, eq=False)
class Begun:
    """A scan whose instances are being written: they come in their order, each when its file is there."""

    scan_id: uuid.UUID
    instances: Iterator[Written]


@contextlib.contextmanager
def begun(instances: Iterable[NewInstance], *, in_second_process: bool = False) -> Iterator[Begun]:
    """Begin a scan with its instances; unless it is filed within the block, nothing of it stays stored.

    With `in_second_process` a fork of this process makes and writes them meanwhile, where that is possible: making
    them may not ask the database. What fails there is raised where the instances are taken.
    """
    scan_id = uuid.uuid4()
    made = _by_writers(scan_id, instances)
    # The connections of an object store cannot be shared by two processes.
    forks = in_second_process and is_possible() and storage.is_file_system()
    with (
        storage.removed_on_failure(scan_id),
        made_in_second_process(made) if forks else contextlib.closing(made) as written,
    ):
        yield Begun(scan_id, written)
    if not Scan.ever.filter(pk=scan_id).exists():
        storage.remove(scan_id)


def _by_writers(scan_id: uuid.UUID, instances: Iterable[NewInstance]) -> Generator[Written, None, None]:
    def write(new: NewInstance) -> Written:
        path, sha256 = storage.write(scan_id, storage.INSTANCES, new.content, ".dcm")
        return Written(new.sop_class_uid, new.sop_uid, new.slices, path, sha256)

    with ThreadPoolExecutor(WRITERS) as writers:
        try:
            waiting: deque[Future[Written]] = deque()
            for instance in instances:
                waiting.append(writers.submit(write, instance))
                if len(waiting) > MOST_WAITING:
                    yield waiting.popleft().result()  # memory holds a few files, never all
            while waiting:
                yield waiting.popleft().result()
        except BaseException:
            # Nothing may be written any more when the folder is removed.
            writers.shutdown(cancel_futures=True)
            raise


def write_files(scan: Begun, volume: Volume, advance: Callable[[int], object]) -> Files:
    """Write slabs, preview and pictures beside the instances; the slabs are in z order."""

    def write_slab(place: tuple[int, int]) -> dict[str, Any]:
        start, count = place
        content = encode_slab(volume.hu[start : start + count])
        path, sha256 = storage.write(scan.scan_id, storage.SLABS, content, ".slab")
        return {"z_start": start, "z_count": count, "path": path, "sha256": sha256, "bytes": len(content)}

    def draw() -> tuple[Preview, list[Picture]]:
        preview, small = write_preview(scan.scan_id, volume)
        return preview, write_pictures(scan.scan_id, volume, small)

    with ThreadPoolExecutor(ENCODERS) as encoder:
        try:
            slabs = [encoder.submit(write_slab, place) for place in slab_ranges(volume.shape_zyx[0])]
            drawn = encoder.submit(draw)
            voxels = encoder.submit(volume.voxels_sha256)
            rows = []
            for written in scan.instances:
                rows.append(row_of(written, volume))
                rows[-1].path, rows[-1].sha256 = written.path, written.sha256
                advance(len(rows))
            files = Files(voxels.result(), rows, [slab.result() for slab in slabs], *drawn.result())
        except BaseException:
            encoder.shutdown(cancel_futures=True)
            raise
    storage.sync_folders(scan.scan_id)
    return files


def known_files(instances: Iterable[NewInstance], volume: Volume) -> Files:
    """What a scan that is there already is compared by; nothing is written."""
    rows = [row_of(instance, volume) for instance in instances]
    return Files(volume.voxels_sha256(), rows)


def row_of(instance: NewInstance | Written, volume: Volume) -> Instance:
    """The row of an instance, unsaved, without its file."""
    voxels = hashlib.sha256()
    for z in instance.slices:
        voxels.update(volume.hu[z].data)
    return Instance(
        z=min(instance.slices),
        sop_class_uid=instance.sop_class_uid,
        sop_uid=instance.sop_uid,
        voxels_sha256=voxels.hexdigest(),
    )
