"""Gas of stomach and bowel is no lung, and what is as dark in the lungs stays there."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.baseline.gut_gas import without_gut_gas
from inference.baseline.lungs import connected
from inference.imaging import axes
from inference.imaging.volume import Volume
from inference.phantoms import Phantom, make_phantom

GAS_HU = -990
SHAPE, SPACING = (80, 128, 128), (3.6, 2.8, 2.8)


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    made = make_phantom(3, shape_zyx=SHAPE, spacing_zyx_mm=SPACING, lesions=[])
    # Voxels that the heart cuts off from a lung would go as pieces of their own.
    pieces = connected(made.anatomy > 0)
    anatomy = np.where(np.bincount(pieces.reshape(-1))[pieces] > 1000, made.anatomy, np.uint8(0))
    return replace(made, anatomy=anatomy)


def ellipsoid(centre_zyx: tuple[float, float, float], radii_zyx: tuple[float, float, float]) -> NDArray[np.bool_]:
    """In fractions of the field of view from -1 to 1, as phantoms are made."""
    along = np.meshgrid(*((np.arange(n) + 0.5) / n * 2 - 1 for n in SHAPE), indexing="ij")
    distances = (((at - centre) / radius) ** 2 for at, centre, radius in zip(along, centre_zyx, radii_zyx, strict=True))
    inside: NDArray[np.bool_] = sum(distances) <= 1
    return inside


def filled(phantom: Phantom, gas: NDArray[np.bool_]) -> Volume:
    noise = np.random.default_rng(7).normal(0, 15, int(gas.sum()))
    hu = phantom.volume.hu.copy()
    hu[gas] = np.clip(GAS_HU + noise, -1024, 0).astype(np.int16)
    return Volume(hu, phantom.volume.affine_lps)


# Under the dome of the left diaphragm, 7 mm and more below it.
STOMACH = ellipsoid((-1.0, 0.02, 0.42), (0.24, 0.28, 0.17))


def test_gas_of_the_stomach_goes_and_the_lungs_stay_as_they_were(phantom: Phantom) -> None:
    lung = phantom.anatomy > 0
    left = without_gut_gas(filled(phantom, STOMACH), lung | STOMACH)
    assert not (left & STOMACH).any()
    assert np.array_equal(left, lung), "lung was taken with it"


def test_its_wall_and_what_the_wall_held_go_with_it(phantom: Phantom) -> None:
    lung, wall = phantom.anatomy > 0, ellipsoid((-1.0, 0.02, 0.42), (0.27, 0.31, 0.2))
    left = without_gut_gas(filled(phantom, STOMACH), lung | wall)
    assert (left & wall & ~lung).sum() < 0.02 * (wall & ~lung).sum()
    assert (lung & ~left).sum() < 0.002 * lung.sum()


@pytest.mark.parametrize("axis_flips", [(0,), (1, 2), (0, 1, 2)])
def test_whichever_way_the_scan_is_stored(phantom: Phantom, axis_flips: tuple[int, ...]) -> None:
    volume, lung = filled(phantom, STOMACH), phantom.anatomy > 0
    affine = volume.affine_lps.copy()
    for flipped in axis_flips:
        column = 2 - flipped
        affine[:3, 3] += affine[:3, column] * (SHAPE[flipped] - 1)
        affine[:3, column] *= -1
    turned = Volume(np.ascontiguousarray(np.flip(volume.hu, axis_flips)), affine)
    left = without_gut_gas(turned, np.ascontiguousarray(np.flip(lung | STOMACH, axis_flips)))
    assert np.array_equal(np.flip(left, axis_flips), lung)


@pytest.mark.parametrize(
    ("centre_zyx", "radii_zyx"),
    [
        ((-0.3, 0.0, 0.45), (0.2, 0.15, 0.12)),
        ((-0.4, 0.05, 0.68), (0.35, 0.25, 0.15)),
        ((-0.6, 0.0, 0.45), (0.25, 0.5, 0.4)),
        ((0.6, 0.0, -0.45), (0.35, 0.5, 0.4)),
    ],
    ids=["within the lung", "against the chest wall", "through the lower lobe", "through the upper lobe"],
)
def test_bullae_stay(
    phantom: Phantom, centre_zyx: tuple[float, float, float], radii_zyx: tuple[float, float, float]
) -> None:
    lung = phantom.anatomy > 0
    bulla = ellipsoid(centre_zyx, radii_zyx) & lung
    assert bulla.sum() * phantom.volume.voxel_volume_ml > 50
    assert np.array_equal(without_gut_gas(filled(phantom, bulla), lung), lung)


@pytest.mark.parametrize("up_to", [SHAPE[0] // 2 - 6, SHAPE[0]], ids=["of the lower lobes", "of the whole lungs"])
def test_emphysema_stays(phantom: Phantom, up_to: int) -> None:
    lung = phantom.anatomy > 0
    ill = lung & (phantom.volume.hu < -700)
    ill[up_to:] = False
    hu = phantom.volume.hu.copy()
    hu[ill] -= 100
    assert np.array_equal(without_gut_gas(Volume(hu, phantom.volume.affine_lps), lung), lung)


def test_what_is_no_gut_stays_where_gas_goes(phantom: Phantom) -> None:
    lung, airway = phantom.anatomy > 0, ellipsoid((1.0, 0.02, 0.0), (1.05, 0.055, 0.05))
    joined = lung | airway | ellipsoid((0.3, 0.02, 0.0), (0.1, 0.1, 0.3))
    assert np.array_equal(without_gut_gas(filled(phantom, STOMACH), joined | STOMACH), joined)


def test_no_lung_and_no_gas_are_no_fault(phantom: Phantom) -> None:
    nothing = np.zeros(SHAPE, bool)
    assert not without_gut_gas(phantom.volume, nothing).any()
    air = Volume(np.full(SHAPE, -1000, np.int16), axes.make_affine((0, 0, 0), np.eye(3)[0], np.eye(3)[1], SPACING))
    assert np.array_equal(without_gut_gas(air, ~nothing), ~nothing)
