"""Axial pictures of what is lesion and what is not, drawn into a synthetic chest: for guidelines, not for measuring.

Each pattern changes a healthy phantom's slice where such a finding usually lies, and says where it did.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from inference.phantoms.chest import LEFT_LUNG, make_phantom

SIDE_PX = 360
SLICES = 16
SPACING_MM = 0.95
# Height of the slice in phantom fractions: below the carina, above the domes of the diaphragm.
HEIGHT = 0.12
AIR_HU, FLUID_HU, TISSUE_HU, CALCIUM_HU = -960, 12, 30, 720

Plane = NDArray[np.float32]
Region = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Illustration:
    """One axial slice (int16 HU, yx, `SPACING_MM`), the lung in it, and where the pattern is."""

    hu: NDArray[np.int16]
    lung: Region
    region: Region


def illustrate(pattern: str, seed: int = 7) -> Illustration:
    """The slice that shows `pattern`, one of PATTERNS; the same seed gives the same picture. Raises KeyError."""
    draw = PATTERNS[pattern]
    healthy, anatomy = _healthy_slice(seed)
    hu, lung = healthy.copy(), anatomy == LEFT_LUNG
    random = np.random.default_rng([seed, sorted(PATTERNS).index(pattern)])
    region = draw(hu, lung, random)
    hu += ndimage.gaussian_filter(random.standard_normal(hu.shape).astype(np.float32), 0.6) * 34
    return Illustration(np.clip(np.rint(hu), -1024, 3071).astype(np.int16), anatomy > 0, region)


@lru_cache(maxsize=2)
def _healthy_slice(seed: int) -> tuple[Plane, NDArray[np.uint8]]:
    """HU without noise, and the anatomy: a phantom's slice with finer vessels, as a real lung has."""
    phantom = make_phantom(
        seed,
        shape_zyx=(SLICES, SIDE_PX, SIDE_PX),
        spacing_zyx_mm=(320 / SLICES, SPACING_MM, SPACING_MM),
        lesions=[],
        noise_hu=0,
    )
    z = int((HEIGHT + 1) / 2 * SLICES)
    hu, anatomy = phantom.volume.hu[z].astype(np.float32), phantom.anatomy[z]
    lung = anatomy == LEFT_LUNG
    random = np.random.default_rng(seed)
    root = _place(lung, 0.52, 0.08)
    for along in (0.14, 0.38, 0.62, 0.86):
        fork = _place(lung, 0.52 + (along - 0.52) * random.uniform(0.35, 0.6), random.uniform(0.28, 0.45))
        _line(hu, (root, fork), 1.9, -60)
        for turn in (-0.09, 0.08):
            bend = _place(lung, along + turn * 0.4, random.uniform(0.5, 0.6))
            _line(hu, (fork, bend), 1.3, -250)
            _line(hu, (bend, _place(lung, along + turn, random.uniform(0.68, 0.86))), 1.1, -400)
    # Vessels that cross the slice show as dots.
    for _ in range(40):
        place = _place(lung, random.uniform(0.08, 0.92), random.uniform(0.08, 0.94))
        hu[_away(lung.shape, place) < random.uniform(0.8, 1.7)] = random.uniform(-400, -50)
    hu[~lung] = phantom.volume.hu[z][~lung]
    return ndimage.gaussian_filter(hu, 0.5), anatomy


def _depth(lung: Region) -> Plane:
    """How far inside the lung each pixel lies (px)."""
    return ndimage.distance_transform_edt(lung).astype(np.float32)


def _place(lung: Region, along: float, deep: float) -> tuple[float, float]:
    """A point (y, x) of the lung: `along` from its front (0) to its back (1), `deep` from its inner edge outwards."""
    rows = np.flatnonzero(lung.any(axis=1))
    y = int(rows[0] + along * (rows[-1] - rows[0]))
    columns = np.flatnonzero(lung[y])
    return float(y), float(columns[0] + deep * (columns[-1] - columns[0]))


