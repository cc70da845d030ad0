"""A letter in all 48 orientations that a grid along the patient's axes can have."""

import itertools

import numpy as np

from inference.imaging import axes

SHAPE = (5, 6, 7)
SPACING = (5.0, 0.75, 0.625)
ORIENTATIONS = [
    (order, signs) for order in itertools.permutations(range(3)) for signs in itertools.product((1, -1), repeat=3)
]


def letter_f() -> np.ndarray:
    """A letter that no turn or mirror maps to itself, leaning in z."""
    hu = np.full(SHAPE, -1000, dtype=np.int16)
    hu[0, :, 1] = hu[1, 0, 1:5] = hu[2, 3, 1:4] = 100
    hu[4, 5, 6] = 300
    return hu


def upright_affine() -> np.ndarray:
    """Its place: x left, y back, z to the head."""
    return axes.make_affine((-100.5, -80.25, 40.0), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), SPACING)


def turned(order: tuple, signs: tuple) -> tuple[np.ndarray, np.ndarray]:
    """The upright letter as it would be stored in another orientation: array (x, y, z) and affine (LPS)."""
    array, affine = letter_f().transpose(2, 1, 0).transpose(order), upright_affine()
    other = affine.copy()
    other[:, :3] = affine[:, list(order)]
    for axis, sign in enumerate(signs):
        if sign < 0:
            array = np.flip(array, axis)
            other[:3, 3] += other[:3, axis] * (array.shape[axis] - 1)
            other[:3, axis] *= -1
    return array, other
