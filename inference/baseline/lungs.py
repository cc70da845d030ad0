"""Lungs on the coarse grid: air inside the body, less airway and bowel, with dense lung closed in."""

import cc3d
import fill_voids
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import watershed

from inference.baseline.coarse import Coarse, dilate, erode, open_
from inference.baseline.dense import bone_and_rim, fill_dense, mediastinum

LUNG_BELOW_HU = -320
BODY_ABOVE_HU = -400
FREE_AIR_BELOW_HU = -930
GAS_EDGE_BELOW_HU = -860
GAS_EDGE_VOXELS = 4
SMALLEST_LUNG_ML = 60.0
SMALLEST_SHARE = 0.12
LEFT_LUNG, RIGHT_LUNG = 1, 2


def find_lungs(coarse: Coarse, affine_lps: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Anatomy (uint8 zyx: 1 left, 2 right) on the coarse grid; all 0 where there is no lung.

    `affine_lps` is the native grid's; only its directions tell left from right and front from back.
    """
    anatomy = np.zeros(coarse.hu.shape, dtype=np.uint8)
    body = _body(coarse)
    aerated, free = _aerated(coarse, body)
    if not aerated.any():
        return anatomy
    sides = split_sides(aerated, coarse, affine_lps)
    bone = bone_and_rim(coarse)
    deep = mediastinum(aerated, free, coarse, affine_lps)
    for side in (LEFT_LUNG, RIGHT_LUNG):
        lung = sides == side
        if lung.any():
            elsewhere = ~body | bone | free | (anatomy > 0) | ((sides > 0) & ~lung)
            full = fill_voids.fill(fill_dense(lung, elsewhere, deep, coarse))
            anatomy[full & (anatomy == 0) & ((sides == 0) | lung)] = side
    return anatomy


def _body(coarse: Coarse) -> NDArray[np.bool_]:
    """The patient without table and clothes: the largest solid piece, each axial slice filled."""
    solid = open_(coarse.hu > BODY_ABOVE_HU, 3.0, coarse.spacing_zyx_mm)
    solid = _largest(solid)
    return np.stack([ndimage.binary_fill_holes(plane) for plane in solid]) if solid.any() else solid


def _aerated(coarse: Coarse, body: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Air-holding lung without specks, and the free air (airway, stomach, bowel) that was left out."""
    air = (coarse.hu < LUNG_BELOW_HU) & body
    free = open_(air & (coarse.hu < FREE_AIR_BELOW_HU), 2.0, coarse.spacing_zyx_mm)
    free = _free_air(free, air, coarse)
    # Noise and beam hardening lighten the edge of gas; it is reached through gas, never through a wall.
    edge = air & (coarse.hu < GAS_EDGE_BELOW_HU)
    free = ndimage.binary_dilation(free, iterations=GAS_EDGE_VOXELS, mask=edge | free)
    lung = air & ~dilate(free, 4.5, coarse.spacing_zyx_mm)
    lung = open_(lung, 2.0, coarse.spacing_zyx_mm)
    pieces = connected(lung)
    counts = np.bincount(pieces.reshape(-1))
    counts[0] = 0
    smallest = max(SMALLEST_LUNG_ML / coarse.voxel_ml, SMALLEST_SHARE * counts.max())
    return np.isin(pieces, np.flatnonzero(counts >= smallest)), free


def _free_air(free: NDArray[np.bool_], air: NDArray[np.bool_], coarse: Coarse) -> NDArray[np.bool_]:
    """Of very dark pieces, those that are airway or gut: walled off by tissue, not by lung.

    Emphysema is as dark, but lies within lung: most of its surroundings are air-holding too.
    """
    pieces = connected(free)
    kept = np.zeros_like(free)
    for label, box in enumerate(ndimage.find_objects(pieces), start=1):
        if box is None:
            continue
        wide = tuple(slice(max(s.start - 4, 0), s.stop + 4) for s in box)
        piece = pieces[wide] == label
        if piece.sum() * coarse.voxel_ml < 1.0:
            continue
        shell = dilate(piece, 7.0, coarse.spacing_zyx_mm) & ~dilate(piece, 3.5, coarse.spacing_zyx_mm)
        if shell.any() and air[wide][shell].mean() < 0.5:
            kept[wide] |= piece
    return kept


def split_sides(aerated: NDArray[np.bool_], coarse: Coarse, affine_lps: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Left (1) and right (2) lung, also where the two touch; left is the patient's left (LPS +x)."""
    seeds = _two_seeds(aerated, coarse)
    if seeds is None:
        return _one_side(aerated, affine_lps)
    if seeds.max() > 1:
        depth = ndimage.distance_transform_edt(aerated, sampling=coarse.spacing_zyx_mm)
        regions = watershed(-depth, seeds, mask=aerated)
    else:
        regions = seeds
    first, second = (_leftness(regions == label, affine_lps) for label in (1, 2))
    left, right = (1, 2) if first > second else (2, 1)
    sides = np.zeros(aerated.shape, dtype=np.uint8)
    sides[regions == left] = LEFT_LUNG
    sides[regions == right] = RIGHT_LUNG
    return sides


def _two_seeds(aerated: NDArray[np.bool_], coarse: Coarse) -> NDArray[np.int32] | None:
    """The cores of two lungs (1 and 2), eroding until they part; None when there is one lung only."""
    for radius_mm in (0.0, 2.5, 4.5, 7.0, 10.0, 14.0):
        core = erode(aerated, radius_mm, coarse.spacing_zyx_mm) if radius_mm else aerated
        pieces = connected(core)
        counts = np.bincount(pieces.reshape(-1))
        counts[0] = 0
        biggest = np.argsort(counts)[::-1][:2]
        if len(counts) > 2 and counts[biggest[1]] > SMALLEST_SHARE * counts[biggest[0]]:
            seeds = np.zeros(aerated.shape, dtype=np.int32)
            seeds[pieces == biggest[0]] = 1
            seeds[pieces == biggest[1]] = 2
            return seeds
    return None


def _one_side(aerated: NDArray[np.bool_], affine_lps: NDArray[np.floating]) -> NDArray[np.uint8]:
    """One lung only: which side of the middle of the image it lies on decides."""
    middle = _leftness(np.ones((1, *aerated.shape[1:]), dtype=bool), affine_lps)
    side = LEFT_LUNG if _leftness(aerated, affine_lps) > middle else RIGHT_LUNG
    return aerated.astype(np.uint8) * np.uint8(side)


def _leftness(mask: NDArray[np.bool_], affine_lps: NDArray[np.floating]) -> float:
    """How far to the patient's left a mask's centre lies in the axial plane (any unit, only compared)."""
    _, y, x = (axis.mean() for axis in np.nonzero(mask))
    return float(affine_lps[0, 0] * x + affine_lps[0, 1] * y)


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    pieces = connected(mask)
    counts = np.bincount(pieces.reshape(-1))
    counts[0] = 0
    return pieces == int(counts.argmax()) if counts.any() else mask


def connected(mask: NDArray[np.bool_]) -> NDArray[np.integer]:
    """Pieces that touch by faces, numbered from 1."""
    return cc3d.connected_components(mask, connectivity=6)
