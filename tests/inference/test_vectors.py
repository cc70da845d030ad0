"""The vectors that the browser's tests read are those that this code would write."""

import base64
import json

import numpy as np
import pytest

from inference.imaging.delta import DeltaError, apply_delta, decode_delta
from inference.imaging.masks import read_container
from inference.imaging.slabs import decode_slab
from tests.inference.vectors import FOLDER, VECTORS


@pytest.mark.parametrize("name", VECTORS)
def test_vectors_are_up_to_date(name: str) -> None:
    assert json.loads((FOLDER / name).read_text()) == VECTORS[name](), "python -m tests.inference.vectors"


def test_each_delta_turns_before_into_after_and_hostile_ones_are_refused() -> None:
    vectors = json.loads((FOLDER / "deltas.json").read_text())
    for case in vectors["accepted"]:
        mask = np.array(case["before"], dtype=np.uint8).reshape(case["shape_zyx"])
        apply_delta(mask, decode_delta(base64.b64decode(case["payload"]), tuple(case["shape_zyx"])))
        assert mask.reshape(-1).tolist() == case["after"], case["name"]
    for case in vectors["refused"]:
        with pytest.raises(DeltaError):
            decode_delta(base64.b64decode(case["payload"]), tuple(case["shape_zyx"]))


def test_slab_and_container_decode() -> None:
    slab = json.loads((FOLDER / "slab.json").read_text())
    voxels = decode_slab(base64.b64decode(slab["slab"]), tuple(slab["shape_zyx"]))
    assert voxels.reshape(-1).tolist() == slab["voxels"]
    mask = json.loads((FOLDER / "mask.json").read_text())
    assert read_container(base64.b64decode(mask["container"])).findings.reshape(-1).tolist() == mask["findings"]
