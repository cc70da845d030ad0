"""Dense lung that holds no air: what closing a lung's outline says must be lung, away from the mediastinum."""

import numpy as np
from numpy.typing import NDArray

from inference.baseline.coarse import Coarse, close, dilate, open_

BONE_ABOVE_HU = 180
VESSEL_CLOSING_MM = 6.0
DENSE_CLOSING_MM = 18.0
SPINE_HALF_WIDTH_MM = 55.0
AIRWAY_MM = 30.0


def bone_and_rim(coarse: Coarse) -> NDArray[np.bool_]:
    """Bone and the tissue next to it: never lung."""
    return dilate(open_(coarse.hu > BONE_ABOVE_HU, 1.0, coarse.spacing_zyx_mm), 2.5, coarse.spacing_zyx_mm)


def mediastinum(
    aerated: NDArray[np.bool_],
    airway: NDArray[np.bool_],
    coarse: Coarse,
    affine_lps: NDArray[np.floating],
) -> NDArray[np.bool_]:
    """Where dense tissue is taken for vessels, heart and aorta: beside the spine, by the airway, and in front."""
    _, _, x_mm = coarse.spacing_zyx_mm
    near = dilate(airway, AIRWAY_MM, coarse.spacing_zyx_mm)
    backwards = 1.0 if affine_lps[1, 1] >= 0 else -1.0
    _, y_middle, x_middle = (float(axis.mean()) for axis in np.nonzero(aerated))
    y, x = np.indices(coarse.hu.shape[1:])
    behind = (y - y_middle) * backwards > 0
    spine = (coarse.hu > BONE_ABOVE_HU) & behind & (np.abs(x - x_middle) * x_mm < 35)
    x_spine = float(np.nonzero(spine)[2].mean()) if spine.any() else x_middle
    return near | (np.abs(x - x_spine) * x_mm < SPINE_HALF_WIDTH_MM) | ~behind


def fill_dense(
    lung: NDArray[np.bool_], elsewhere: NDArray[np.bool_], deep: NDArray[np.bool_], coarse: Coarse
) -> NDArray[np.bool_]:
    """One lung with vessels closed in, and with dense lung closed in where no heart, aorta or hilum lies.

    `elsewhere` may never become this lung. The wide closing fills what a ball of 18 mm cannot enter, so that
    consolidation behind air-holding lung is kept and the domes of liver and heart stay out; a wholly dense lobe
    is beyond it.
    """
    spacing = coarse.spacing_zyx_mm
    whole = close(lung, VESSEL_CLOSING_MM, spacing)
    wide = close(lung, DENSE_CLOSING_MM, spacing) & ~deep
    # Thin sheets along the pleura are chest wall.
    wide = open_(wide & ~whole, 3.0, spacing)
    return lung | ((whole | wide) & ~elsewhere)
