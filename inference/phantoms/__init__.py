"""Synthetic chest CT of known geometry and known answers."""

from inference.phantoms.chest import CONSOLIDATION, GROUND_GLASS, Facts, Lesion, Phantom, make_phantom
from inference.phantoms.series import write_dicom_series

__all__ = [
    "CONSOLIDATION",
    "GROUND_GLASS",
    "Facts",
    "Lesion",
    "Phantom",
    "make_phantom",
    "write_dicom_series",
]
