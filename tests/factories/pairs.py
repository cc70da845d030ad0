"""Images with their masks as public sets ship them: one phantom, its lungs and its lesions, in files named alike."""

from pathlib import Path
from typing import Any

import numpy as np

from inference.phantoms import Phantom
from tests.factories.volume_files import write, write_picture
from webapp.masks.models import ImportedMask
from webapp.masks.queries import Layers, imported_version, version_layers


def lesion_of(phantom: Phantom) -> Any:
    """The phantom's lesions as one value (uint8 zyx)."""
    return (phantom.findings > 0).astype(np.uint8)


def write_volumes(folder: Path, phantom: Phantom, ending: str = ".nii.gz", stem: str = "case01") -> Path:
    """An image, its lungs (1 left, 2 right) and its lesions beside each other."""
    folder.mkdir(parents=True, exist_ok=True)
    for suffix, array in (("", phantom.volume.hu), ("_lung", phantom.anatomy), ("_lesion", lesion_of(phantom))):
        write(folder / f"{stem}{suffix}{ending}", array.transpose(2, 1, 0), phantom.volume.affine_lps)
    return folder


def write_pictures(folder: Path, phantom: Phantom, first: int = 0) -> Path:
    """Folders ct, lung and lesion with pictures of the same names, masks in black and white."""
    grey = np.clip((phantom.volume.hu.astype(int) + 1000) // 6, 0, 255).astype(np.uint8)
    layers = {"ct": grey, "lung": (phantom.anatomy > 0) * np.uint8(255), "lesion": lesion_of(phantom) * np.uint8(255)}
    for name, array in layers.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for z, plane in enumerate(array):
            write_picture(folder / name / f"{first + z}.png", plane)
    return folder


def the_import() -> tuple[ImportedMask, Layers]:
    """The one imported mask that there is, and the layers of its version."""
    imported = ImportedMask.objects.select_related("mask__scan", "data_set").get()
    return imported, version_layers(imported_version(imported))
