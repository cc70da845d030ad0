"""A chest made of ellipsoids: body, spine, ribs, two lungs, airway, vessels, lesions and noise.

Coordinates inside the phantom are fractions of the field of view: x and y from -1 to 1 (patient's left and
back positive, as in LPS), z from -1 (feet) to 1 (head).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.imaging import axes
from inference.imaging.volume import Volume

GROUND_GLASS = 1
CONSOLIDATION = 2
LEFT_LUNG = 1
RIGHT_LUNG = 2

AIR_HU, LUNG_HU, FAT_HU, SOFT_HU, BLOOD_HU, BONE_HU = -1000, -860, -90, 40, 50, 600


@dataclass(frozen=True)
class Lesion:
    """An ellipsoid of one density: centre and radii in phantom fractions (z, y, x), HU, findings label."""

    centre_zyx: tuple[float, float, float]
    radii_zyx: tuple[float, float, float]
    hu: int
    label: int


@dataclass(frozen=True)
class Facts:
    """The phantom's known answers, counted from its own truth (defined in `measures`)."""

    lung_volume_ml: float
    left_lung_volume_ml: float
    right_lung_volume_ml: float
    lesion_volume_ml: float
    extent_percent: float
    weight_g: float
    lung_weight_g: float
    lesion_mean_hu: float | None


@dataclass(frozen=True, eq=False)
class Phantom:
    """A synthetic scan with its true layers (uint8 zyx on the volume's grid) and known answers."""

    volume: Volume
    anatomy: NDArray[np.uint8]
    findings: NDArray[np.uint8]
    facts: Facts
    seed: int


def default_lesions(random: np.random.Generator) -> list[Lesion]:
    """Three ground-glass and two consolidated lesions, near the pleura and to the back, as in COVID-19."""
    lesions = []
    for side, label in ((1, 1), (-1, 1), (-1, 1), (1, 2), (-1, 2)):
        centre = (random.uniform(-0.55, 0.35), random.uniform(0.05, 0.4), side * random.uniform(0.35, 0.55))
        size = random.uniform(0.1, 0.2) if label == GROUND_GLASS else random.uniform(0.07, 0.12)
        radii = (size * 1.6, size, size * random.uniform(0.7, 1.0))
        hu = int(random.uniform(-620, -480) if label == GROUND_GLASS else random.uniform(-80, 20))
        lesions.append(Lesion(centre, radii, hu, label))
    return lesions


def dense_lesions(random: np.random.Generator) -> list[Lesion]:
    """The default lesions, and in each lung a consolidation as dense as muscle that may fill a lobe and reach the
    pleura: what threshold and closing take for chest wall."""
    dense = []
    for side in (1, -1):
        centre = (random.uniform(-0.6, 0.3), random.uniform(0.1, 0.42), side * random.uniform(0.35, 0.6))
        radii = (random.uniform(0.15, 0.45), random.uniform(0.08, 0.2), random.uniform(0.1, 0.22))
        dense.append(Lesion(centre, radii, int(random.uniform(-60, 60)), CONSOLIDATION))
    return [*default_lesions(random), *dense]