def _away(shape: tuple[int, ...], centre: tuple[float, float]) -> Plane:
    """The distance of each pixel from a point (px)."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    return np.hypot(y - centre[0], x - centre[1]).astype(np.float32)


def _patch(lung: Region, centre: tuple[float, float], radius_px: float, random: np.random.Generator) -> Region:
    """An irregular patch of lung around a point."""
    wobble = ndimage.gaussian_filter(random.standard_normal(lung.shape), 7)
    return lung & (_away(lung.shape, centre) + wobble / wobble.std() * radius_px * 0.28 < radius_px)


def _ripple(lung: Region, random: np.random.Generator) -> Plane:
    """A few pixels more or less, so that no edge is drawn with a ruler."""
    noise = ndimage.gaussian_filter(random.standard_normal(lung.shape), 8)
    return (noise / noise.std() * 3).astype(np.float32)


def _net(lung: Region, mesh_px: float, random: np.random.Generator) -> Plane:
    """How far each pixel lies from the walls between irregular cells of about `mesh_px` (px)."""
    side = lung.shape[0]
    steps = np.arange(0, side, mesh_px)
    seeds = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    seeds = seeds + random.uniform(-0.38, 0.38, seeds.shape) * mesh_px
    pixels = np.indices((side, side)).reshape(2, -1).T
    nearest, _ = cKDTree(seeds).query(pixels, k=2)
    return ((nearest[:, 1] - nearest[:, 0]) / 2).reshape(lung.shape).astype(np.float32)


def _line(hu: Plane, ends: tuple[tuple[float, float], tuple[float, float]], width_px: float, level_hu: float) -> None:
    """A soft line between two points."""
    (y0, x0), (y1, x1) = ends
    y, x = np.ogrid[: hu.shape[0], : hu.shape[1]]
    length = max(1e-6, (y1 - y0) ** 2 + (x1 - x0) ** 2)
    along = np.clip(((y - y0) * (y1 - y0) + (x - x0) * (x1 - x0)) / length, 0, 1)
    gap = np.hypot(y - y0 - along * (y1 - y0), x - x0 - along * (x1 - x0))
    weight = np.clip(width_px - gap, 0, 1)
    hu[:] = hu * (1 - weight) + level_hu * weight


def _ground_glass(hu: Plane, lung: Region, random: np.random.Generator) -> Region:
    """Hazy, with the vessels still to be seen."""
    region = _patch(lung, _place(lung, 0.68, 0.72), 30, random) | _patch(lung, _place(lung, 0.3, 0.85), 13, random)
    haze = ndimage.gaussian_filter(region.astype(np.float32), 2.0) * lung
    hu += haze * (80 + 250 * np.clip((-350 - hu) / 400, 0, 1))
    return region


def _consolidation(hu: Plane, lung: Region, random: np.random.Generator) -> Region:
    """Dense as tissue, with air left in the bronchi."""
    region = _patch(lung, _place(lung, 0.72, 0.7), 28, random)
    dense = ndimage.gaussian_filter(region.astype(np.float32), 1.2) * lung
    hu[:] = np.maximum(hu, hu * (1 - dense) + TISSUE_HU * dense)
    hilum, tip = _place(lung, 0.6, 0.3), _place(lung, 0.8, 0.85)
    air = hu.copy()
    _line(air, (hilum, tip), 2.2, AIR_HU)
    _line(air, (_place(lung, 0.68, 0.52), _place(lung, 0.64, 0.92)), 1.8, AIR_HU)
    hu[region] = air[region]
    return region


def _reticulation(hu: Plane, lung: Region, random: np.random.Generator) -> Region:
    """A fine net under the pleura."""
    region = _patch(lung, _place(lung, 0.72, 0.98), 52, random) & (_depth(lung) + _ripple(lung, random) < 20)
    fade = ndimage.gaussian_filter(region.astype(np.float32), 1.5)
    wall = np.clip(1.3 - _net(lung, 8, random), 0, 1) * fade * lung
    hu[:] = np.maximum(hu, hu * (1 - wall) - 330 * wall)
    return region


def _honeycombing(hu: Plane, lung: Region, random: np.random.Generator) -> Region:
    """Cysts with walls of their own, in rows under the pleura."""
    region = _patch(lung, _place(lung, 0.82, 0.9), 46, random) & (_depth(lung) + _ripple(lung, random) < 24)
    from_wall = _net(lung, 11, random)
    hu[region] = np.where(from_wall[region] < 1.5, -90, AIR_HU)
    hu[:] = np.where(region, ndimage.gaussian_filter(hu, 0.7), hu)
    return region


def _dependent_density(hu: Plane, lung: Region, random: np.random.Generator) -> Region:
    """A veil at the back, where gravity draws the blood; gone when the patient lies prone."""
    last = np.where(lung.any(axis=0), lung.shape[0] - 1 - np.argmax(lung[::-1], axis=0), 0)
    above = last[None, :] - np.arange(lung.shape[0])[:, None]
    region = lung & (above < 17) & (np.arange(lung.shape[0])[:, None] > _place(lung, 0.75, 0.5)[0])
    veil = np.clip(1 - above / 17, 0, 1).astype(np.float32) * lung
    low = np.arange(lung.shape[0])[:, None] > _place(lung, 0.7, 0.5)[0]
    hu[:] = np.where(low & (hu < -300), hu + veil * 430, hu)
    return region


def _pleural_effusion(hu: Plane, lung: Region, random: np.random.Generator) -> Region:
    """Fluid behind the lung: a crescent outside it."""
    middle = _place(lung, 0.45, 0.42)
    rows = np.flatnonzero(lung.any(axis=1))
    region = lung & (_away(lung.shape, middle) > 0.47 * (rows[-1] - rows[0]))
    region &= np.arange(lung.shape[0])[:, None] > _place(lung, 0.55, 0.5)[0]
    region = ndimage.binary_opening(region, iterations=2)
    hu[region] = FLUID_HU
    return region


def _calcified_nodule(hu: Plane, lung: Region, random: np.random.Generator) -> Region:
    """Round, small and white as bone."""
    region = _away(lung.shape, _place(lung, 0.4, 0.66)) < 6.5
    hu[region] = CALCIUM_HU
    hu[:] = ndimage.gaussian_filter(hu, 0.6)
    return region


def _tuberculous_sequelae(hu: Plane, lung: Region, random: np.random.Generator) -> Region:
    """An old scar that draws the lung in, with calcium in it."""
    centre = _place(lung, 0.3, 0.62)
    region = _patch(lung, centre, 27, random) | (_away(lung.shape, centre) < 22)
    before = hu.copy()
    for angle in np.linspace(0, 2 * np.pi, 9, endpoint=False) + random.uniform(0, 0.5):
        reach = random.uniform(15, 25)
        _line(hu, (centre, (centre[0] + reach * np.sin(angle), centre[1] + reach * np.cos(angle))), 1.6, -40)
    core = _patch(lung, centre, 8, random)
    hu[core] = TISSUE_HU
    for _ in range(5):
        place = (centre[0] + random.uniform(-9, 9), centre[1] + random.uniform(-9, 9))
        hu[_away(lung.shape, place) < random.uniform(1.4, 2.6)] = CALCIUM_HU
    hu[:] = np.where(lung, ndimage.gaussian_filter(hu, 0.5), before)
    return region


def _motion_artefact(hu: Plane, lung: Region, random: np.random.Generator) -> Region:
    """The heart's edge and the vessels twice: the patient breathed."""
    shifted = ndimage.shift(hu, (5.0, 3.0), order=1, mode="nearest")
    moved = 0.55 * hu + 0.45 * ndimage.gaussian_filter1d(shifted, 1.2, axis=0)
    doubled = ndimage.gaussian_filter(np.where(lung, np.abs(moved - hu), 0), 4)
    region = lung & (doubled > 75)
    hu[:] = moved
    return region


PATTERNS: dict[str, Callable[[Plane, Region, np.random.Generator], Region]] = {
    "ground-glass": _ground_glass,
    "consolidation": _consolidation,
    "reticulation": _reticulation,
    "honeycombing": _honeycombing,
    "dependent-density": _dependent_density,
    "pleural-effusion": _pleural_effusion,
    "calcified-nodule": _calcified_nodule,
    "tuberculous-sequelae": _tuberculous_sequelae,
    "motion-artefact": _motion_artefact,
}
