"""The training loop: epochs of a recipe, a checkpoint after each, weights and card as the recipe says."""

import os
import time
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from inference.networks.precision import SINGLE, autocast, deterministic, mixed_precision
from inference.networks.torch_engine import TorchEngine
from inference.networks.unet import UNet
from inference.training import checkpoints
from inference.training.batches import batches
from inference.training.checkpoints import Checkpoint, RunRefused
from inference.training.curves import write_curves
from inference.training.finishing import chosen_epoch, write_chosen
from inference.training.losses import loss_of
from inference.training.processes import World
from inference.training.recipes import LESION, LUNG, SGD, Recipe
from inference.training.runs import Run
from inference.training.sampling import Epoch, Sampler, steps_of
from inference.training.tuning import Score, score

# cuBLAS repeats itself only with a workspace of this kind.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def train(run: Run, world: World) -> list[dict[str, float | None]]:
    """Train, or go on with a run that was stopped; returns the figures of each epoch. Raises RunRefused.

    The outcome follows from recipe, split, seed and data; on one device, stopped or not, bit for bit.
    """
    with deterministic(world.device):
        return _Training(run, world).all_epochs()


class _Training:
    def __init__(self, run: Run, world: World) -> None:
        self.run, self.world, recipe = run, world, run.recipe
        self.cases = run.of(run.split.train)
        self.sampler = Sampler(self.cases, run.seed, recipe.negatives_per_positive)
        if not len(self.sampler.positive):
            raise RunRefused("There is no slice with lesion to train on.")
        self.steps_an_epoch = len(self._steps(self.sampler.epoch(0)))
        self.precision = mixed_precision(world.device) if recipe.mixed_precision else SINGLE
        torch.manual_seed(run.seed)
        self.network = UNet(recipe.width, recipe.labels).to(world.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser = _optimiser(self.network, recipe)
        self.scaler = torch.amp.GradScaler(world.device.type, enabled=self.precision == "fp16")
        identity = checkpoints.identity_of(recipe, run.split, run.seed, run.cases)
        self.state = Checkpoint(identity, 0, {}, {}, {})
        self._take_up(identity)
        self.model: nn.Module = self.network
        if world.size > 1:
            # Statistics of normalisation are shared as they are computed.
            self.model = DistributedDataParallel(self.network, forward_sync_buffers=False)

    def all_epochs(self) -> list[dict[str, float | None]]:
        total = self.run.recipe.epochs * self.steps_an_epoch
        hidden = self.run.quiet or not self.world.leads
        with tqdm(total=total, initial=self.state.epoch * self.steps_an_epoch, unit="step", disable=hidden) as bar:
            while self.state.epoch < self.run.recipe.epochs:
                self._epoch(bar)
        if self.world.leads:
            # Again, since a kill may have come between a checkpoint and these.
            write_curves(self.run.out, self.state.history)
            write_chosen(self.run, self.state.history, self._computed_on())
        self.world.wait()
        return self.state.history

    def _epoch(self, bar: "tqdm[Any]") -> None:
        number, began = self.state.epoch, time.monotonic()
        epoch = self.sampler.epoch(number)
        if epoch.remark and number == 0 and self.world.leads and not self.run.quiet:
            bar.write(epoch.remark)
        trained = self._train(number, epoch, bar)
        engine = TorchEngine(self.network, self.world.device, self.precision)
        tuned = score(engine, self.run.of(self.run.split.tune), self.run.recipe.labels, self.world)
        rate = self.optimiser.param_groups[0]["lr"]
        row: dict[str, float | None] = {
            "epoch": number + 1,
            "slices": len(epoch.places),
            "learning_rate": rate,
            "train_loss": trained.loss,
            "train_lung_dice": trained.dice.get(LUNG),
            "train_lesion_dice": trained.dice.get(LESION),
            "tune_loss": tuned.loss,
            "tune_lung_dice": tuned.dice.get(LUNG),
            "tune_lesion_dice": tuned.dice.get(LESION),
            "seconds": round(time.monotonic() - began, 2),
        }
        self.state.history.append(row)
        self.state.epoch = number + 1
        if self.world.leads:
            self._store()
            seen = tuned if self.run.split.tune else trained
            bar.set_postfix_str(f"epoch {number + 1}, lesion Dice {seen.dice.get(LESION) or 0:.3f}")
        self.world.wait()

    def _train(self, number: int, epoch: Epoch, bar: "tqdm[Any]") -> Score:
        """One pass; returns the mean loss, and by label the Dice of all its slices together, as they were changed."""
        recipe, device = self.run.recipe, self.world.device
        steps = self._steps(epoch)
        self.model.train()
        # Summed on the device, since reading it at each step would make a GPU wait.
        losses = torch.zeros((), dtype=torch.float64, device=device)
        counts = torch.zeros(2, len(recipe.labels), dtype=torch.int64, device=device)
        made = batches(self.cases, steps, recipe, self.run.seed, number, device, self.run.threads)
        for step, batch in enumerate(made):
            for group in self.optimiser.param_groups:
                group["lr"] = recipe.learning_rate_at(
                    number * self.steps_an_epoch + step, recipe.epochs * self.steps_an_epoch
                )
            self.optimiser.zero_grad(set_to_none=True)
            with autocast(device, self.precision):
                logits = self.model(batch.slices)
            loss = loss_of(logits, batch.truth, batch.known, recipe.soft_dice)
            self.scaler.scale(loss).backward()
            if recipe.largest_gradient:
                self.scaler.unscale_(self.optimiser)
                nn.utils.clip_grad_norm_(self.network.parameters(), recipe.largest_gradient)
            self.scaler.step(self.optimiser)
            self.scaler.update()
            losses += loss.detach().double()
            found, wanted = (logits.detach() > 0) & (batch.known[..., None, None] > 0), batch.truth > 0
            counts[0] += (found & wanted).sum((0, 2, 3))
            counts[1] += found.sum((0, 2, 3)) + wanted.sum((0, 2, 3))
            bar.update()
        mean = float(self.world.total(losses)) / self.world.size / max(len(steps), 1)
        if not torch.isfinite(torch.tensor(mean)):
            raise RunRefused(f"The loss of epoch {number + 1} is no number; a lower learning rate may help.")
        both, either = self.world.total(counts).tolist()
        shared = zip(recipe.labels, both, either, strict=True)
        return Score(mean, {label: 2 * part / of if of else None for label, part, of in shared})

    def _steps(self, epoch: Epoch) -> list[Any]:
        return list(steps_of(epoch.places, self.world.rank, self.world.size, self.run.recipe.batch))

    def _take_up(self, identity: str) -> None:
        found = checkpoints.load(self.run.out, identity)
        if found is None:
            return
        self.network.load_state_dict(found.network)
        self.optimiser.load_state_dict(found.optimiser)
        if found.scaler:  # empty where it was stopped on a device that needs none
            self.scaler.load_state_dict(found.scaler)
        self.state = found

    def _store(self) -> None:
        self.state.network = self.network.state_dict()
        self.state.optimiser, self.state.scaler = self.optimiser.state_dict(), self.scaler.state_dict()
        checkpoints.store(self.run.out, self.state)
        write_curves(self.run.out, self.state.history)
        if chosen_epoch(self.run.recipe.choice, self.state.history) == self.state.epoch:
            write_chosen(self.run, self.state.history, self._computed_on())

    def _computed_on(self) -> str:
        """What computes, and in which precision. A run that went on elsewhere has the last of its devices."""
        device, count = self.world.device, self.world.size
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else "processor"
        return f"{f'{count} x ' if count > 1 else ''}{name}, {self.precision}"


def _optimiser(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    if recipe.optimiser == SGD:
        return torch.optim.SGD(
            network.parameters(), recipe.learning_rate, momentum=recipe.momentum, weight_decay=recipe.weight_decay
        )
    # Only what multiplies decays: shifts and scales of normalisation would lose their meaning.
    decaying = [one for one in network.parameters() if one.ndim > 1]
    others = [one for one in network.parameters() if one.ndim <= 1]
    groups: list[dict[str, Any]] = [
        {"params": decaying, "weight_decay": recipe.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, recipe.learning_rate)