def make_phantom(
    seed: int = 0,
    *,
    shape_zyx: tuple[int, int, int] = (64, 256, 256),
    spacing_zyx_mm: tuple[float, float, float] = (4.5, 1.4, 1.4),
    lesions: Sequence[Lesion] | None = None,
    noise_hu: float = 15.0,
    padding_hu: int | None = None,
    affine_lps: NDArray[np.floating] | None = None,
) -> Phantom:
    """A chest of known answers; the same arguments give the same voxels.

    `lesions` None draws a set from the seed, an empty list gives a healthy chest. Lesions count only where
    they lie in lung. `noise_hu` is the SD of Gaussian noise. `padding_hu` (say -3024) fills what lies outside
    the scanner's round field of view. `affine_lps` None is a plain axial grid centred at the origin.
    """
    random = np.random.default_rng(seed)
    grid = _Grid(shape_zyx)
    chosen = default_lesions(random) if lesions is None else list(lesions)
    hu, anatomy = _chest(grid, random)
    findings = np.zeros(shape_zyx, dtype=np.uint8)
    for lesion in chosen:
        box, inside = grid.ellipsoid(lesion.centre_zyx, lesion.radii_zyx)
        here = inside & (anatomy[box] > 0)
        findings[box][here] = lesion.label
        hu[box][here] = lesion.hu
    if noise_hu:
        hu += random.standard_normal(shape_zyx, dtype=np.float32) * np.float32(noise_hu)
    voxels = np.clip(np.rint(hu), -1024, 3071).astype(np.int16)
    if padding_hu is not None:
        voxels[:, (grid.y**2 + grid.x**2 > 1.0)[0]] = padding_hu
    affine = centred_affine(shape_zyx, spacing_zyx_mm) if affine_lps is None else affine_lps
    volume = Volume(voxels, np.asarray(affine, dtype=np.float64))
    return Phantom(volume, anatomy, findings, _facts(volume, anatomy, findings), seed)


def centred_affine(shape_zyx: tuple[int, int, int], spacing_zyx_mm: tuple[float, float, float]) -> NDArray[np.float64]:
    """A plain axial affine whose middle voxel lies at the patient's origin."""
    z, y, x = ((n - 1) * mm / -2 for n, mm in zip(shape_zyx, spacing_zyx_mm, strict=True))
    return axes.make_affine((x, y, z), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), spacing_zyx_mm)


class _Grid:
    """Phantom coordinates of a voxel grid, and ellipsoids on it cut out as boxes to stay quick."""

    def __init__(self, shape_zyx: tuple[int, int, int]) -> None:
        self.shape = shape_zyx
        z, y, x = ((np.arange(n, dtype=np.float32) + 0.5) / n * 2 - 1 for n in shape_zyx)
        self.z, self.y, self.x = z[:, None, None], y[None, :, None], x[None, None, :]

    def ellipsoid(
        self, centre_zyx: Sequence[float], radii_zyx: Sequence[float]
    ) -> tuple[tuple[slice, ...], NDArray[np.bool_]]:
        """The box around an ellipsoid and, inside the box, which voxel centres it contains."""
        box = []
        for n, centre, radius in zip(self.shape, centre_zyx, radii_zyx, strict=True):
            low = int(np.floor((centre - radius + 1) / 2 * n))
            high = int(np.ceil((centre + radius + 1) / 2 * n)) + 1
            box.append(slice(min(max(low, 0), n), min(max(high, 0), n)))
        (bz, by, bx), (cz, cy, cx), (rz, ry, rx) = box, centre_zyx, radii_zyx
        distance = ((self.z[bz] - cz) / rz) ** 2
        distance = distance + ((self.y[:, by] - cy) / ry) ** 2 + ((self.x[:, :, bx] - cx) / rx) ** 2
        return tuple(box), distance <= 1.0


