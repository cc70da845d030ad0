"""Extent, weight and densities of the lesion in a scan.

Definitions: "Automatic CT Quantification of Coronavirus Disease 2019 pneumonia" (J Comput Assist Tomogr 2022,
doi 10.1097/RCT.0000000000001303), restated at each function. Volumes come from the real voxel geometry.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Anatomy values beyond 2 (imported lobes) are lung of no named side.
LEFT_LUNG, RIGHT_LUNG, OTHER_LUNG = 1, 2, 3
LUNG_SIDES = (LEFT_LUNG, RIGHT_LUNG, OTHER_LUNG)
# Name: lower bound included, upper bound excluded, in HU.
DEFAULT_BANDS: Mapping[str, tuple[float, float]] = {
    "ground_glass": (-750.0, -300.0),
    "consolidation": (-300.0, 50.0),
}


@dataclass(frozen=True)
class SideMeasurements:
    """One lung: volumes in mL (None without spacing), extent in % (None without lung), weight of its lesion in g."""

    lung_volume_ml: float | None
    lesion_volume_ml: float | None
    extent_percent: float | None
    weight_g: float | None


@dataclass(frozen=True)
class LabelMeasurements:
    """One findings label inside the lung: volume in mL (None without spacing), weight in g (None without HU)."""

    volume_ml: float | None
    weight_g: float | None


@dataclass(frozen=True)
class Measurements:
    """What a mask says about its scan; `options` records every parameter that shaped the numbers.

    Lesion figures count lesion inside the lung; lesion outside is reported apart, in mL. Weights and HU figures
    are None when the scan has no Hounsfield units, volumes and weights when nothing is known of its voxels' size,
    extents are None when there is no lung, and mean and SD are None when there is no lesion.
    """

    extent_percent: float | None
    weight_g: float | None
    lesion_volume_ml: float | None
    lesion_outside_lung_ml: float | None
    lung_volume_ml: float | None
    lung_weight_g: float | None
    left: SideMeasurements
    right: SideMeasurements
    lesion_mean_hu: float | None
    lesion_sd_hu: float | None
    band_volumes_ml: dict[str, float] | None
    by_label: dict[int, LabelMeasurements]
    options: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """The measurements as plain numbers for JSON; label values become text keys."""
        plain = asdict(self)
        plain["by_label"] = {str(value): numbers for value, numbers in plain["by_label"].items()}
        return plain


def density_g_per_ml(hu: NDArray[np.generic], density_cap: float | None = None) -> NDArray[np.float64]:
    """Density of voxels: (HU + 1000) / 1000, never below 0 (padding has no mass), capped when asked to be."""
    density = np.maximum((hu.astype(np.float64) + 1000.0) / 1000.0, 0.0)
    return density if density_cap is None else np.minimum(density, density_cap)


def measure(
    hu: NDArray[np.int16],
    anatomy: NDArray[np.uint8],
    findings: NDArray[np.uint8],
    voxel_volume_ml: float | None,
    lesion_values: Collection[int],
    not_lung_values: Collection[int] = (),
    density_cap: float | None = None,
    bands: Mapping[str, tuple[float, float]] | None = None,
    has_hu: bool = True,
) -> Measurements:
    """Measure one scan; all arrays share axes zyx and shape, or ValueError is raised.

    Lung is anatomy that is not 0 (1 left, 2 right), less the findings named in `not_lung_values` (exclusions
    that do not count as lung, effusion say). extent (%) = 100 x volume(lesion inside lung) / volume(lung).
    weight (g) = sum over lesion voxels inside lung of voxel volume x density. SD is of the population of
    voxels (ddof 0). Bands are half open, [low, high), and count lesion inside lung. `by_label` has every
    findings value present inside the anatomy layer, exclusions too. `voxel_volume_ml` is None where nothing is known
    of size (pictures): extent is then by area alone, and mL and g are None.
    """
    _check(hu, anatomy, findings, voxel_volume_ml, lesion_values, not_lung_values)
    chosen = dict(DEFAULT_BANDS if bands is None else bands)
    tally = _tally(hu, anatomy, findings, density_cap, chosen)
    lesion, not_lung = set(lesion_values), set(not_lung_values)
    # Without a size each voxel counts as one: shares are the same, and everything in mL or g is left out.
    unit = _Unit(1.0 if voxel_volume_ml is None else voxel_volume_ml, voxel_volume_ml is not None, has_hu)
    left = _side(tally, LEFT_LUNG, lesion, not_lung, unit)
    right = _side(tally, RIGHT_LUNG, lesion, not_lung, unit)
    lung_keys = [key for key in tally.cells if key[0] and key[1] not in not_lung_values]
    lung = sum(tally.voxels(key) for key in lung_keys)
    inside = [(side, value) for side in LUNG_SIDES for value in lesion]
    voxels = sum(tally.voxels(key) for key in inside)
    outside = sum(tally.voxels((0, value)) for value in lesion)
    mean = sum(tally.hu_sum(key) for key in inside) / voxels if voxels and has_hu else None
    spread = None
    if mean is not None:
        square = sum(tally.hu_square_sum(key) for key in inside) / voxels
        spread = float(np.sqrt(max(square - mean * mean, 0.0)))
    return Measurements(
        extent_percent=_percent(voxels * unit.ml, lung * unit.ml),
        weight_g=unit.weight_g(sum(tally.density(key) for key in inside)),
        lesion_volume_ml=unit.volume_ml(voxels),
        lesion_outside_lung_ml=unit.volume_ml(outside),
        lung_volume_ml=unit.volume_ml(lung),
        lung_weight_g=unit.weight_g(sum(tally.density(key) for key in lung_keys)),
        left=left,
        right=right,
        lesion_mean_hu=mean,
        lesion_sd_hu=spread,
        band_volumes_ml=_bands(tally, inside, chosen, unit.ml) if has_hu and unit.is_known else None,
        by_label=_by_label(tally, unit),
        options={
            "density_cap_g_per_ml": density_cap,
            "bands_hu": {name: list(limits) for name, limits in chosen.items()},
            "lesion_values": sorted(lesion),
            "not_lung_values": sorted(not_lung),
            "voxel_volume_ml": voxel_volume_ml,
            "has_hu": has_hu,
        },
    )


@dataclass(frozen=True)
class _Unit:
    """What one voxel is worth in mL, and whether mL and Hounsfield units mean anything here."""

    ml: float
    is_known: bool
    has_hu: bool

    def volume_ml(self, voxels: int) -> float | None:
        return voxels * self.ml if self.is_known else None

    def weight_g(self, density_sum: float) -> float | None:
        return density_sum * self.ml if self.is_known and self.has_hu else None


Key = tuple[int, int]


@dataclass(frozen=True)
class _Cell:
    voxels: int
    hu_sum: float
    hu_square_sum: float
    density_sum: float
    band_voxels: tuple[int, ...]


@dataclass(frozen=True)
class _Tally:
    """Sums for each (anatomy side, findings value) that occurs; (0, 0) is left out."""

    cells: dict[Key, _Cell]

    def voxels(self, key: Key) -> int:
        return self.cells[key].voxels if key in self.cells else 0

    def hu_sum(self, key: Key) -> float:
        return self.cells[key].hu_sum if key in self.cells else 0.0

    def hu_square_sum(self, key: Key) -> float:
        return self.cells[key].hu_square_sum if key in self.cells else 0.0

    def density(self, key: Key) -> float:
        return self.cells[key].density_sum if key in self.cells else 0.0


def _tally(
    hu: NDArray[np.int16],
    anatomy: NDArray[np.uint8],
    findings: NDArray[np.uint8],
    density_cap: float | None,
    bands: Mapping[str, tuple[float, float]],
) -> _Tally:
    # One joint histogram of HU for each class serves every sum exactly, in one pass over the volume.
    histograms: dict[Key, NDArray[np.int64]] = {}
    for z in range(hu.shape[0]):
        where = np.flatnonzero((anatomy[z] | findings[z]) != 0)
        if where.size == 0:
            continue
        side = np.minimum(anatomy[z].reshape(-1)[where], OTHER_LUNG).astype(np.int64)
        classes = (side << 8) | findings[z].reshape(-1)[where]
        values = hu[z].reshape(-1)[where].astype(np.int64) + 32768
        for code in np.flatnonzero(np.bincount(classes)):
            counts = np.bincount(values[classes == code], minlength=65536)
            key = (int(code) >> 8, int(code) & 0xFF)
            histograms[key] = histograms.get(key, 0) + counts
    levels = np.arange(65536, dtype=np.int64) - 32768
    density = density_g_per_ml(levels, density_cap)
    limits = [(levels >= low) & (levels < high) for low, high in bands.values()]
    cells = {}
    for key, counts in histograms.items():
        sums = int(counts.sum()), float(counts @ levels), float(counts @ (levels * levels))
        in_bands = tuple(int(counts[limit].sum()) for limit in limits)
        cells[key] = _Cell(*sums, float(counts @ density), in_bands)
    return _Tally(cells)


def _side(tally: _Tally, side: int, lesion: set[int], not_lung: set[int], unit: _Unit) -> SideMeasurements:
    lung = sum(tally.voxels(key) for key in tally.cells if key[0] == side and key[1] not in not_lung)
    voxels = sum(tally.voxels((side, value)) for value in lesion)
    return SideMeasurements(
        lung_volume_ml=unit.volume_ml(lung),
        lesion_volume_ml=unit.volume_ml(voxels),
        extent_percent=_percent(voxels * unit.ml, lung * unit.ml),
        weight_g=unit.weight_g(sum(tally.density((side, value)) for value in lesion)),
    )


def _by_label(tally: _Tally, unit: _Unit) -> dict[int, LabelMeasurements]:
    found = {}
    for value in sorted({key[1] for key in tally.cells if key[0] and key[1]}):
        keys = [(side, value) for side in LUNG_SIDES]
        volume = unit.volume_ml(sum(tally.voxels(key) for key in keys))
        found[value] = LabelMeasurements(volume, unit.weight_g(sum(tally.density(key) for key in keys)))
    return found


def _bands(
    tally: _Tally, inside: Sequence[Key], bands: Mapping[str, tuple[float, float]], ml: float
) -> dict[str, float]:
    present = [tally.cells[key] for key in inside if key in tally.cells]
    return {name: sum(cell.band_voxels[n] for cell in present) * ml for n, name in enumerate(bands)}


def _percent(part: float, whole: float) -> float | None:
    return 100.0 * part / whole if whole > 0 else None


def _check(
    hu: NDArray[np.int16],
    anatomy: NDArray[np.uint8],
    findings: NDArray[np.uint8],
    voxel_volume_ml: float | None,
    lesion_values: Collection[int],
    not_lung_values: Collection[int],
) -> None:
    if not hu.shape == anatomy.shape == findings.shape or hu.ndim != 3:
        raise ValueError("The scan, the anatomy layer and the findings layer must share one zyx shape.")
    if hu.dtype != np.int16 or anatomy.dtype != np.uint8 or findings.dtype != np.uint8:
        raise ValueError("HU are int16 and mask layers are uint8.")
    if voxel_volume_ml is not None and not (np.isfinite(voxel_volume_ml) and voxel_volume_ml > 0):
        raise ValueError("The voxel volume must be a positive number of mL.")
    if set(lesion_values) & set(not_lung_values):
        raise ValueError("A label cannot be lesion and not count as lung at once.")
    if 0 in lesion_values or 0 in not_lung_values:
        raise ValueError("Label 0 means no finding and cannot be measured as one.")
