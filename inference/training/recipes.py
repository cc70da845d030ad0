"""Recipes: everything that a training run follows, apart from its data and seed. Free of torch."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from inference.training.augment import NONE, Augmentation
from inference.transforms import Look
from inference.transforms.looks import EQUALISED, WINDOW

SGD, ADAMW = "sgd", "adamw"
CONSTANT, ONE_CYCLE = "constant", "one-cycle"
WARM_UP = 0.2
LESION, LUNG = "lesion", "lung"
BEST, LAST = "best", "last"


@dataclass(frozen=True)
class Recipe:
    """How a network is trained. `labels` are its outputs, `width` the channels of its first level.

    The loss is binary cross entropy plus `soft_dice` times (1 - soft Dice over the batch). A learning rate that is
    `one-cycle` rises over the first fifth and falls to zero along a cosine (Smith & Topin 2018). `choice` best takes
    the epoch with the highest lesion Dice on the tuning set; last takes the last one, where the rate has come to rest,
    and needs no tuning set.
    `mixed_precision` is used where the device has it. `phantoms` synthetic chests with large consolidations train
    beside the public sets: their lungs are known under those.
    """

    name: str
    labels: tuple[str, ...]
    look: Look
    width: int
    epochs: int
    batch: int
    optimiser: str
    learning_rate: float
    schedule: str
    momentum: float = 0.9
    weight_decay: float = 0.0
    soft_dice: float = 0.0
    largest_gradient: float = 0.0
    negatives_per_positive: float = 1.0
    augmentation: Augmentation = field(default=NONE)
    mixed_precision: bool = False
    phantoms: int = 0
    choice: str = BEST

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as a card records them."""
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]

    def sha256(self) -> str:
        """Hex SHA-256 of all that the recipe says."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()

    def learning_rate_at(self, step: int, steps: int) -> float:
        """The learning rate of a step (from 0) of all `steps` of the run."""
        if self.schedule == CONSTANT:
            return self.learning_rate
        warm = max(WARM_UP * steps, 1.0)
        if step < warm:
            return self.learning_rate * (0.04 + 0.96 * step / warm)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(steps - warm, 1.0)))


# What the paper does not print (rate, momentum, batch, width, number of epochs) is ours; see the model card's recipe.
STUDY = Recipe(
    name="study",
    labels=(LESION,),
    look=Look(kind=WINDOW, size=512, lung_alone=True),
    width=64,
    epochs=50,
    batch=8,
    optimiser=SGD,
    learning_rate=0.01,
    schedule=CONSTANT,
)
DEFAULT = Recipe(
    name="default",
    labels=(LUNG, LESION),
    look=Look(kind=EQUALISED, size=256),
    width=16,
    epochs=34,
    batch=8,
    optimiser=ADAMW,
    learning_rate=2e-3,
    schedule=ONE_CYCLE,
    weight_decay=1e-2,
    soft_dice=1.0,
    largest_gradient=1.0,
    augmentation=Augmentation(),
    mixed_precision=True,
    phantoms=12,
    choice=LAST,
)
RECIPES = {recipe.name: recipe for recipe in (DEFAULT, STUDY)}


def recipe_of(
    name: str,
    *,
    width: int | None = None,
    size: int | None = None,
    epochs: int | None = None,
    batch: int | None = None,
) -> Recipe:
    """A recipe by name with some numbers changed; raises ValueError with a sentence."""
    if name not in RECIPES:
        raise ValueError(f"There is no recipe {name!r}. There are: {', '.join(RECIPES)}.")
    recipe = RECIPES[name]
    for given, what in ((width, "width"), (epochs, "number of epochs"), (batch, "batch")):
        if given is not None and given < 1:
            raise ValueError(f"The {what} must be 1 or more, not {given}.")
    return replace(
        recipe,
        width=width or recipe.width,
        epochs=epochs or recipe.epochs,
        batch=batch or recipe.batch,
        look=replace(recipe.look, size=recipe.look.size if size is None else size),
    )
