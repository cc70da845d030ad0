"""Test vectors that Python and the browser must agree on, byte for byte.

`python -m tests.inference.vectors` writes them anew; a test compares what is written with what would be.
"""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from inference.imaging.delta import MAGIC, delta_between, encode_delta
from inference.imaging.masks import Frame, encode_slice, slice_sha256, write_container
from inference.imaging.slabs import encode_slab
from inference.measures.quantification import measure

FOLDER = Path(__file__).resolve().parents[1] / "vectors"


def text(payload: bytes) -> str:
    return base64.b64encode(payload).decode()


def delta_case(name: str, layer: str, before: np.ndarray, after: np.ndarray) -> dict[str, Any]:
    delta = delta_between(before, after)
    payload = encode_delta(delta)
    slices = [
        {"z": r.z, "start": r.start.tolist(), "length": r.length.tolist(), "old": r.old.tolist(), "new": r.new.tolist()}
        for r in delta
    ]
    return {
        "name": name,
        "layer": layer,
        "shape_zyx": list(before.shape),
        "before": before.reshape(-1).tolist(),
        "after": after.reshape(-1).tolist(),
        "slices": slices,
        "payload": text(payload),
        "payload_sha256": hashlib.sha256(payload).hexdigest(),
    }


def deltas() -> dict[str, Any]:
    random = np.random.default_rng(20)
    empty = np.zeros((4, 5, 6), dtype=np.uint8)
    one, block, lungs = empty.copy(), empty.copy(), empty.copy()
    one[2, 3, 4] = 1
    block[1:4, 1:4, 2:5] = 2
    lungs[:, :, :3], lungs[:, :, 3:] = 1, 2
    noise = random.integers(0, 4, (3, 7, 9)).astype(np.uint8)
    other = random.integers(0, 4, (3, 7, 9)).astype(np.uint8)
    wide_before, wide_after = np.zeros((2, 40, 60), np.uint8), np.zeros((2, 40, 60), np.uint8)
    wide_after[1, 5:, :], wide_after[0, 39, 59] = 3, 255
    whole = np.full((2, 16, 16), 7, dtype=np.uint8)
    refused = {
        "empty delta": MAGIC + bytes([0]),
        "wrong magic": b"GGD2" + bytes([1, 0, 1, 0, 1, 0, 1]),
        "slice beyond the mask": MAGIC + bytes([1, 4, 1, 0, 1, 0, 1]),
        "run beyond the slice": MAGIC + bytes([1, 0, 1, 29, 2, 0, 1]),
        "zero length": MAGIC + bytes([1, 0, 1, 0, 0, 0, 1]),
        "changes nothing": MAGIC + bytes([1, 0, 1, 0, 1, 1, 1]),
        "unmerged runs": MAGIC + bytes([1, 0, 2, 0, 1, 0, 1, 0, 1, 0, 1]),
        "slices not ascending": MAGIC + bytes([2, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]),
        "trailing byte": MAGIC + bytes([1, 0, 1, 0, 1, 0, 1, 0]),
        "long varint": MAGIC + bytes([0x81, 0, 0, 1, 0, 1, 0, 1]),
        "cut short": MAGIC + bytes([1, 0, 1, 0, 1, 0]),
    }
    return {
        "accepted": [
            delta_case("one voxel", "findings", empty, one),
            delta_case("a block on three slices", "findings", empty, block),
            delta_case("erasing it", "findings", block, empty),
            delta_case("relabelling part of it", "findings", block, np.where(one > 0, 1, block).astype(np.uint8)),
            delta_case("left and right lung side by side", "anatomy", empty, lungs),
            delta_case("every kind of run", "anatomy", noise, other),
            delta_case("numbers of two bytes", "findings", wide_before, wide_after),
            delta_case("whole slices", "findings", np.zeros_like(whole), whole),
        ],
        "refused": [
            {"name": name, "shape_zyx": [4, 5, 6], "payload": text(payload)} for name, payload in refused.items()
        ],
    }


def slab() -> dict[str, Any]:
    random = np.random.default_rng(21)
    voxels = random.integers(-1024, 3072, (3, 4, 5)).astype(np.int16)
    voxels[0, 0, :4] = [-32768, 32767, -3024, 0]
    return {"shape_zyx": [3, 4, 5], "voxels": voxels.reshape(-1).tolist(), "slab": text(encode_slab(voxels))}


def mask() -> dict[str, Any]:
    anatomy, findings = np.zeros((4, 5, 6), np.uint8), np.zeros((4, 5, 6), np.uint8)
    anatomy[1:3, 1:4, :3], anatomy[1:3, 1:4, 3:] = 1, 2
    findings[2, 2, 1:4], findings[3, 0, 0] = 1, 9
    layers = {"anatomy": anatomy, "findings": findings}
    frames = [
        Frame(name, z, encode_slice(layer[z])) for name, layer in layers.items() for z in range(4) if layer[z].any()
    ]
    head = hashlib.sha256(b"head").hexdigest()
    container = write_container(shape_zyx=(4, 5, 6), stroke_sequence=17, head_hash=head, frames=frames)
    return {
        "shape_zyx": [4, 5, 6],
        "stroke_sequence": 17,
        "head_hash": head,
        "anatomy": anatomy.reshape(-1).tolist(),
        "findings": findings.reshape(-1).tolist(),
        "slice_sha256": {name: [slice_sha256(plane) for plane in layer] for name, layer in layers.items()},
        "container": text(container),
    }


def measures() -> dict[str, Any]:
    random = np.random.default_rng(22)
    shape = (6, 8, 9)
    hu = random.integers(-1100, 400, shape).astype(np.int16)
    hu[0, 0, :5] = -3024
    anatomy = random.choice(np.array([0, 1, 2, 3], np.uint8), shape, p=[0.4, 0.3, 0.25, 0.05])
    findings = random.choice(np.array([0, 1, 2, 5, 7], np.uint8), shape, p=[0.5, 0.2, 0.1, 0.1, 0.1])
    anatomy[5], findings[5] = 0, 0
    nothing = np.zeros(shape, np.uint8)
    cases = {
        "a scan": (anatomy, findings, True),
        "without Hounsfield units": (anatomy, findings, False),
        "without lung": (nothing, findings, True),
        "nothing drawn": (nothing, nothing, True),
        "lung without lesion": (anatomy, nothing, True),
    }
    ml = 0.7 * 0.7 * 1.25 / 1000
    # 1 and 7 are lesion, 2 is an exclusion that counts as lung, 5 one that does not.
    return {
        "shape_zyx": list(shape),
        "voxel_volume_ml": ml,
        "labels": [
            {"value": 1, "isExclusion": False, "countsAsLung": True},
            {"value": 2, "isExclusion": True, "countsAsLung": True},
            {"value": 5, "isExclusion": True, "countsAsLung": False},
            {"value": 7, "isExclusion": False, "countsAsLung": True},
        ],
        "hu": hu.reshape(-1).tolist(),
        "cases": [
            {
                "name": name,
                "anatomy": a.reshape(-1).tolist(),
                "findings": f.reshape(-1).tolist(),
                "has_hu": has_hu,
                "numbers": measure(hu, a, f, ml, lesion_values=(1, 7), not_lung_values=(5,), has_hu=has_hu).as_dict(),
            }
            for name, (a, f, has_hu) in cases.items()
        ],
    }


VECTORS = {"deltas.json": deltas, "slab.json": slab, "mask.json": mask, "measures.json": measures}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, make in VECTORS.items():
        (FOLDER / name).write_text(json.dumps(make(), separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
