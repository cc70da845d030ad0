"""Lesion by HU band inside the lungs, with vessels and edges left out."""

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.baseline.coarse import dilate, erode, open_
from inference.imaging.volume import Volume

LOWEST_HU, HIGHEST_HU = -720, 90
ABOVE_AERATED_HU = 170
SMOOTHING_MM = 1.2
EDGE_MM = 1.5
OPENING_MM = 2.5
VESSEL_ABOVE_HU = -350
VESSEL_RADIUS_MM = 5.0
VESSEL_RIM_MM = 2.0
REGROWTH_MM = 8.0
SMALLEST_ML = 0.3
GRID_MM = 1.4


def find_lesions(volume: Volume, anatomy: NDArray[np.uint8], label: int) -> NDArray[np.uint8]:
    """Findings (uint8 zyx, `label` where lesion) inside the lungs of the anatomy layer.

    A voxel is a candidate when its smoothed HU lies above both -720 and the scan's own aerated lung by 170.
    Vessels and what is thin are taken out; what is left grows back by 8 mm among the candidates.
    """
    findings = np.zeros(volume.shape_zyx, dtype=np.uint8)
    step = max(1, round(GRID_MM / volume.spacing_zyx_mm[1]))
    box = _bounding_box(anatomy, step)
    lung = anatomy[box][:, ::step, ::step] > 0
    z_mm, y_mm, x_mm = volume.spacing_zyx_mm
    spacing = (z_mm, y_mm * step, x_mm * step)
    hu = _smoothed(volume, box, step)
    floor = max(LOWEST_HU, _aerated_hu(hu, lung) + ABOVE_AERATED_HU)
    inner = erode(lung, EDGE_MM, spacing)
    candidate = inner & (hu > floor) & (hu < HIGHEST_HU)
    core = open_(candidate & ~_vessels(hu, candidate, spacing), OPENING_MM, spacing)
    core = cc3d.dust(core, threshold=int(SMALLEST_ML / (np.prod(spacing) / 1000.0)), connectivity=6)
    lesion = dilate(core.astype(bool), REGROWTH_MM, spacing) & lung & (hu > floor)
    grown = np.repeat(np.repeat(lesion, step, axis=1), step, axis=2)
    shape = tuple(s.stop - s.start for s in box)
    native = grown[:, : shape[1], : shape[2]] & (anatomy[box] > 0)
    findings[box][native] = label
    return findings


def _vessels(
    hu: NDArray[np.float32], candidate: NDArray[np.bool_], spacing_zyx_mm: tuple[float, float, float]
) -> NDArray[np.bool_]:
    """Dense voxels too thin to be consolidation, with the blurred rim around them."""
    dense = candidate & (hu > VESSEL_ABOVE_HU)
    thick = dilate(open_(dense, VESSEL_RADIUS_MM, spacing_zyx_mm), VESSEL_RIM_MM, spacing_zyx_mm)
    return dilate(dense & ~thick, VESSEL_RIM_MM, spacing_zyx_mm) & ~thick


def _smoothed(volume: Volume, box: tuple[slice, ...], step: int) -> NDArray[np.float32]:
    hu = np.clip(volume.hu[box], -1024, 400)
    z_mm, y_mm, x_mm = volume.spacing_zyx_mm
    sigma = (0.5 * SMOOTHING_MM / z_mm, SMOOTHING_MM / y_mm, SMOOTHING_MM / x_mm)
    smooth = np.empty((hu.shape[0], -(-hu.shape[1] // step), -(-hu.shape[2] // step)), dtype=np.float32)
    for z in range(hu.shape[0]):
        plane = ndimage.gaussian_filter(hu[z].astype(np.float32), sigma[1:], truncate=2.5)
        smooth[z] = plane[::step, ::step]
    return ndimage.gaussian_filter1d(smooth, sigma[0], axis=0) if sigma[0] > 0.3 else smooth


def _aerated_hu(hu: NDArray[np.float32], lung: NDArray[np.bool_]) -> float:
    """The most common HU of air-holding lung."""
    counts, edges = np.histogram(hu[lung], bins=60, range=(-1000, -400))
    peak = int(ndimage.uniform_filter1d(counts.astype(np.float64), 3).argmax())
    return float(edges[peak] + edges[peak + 1]) / 2


def _bounding_box(mask: NDArray[np.uint8], step: int) -> tuple[slice, ...]:
    box = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        where = np.flatnonzero(mask.any(axis=others))
        box.append(slice(max(int(where[0]) - step, 0), min(int(where[-1]) + step + 1, mask.shape[axis])))
    return tuple(box)