def _chest(grid: _Grid, random: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """HU without noise or lesions, and the anatomy layer."""
    hu = np.full(grid.shape, AIR_HU, dtype=np.float32)
    outline = (grid.x / 0.93) ** 2 + (grid.y / 0.68) ** 2
    hu[:, (outline <= 1.0)[0]] = FAT_HU
    hu[:, (outline <= 0.86)[0]] = SOFT_HU
    ring = (outline > 0.78) & (outline <= 0.86)
    # Ribs run downwards from back to front: the band's phase depends on y.
    bands = np.mod(grid.z * 6.0 + grid.y * 1.2, 1.0) < 0.4
    hu[ring & bands] = BONE_HU
    box, spine = grid.ellipsoid((0, 0.42, 0), (9, 0.11, 0.1))
    hu[box][spine] = BONE_HU
    box, aorta = grid.ellipsoid((0, 0.3, 0.16), (9, 0.055, 0.05))
    hu[box][aorta] = BLOOD_HU
    anatomy = np.zeros(grid.shape, dtype=np.uint8)
    jitter = random.uniform(-0.02, 0.02, 4)
    _lung(grid, anatomy, LEFT_LUNG, (-0.05, 0.02, 0.42 + jitter[0]), (0.88, 0.47, 0.3 + jitter[1]))
    _lung(grid, anatomy, RIGHT_LUNG, (-0.05, 0.02, -0.42 + jitter[2]), (0.88, 0.47, 0.31 + jitter[3]))
    box, heart = grid.ellipsoid((-0.45, -0.16, 0.14), (0.5, 0.28, 0.27))
    anatomy[box][heart] = 0
    hu[anatomy > 0] = LUNG_HU
    _vessels(grid, hu, anatomy, random)
    box, airway = grid.ellipsoid((1.0, 0.02, 0.0), (1.05, 0.055, 0.05))
    wall_box, wall = grid.ellipsoid((1.0, 0.02, 0.0), (1.09, 0.075, 0.07))
    hu[wall_box][wall] = SOFT_HU
    anatomy[wall_box][wall] = 0
    hu[box][airway] = AIR_HU
    return hu, anatomy


def _lung(
    grid: _Grid,
    anatomy: NDArray[np.uint8],
    label: int,
    centre: tuple[float, float, float],
    radii: tuple[float, float, float],
) -> None:
    box, lung = grid.ellipsoid(centre, radii)
    _, dome = grid.ellipsoid((-1.0, centre[1], centre[2]), (0.3, radii[1] * 0.8, radii[2] * 0.8))
    dome_box, _ = grid.ellipsoid((-1.0, centre[1], centre[2]), (0.3, radii[1] * 0.8, radii[2] * 0.8))
    anatomy[box][lung] = label
    anatomy[dome_box][dome] = 0


def _vessels(grid: _Grid, hu: NDArray[np.float32], anatomy: NDArray[np.uint8], random: np.random.Generator) -> None:
    """Branches from each hilum outwards: thin, dense, part of the lung, never part of a lesion."""
    tree = np.zeros(grid.shape, dtype=bool)
    n = np.array(grid.shape)
    for side in (1.0, -1.0):
        hilum = np.array([0.05, 0.05, side * 0.17])
        for _ in range(14):
            tip = np.array([random.uniform(-0.75, 0.6), random.uniform(-0.3, 0.4), side * random.uniform(0.4, 0.65)])
            steps = np.linspace(0, 1, 2 * int(n.max()))[:, None]
            bend = np.sin(steps * np.pi) * random.normal(0, 0.06, 3)
            path = hilum + (tip - hilum) * steps + bend
            index = np.clip(((path + 1) / 2 * n).astype(int), 0, n - 1)
            tree[tuple(index.T)] = True
            thick = index[: len(index) // 3]
            tree[thick[:, 0], np.clip(thick[:, 1] + 1, 0, n[1] - 1), thick[:, 2]] = True
            tree[thick[:, 0], thick[:, 1], np.clip(thick[:, 2] + 1, 0, n[2] - 1)] = True
    tree = ndimage.binary_dilation(tree, np.ones((1, 2, 2), dtype=bool))
    hu[tree & (anatomy > 0)] = BLOOD_HU


def _facts(volume: Volume, anatomy: NDArray[np.uint8], findings: NDArray[np.uint8]) -> Facts:
    ml = volume.voxel_volume_ml
    density = np.maximum((volume.hu.astype(np.float64) + 1000.0) / 1000.0, 0.0)
    lung, lesion = anatomy > 0, findings > 0
    lung_ml, lesion_ml = float(lung.sum()) * ml, float(lesion.sum()) * ml
    return Facts(
        lung_volume_ml=lung_ml,
        left_lung_volume_ml=float((anatomy == LEFT_LUNG).sum()) * ml,
        right_lung_volume_ml=float((anatomy == RIGHT_LUNG).sum()) * ml,
        lesion_volume_ml=lesion_ml,
        extent_percent=100.0 * lesion_ml / lung_ml,
        weight_g=float(density[lesion].sum()) * ml,
        lung_weight_g=float(density[lung].sum()) * ml,
        lesion_mean_hu=float(volume.hu[lesion].mean()) if lesion.any() else None,
    )
