"""Versions of algorithms for tests: tiny networks with a card, on disk and registered."""

from pathlib import Path
from typing import Any

from tests.factories.pictures import a_png
from webapp.algorithms.models import Algorithm, AlgorithmFile
from webapp.archive import storage
from webapp.archive.sent_pictures import clean_picture

CURVES = (
    "epoch,slices,learning_rate,train_loss,tune_loss,tune_lung_dice,tune_lesion_dice,seconds\r\n"
    "1,120,0.1,0.9,0.8,0.7,,3.5\r\n2,120,0.1,0.5,0.6,0.91,0.42,3.4\r\n3,120,0.1,0.4,0.62,0.93,0.5,3.4\r\n"
)


def a_card(**parts: Any) -> dict[str, Any]:
    """What a card says beside the hash of its weights."""
    plain: dict[str, Any] = {
        "name": "tiny",
        "version": "1",
        "labels": ["lung", "lesion"],
        "width": 1,
        "look": {"kind": "window", "size": 32},
        "licence": "CC BY-NC-SA 4.0: non-commercial, as the sets that it was trained on",
        "training": {
            "recipe": {"name": "default", "width": 1},
            "seed": 7,
            "sets": {"phantoms": {"cases": ["P1", "P2"], "slices": 24, "licence": "Apache-2.0"}},
            "split": {"train": ["P1"], "tune": ["P2"], "validate": []},
            "epochs": 3,
            "chosen_epoch": 2,
        },
        "metrics": {
            "lesion_dice": 0.7312,
            "cases": [{"case": "P1", "lung_dice": 0.98, "lesion_dice": 0.71}, {"case": "P2", "lesion_dice": None}],
        },
        "notes": ["Consolidation at the back may be left out."],
    }
    return plain | parts


def write_version(folder: Path, *, answer: float | None = None, pictures: bool = True, **parts: Any) -> Path:
    """Card and weights of an untrained network beside each other, with a picture and curves; the card's path.

    `answer` makes it say the same of every voxel: inside where it is positive.
    """
    import torch

    from inference.networks.cards import card_of
    from inference.networks.unet import UNet
    from inference.networks.weights import save_weights

    card = card_of({**a_card(**parts), "weights_sha256": "0" * 64})
    torch.manual_seed(0)
    network = UNet(card.width, card.labels)
    if answer is not None:
        last = [module for module in network.modules() if isinstance(module, torch.nn.Conv2d)][-1]
        with torch.no_grad():
            last.weight.zero_()
            last.bias.fill_(answer)
    path = folder / f"{card.name}.json"
    save_weights(network.weights(), card, path)
    if pictures:
        (folder / f"{card.name}-failure-1.png").write_bytes(a_png((40, 30)))
        (folder / f"{card.name}.curves.csv").write_text(CURVES)
    return path


def a_registered_version(**fields: Any) -> Algorithm:
    """A version's rows with a picture in storage and without weights: for what never runs it; made once a name."""
    name, version = fields.pop("name", "tiny"), fields.pop("version", "1")
    known = Algorithm.objects.filter(name=name, version=version).first()
    if known is not None:
        return known
    plain = {"title": name.capitalize(), "entry": "network", "weights_sha256": "ab" * 32, "card": a_card(name=name)}
    made = Algorithm.objects.create(name=name, version=version, **(plain | fields))
    picture = clean_picture(a_png((40, 30)))
    path, sha256, size = storage.write_shared(storage.ALGORITHMS, picture.opened(), ".png")
    sizes = {"width_px": picture.width_px, "height_px": picture.height_px}
    AlgorithmFile.objects.create(
        algorithm=made, kind="picture", name="failure-1", path=path, sha256=sha256, bytes=size, **sizes
    )
    return made
