"""Prediction: a made-up network whose answer is known, so that all around it can be checked."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from inference.baseline import segment as segment_classically
from inference.imaging.findings import SeriesRefused
from inference.imaging.volume import Volume
from inference.measures.overlap import dice
from inference.networks.cards import Card
from inference.networks.drawing import bridge_along_z, draw, smooth_along_z
from inference.networks.running import MemoryShort, Runner
from inference.networks.stacks import FEWEST_FOR_SCOUTS, stack_probabilities
from inference.networks.torch_engine import TorchEngine
from inference.networks.unet import UNet
from inference.networks.weights import save_weights
from inference.phantoms import Phantom, make_phantom
from inference.phantoms.chest import Lesion
from inference.predict import Predictor
from inference.transforms import Look

CPU = torch.device("cpu")


class ByGrey(nn.Module):
    """Aerated lung by its grey in the window -600 / 1500, ground glass by its; counts what it was asked."""

    def __init__(self, holds: int = 1000) -> None:
        super().__init__()
        self.holds = holds
        self.asked: list[tuple[int, ...]] = []

    def forward(self, slices: Tensor) -> Tensor:
        self.asked.append(tuple(slices.shape))
        if len(slices) > self.holds:
            raise torch.OutOfMemoryError("out of memory")
        hu = slices * 1500 - 1350
        lung = (hu > -940) & (hu < -700)
        lesion = (hu > -700) & (hu < -300)
        return torch.cat([lung, lesion], 1).float() * 20 - 10


def silent(fraction: float, what: str) -> None:
    pass


@pytest.fixture
def card_path(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    card = Card(
        name="tiny",
        version="1",
        labels=("lung", "lesion"),
        width=2,
        look=Look(kind="window", size=128),
        weights_sha256="",
        licence="CC0",
        training={"sets": []},
        metrics={},
    )
    save_weights(UNet(2, ("lung", "lesion")).weights(), card, tmp_path / "tiny.json")
    return tmp_path / "tiny.json"


def predictor(card_path: Path, network: nn.Module) -> Predictor:
    made = Predictor(card_path, "cpu")
    made.runner = Runner(TorchEngine(network, CPU, "fp32"))
    return made


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    lesions = [Lesion((-0.1, 0.2, side * 0.45), (0.2, 0.12, 0.1), -550, 1) for side in (1, -1)]
    return make_phantom(5, shape_zyx=(32, 128, 128), spacing_zyx_mm=(8.0, 2.8, 2.8), lesions=lesions, noise_hu=5)


def test_lungs_and_lesion_come_back_on_the_scans_grid(card_path: Path, phantom: Phantom) -> None:
    told: list[float] = []
    made = predictor(card_path, ByGrey())
    found = made.segment(phantom.volume, lambda fraction, what: told.append(fraction))
    assert dice(found.findings, phantom.findings) > 0.9
    assert dice(found.anatomy == 1, phantom.anatomy == 1) > 0.93
    assert dice(found.anatomy == 2, phantom.anatomy == 2) > 0.93
    assert not found.findings[found.anatomy == 0].any()
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_most_slices_are_cut_to_the_lungs(card_path: Path, phantom: Phantom) -> None:
    network = ByGrey()
    predictor(card_path, network).segment(phantom.volume, silent)
    whole = [shape for shape in network.asked if shape[2:] == (128, 128)]
    cut = {shape[2:] for shape in network.asked} - {(128, 128)}
    assert sum(shape[0] for shape in whole) == 9
    assert len(cut) == 1
    assert cut.pop()[0] < 128


def test_a_patient_who_lies_the_other_way_gets_the_same_masks(card_path: Path, phantom: Phantom) -> None:
    made = predictor(card_path, ByGrey())
    plain = made.segment(phantom.volume, silent)
    affine = phantom.volume.affine_lps.copy()
    affine[:2, 3] += affine[:2, :2] @ np.array([127.0, 127.0])
    affine[:2, :2] *= -1
    turned = made.segment(Volume(phantom.volume.hu[:, ::-1, ::-1], affine), silent)
    assert np.array_equal(turned.anatomy[:, ::-1, ::-1], plain.anatomy)
    assert np.array_equal(turned.findings[:, ::-1, ::-1], plain.findings)
    swapped = phantom.volume.affine_lps[:, [1, 0, 2, 3]]
    across = made.segment(Volume(phantom.volume.hu.swapaxes(1, 2), swapped), silent)
    assert np.array_equal(across.anatomy.swapaxes(1, 2), plain.anatomy)


def test_gas_of_the_stomach_is_no_lung(card_path: Path) -> None:
    class ByGreyAndGas(ByGrey):
        def forward(self, slices: Tensor) -> Tensor:
            hu = slices * 1500 - 1350
            lung = ((hu > -980) & (hu < -700)) | ((hu > 85) & (hu < 125))
            return torch.cat([lung, (hu > -700) & (hu < -300)], 1).float() * 20 - 10

    phantom = make_phantom(5, shape_zyx=(64, 128, 128), spacing_zyx_mm=(4.5, 2.8, 2.8), lesions=[], noise_hu=5)
    z, y, x = np.meshgrid(*((np.arange(n) + 0.5) / n * 2 - 1 for n in (64, 128, 128)), indexing="ij")
    stomach = ((z + 1) / 0.24) ** 2 + ((y - 0.02) / 0.28) ** 2 + ((x - 0.42) / 0.17) ** 2 <= 1
    # What the network takes for lung joins gas and lung.
    joint = (z < -0.55) & (abs(y - 0.02) < 0.06) & (abs(x - 0.42) < 0.06) & (phantom.anatomy == 0)
    hu = np.where(stomach, np.int16(-965), np.where(joint, np.int16(105), phantom.volume.hu))
    made = predictor(card_path, ByGreyAndGas())
    found = made.segment(Volume(hu, phantom.volume.affine_lps), silent)
    assert not found.anatomy[stomach].any()
    assert dice(found.anatomy == 1, phantom.anatomy == 1) > 0.93


def test_where_memory_runs_out_the_batch_is_halved_and_nothing_is_lost(card_path: Path, phantom: Phantom) -> None:
    made = predictor(card_path, ByGrey(holds=1))
    found = made.segment(phantom.volume, silent)
    assert made.runner.batch == 1
    assert np.array_equal(found.anatomy, predictor(card_path, ByGrey()).segment(phantom.volume, silent).anatomy)
    with pytest.raises(SeriesRefused, match="does not suffice for a single slice"):
        predictor(card_path, ByGrey(holds=0)).segment(phantom.volume, silent)


def test_a_slice_and_its_mirror_image_give_mirrored_probabilities() -> None:
    torch.manual_seed(0)
    slices = np.random.default_rng(0).integers(0, 256, (3, 32, 48)).astype(np.uint8)
    engine = TorchEngine(UNet(2, ("lung", "lesion")), CPU, "fp32")
    runner = Runner(engine, 2, mirrored=True)
    [plain], [turned] = (list(runner.probabilities([one])) for one in (slices, slices[:, :, ::-1]))
    assert np.array_equal(plain, turned[..., ::-1])
    [once] = Runner(engine, 2).probabilities([slices])
    [other] = Runner(engine, 2).probabilities([slices[:, :, ::-1]])
    assert np.allclose(plain, (once + other[..., ::-1]) / 2, atol=1e-6)
    assert not np.allclose(plain, once, atol=1e-4)


def test_probabilities_are_blended_with_those_of_the_slices_beside() -> None:
    wavering = np.zeros((40, 1, 40, 8), np.float16)
    wavering[::2] = 1
    smooth_along_z(wavering, 1.2)
    assert np.abs(wavering[5:-5].astype(float) - 0.5).max() < 0.05
    pillar = np.zeros((40, 2, 40, 8), np.float16)
    pillar[10:30, 0, 20, 4] = 1
    smooth_along_z(pillar, 1.2)
    assert np.array_equal(pillar > 0.5, np.pad(np.ones((20, 1, 1, 1), bool), ((10, 10), (0, 1), (20, 19), (4, 3))))
    assert float(pillar.sum()) == pytest.approx(20, rel=0.01)
    for untouched in (np.ones((1, 1, 4, 4), np.float16), np.eye(4, dtype=np.float16)[:, None, None]):
        before = untouched.copy()
        smooth_along_z(untouched, 0.0 if len(untouched) > 1 else 2.0)
        assert np.array_equal(untouched, before)


def test_slices_are_blended_by_mm_and_by_slices_where_their_distance_is_unknown(
    card_path: Path, phantom: Phantom, monkeypatch: pytest.MonkeyPatch
) -> None:
    sigmas: list[float] = []
    monkeypatch.setattr("inference.predict.smooth_along_z", lambda found, sigma: sigmas.append(sigma))
    made = predictor(card_path, ByGrey())
    made.segment(phantom.volume, silent)
    made.segment(Volume(phantom.volume.hu, phantom.volume.affine_lps, has_spacing=False), silent)
    assert phantom.volume.spacing_zyx_mm[0] == 8.0
    assert sigmas == [pytest.approx(1.5 / 8), 0.7]
    assert made.options()["smoothing_mm"] == 1.5


def columns(*slices: str) -> tuple[np.ndarray, np.ndarray]:
    """Lung and lesion of one pixel a column, one slice a word: "l" lung, "x" lesion, "." neither."""
    lung, lesion = (np.array([[[0.9 if one == what else 0.1 for one in row]] for row in slices]) for what in "lx")
    return lung.astype(np.float16), lesion.astype(np.float16)


def test_dense_lung_that_was_lost_in_some_slices_is_drawn() -> None:
    # Columns: lost between lesions; between lesion and lung; aerated between lesions; a lesion that goes on;
    # below a lesion nothing; lost for too long.
    lung, lesion = columns(
        "xxxxxx",
        "xxxlxx",
        "..ll..",
        "..ll..",
        "xllx..",
        "xllx..",
        "xl.x..",
        "xl.x..",
        "xllx.x",
    )
    before = lung.copy()
    bridge_along_z(lung, lesion, 0.5, 5)
    expected = columns(
        "xxxxxx",
        "xxxlxx",
        "xxll..",
        "xxll..",
        "xllx..",
        "xllx..",
        "xl.x..",
        "xl.x..",
        "xllx.x",
    )
    assert np.array_equal(lesion > 0.5, expected[1] > 0.5)
    assert np.array_equal(lung, before)
    assert (lesion[2:4, 0, :2] > 0.85).all(), "as sure as what is beside"


@pytest.mark.parametrize("gap_slices", [0, 1])
def test_slices_that_are_far_apart_are_not_bridged(gap_slices: int) -> None:
    lung, lesion = columns("x", ".", "x")
    bridge_along_z(lung, lesion, 0.5, gap_slices)
    assert not (lesion[1] > 0.5).any()


def test_a_consolidation_that_the_network_loses_in_some_slices_comes_back_whole(
    card_path: Path, phantom: Phantom
) -> None:
    class Losing(nn.Module):
        """In some slices it takes all lesion for neither lung nor lesion."""

        def forward(self, slices: Tensor) -> Tensor:
            logits = ByGrey().forward(slices)
            lost = (slices[:, 0].mean((1, 2)) * 1e4).long() % 3 == 0
            logits[lost] = torch.where(logits[lost, 1:] > 0, -10.0, logits[lost])
            return logits

    fine = make_phantom(
        5,
        shape_zyx=(96, 128, 128),
        spacing_zyx_mm=(2.5, 2.8, 2.8),
        lesions=[Lesion((-0.1, 0.2, 0.45), (0.3, 0.16, 0.14), -550, 1)],
        noise_hu=5,
    )
    found = predictor(card_path, Losing()).segment(fine.volume, silent)
    whole = predictor(card_path, ByGrey()).segment(fine.volume, silent)
    assert dice(found.findings, whole.findings) > 0.97
    unsized = Volume(fine.volume.hu, fine.volume.affine_lps, has_spacing=False)
    assert dice(predictor(card_path, Losing()).segment(unsized, silent).findings, whole.findings) < 0.9
    assert predictor(card_path, Losing()).options()["bridged_mm"] == 10.0


def test_other_errors_are_no_lack_of_memory() -> None:
    class Broken(nn.Module):
        def forward(self, slices: Tensor) -> Tensor:
            raise RuntimeError("weights of another shape")

    class Starved(nn.Module):
        def forward(self, slices: Tensor) -> Tensor:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")

    def run(network: nn.Module) -> None:
        list(Runner(TorchEngine(network, CPU, "fp32")).probabilities([np.zeros((2, 16, 16), np.uint8)]))

    with pytest.raises(RuntimeError, match="another shape"):
        run(Broken())
    with pytest.raises(MemoryShort):
        run(Starved())


def test_the_same_scan_gives_the_same_masks(card_path: Path, phantom: Phantom) -> None:
    one, two = (Predictor(card_path, "cpu").segment(phantom.volume, silent) for _ in range(2))
    assert np.array_equal(one.anatomy, two.anatomy)
    assert np.array_equal(one.findings, two.findings)


@pytest.mark.parametrize("hu", [-1000, 0, -3024])
def test_scans_without_a_chest_give_empty_masks(card_path: Path, hu: int) -> None:
    made = predictor(card_path, ByGrey())
    found = made.segment(Volume(np.full((3, 40, 50), hu, np.int16), np.eye(4)), silent)
    assert not found.anatomy.any()
    assert not found.findings.any()


def test_a_single_slice_is_segmented(card_path: Path, phantom: Phantom) -> None:
    alone = Volume(phantom.volume.hu[16:17], phantom.volume.affine_lps)
    found = predictor(card_path, ByGrey()).segment(alone, silent)
    assert dice(found.anatomy, phantom.anatomy[16:17]) > 0.9


def test_every_slice_is_seen_where_there_are_few_and_none_is_lost_where_many() -> None:
    engine = TorchEngine(ByGrey(), CPU, "fp32")
    lung = np.full((32, 32), 80, np.uint8)
    few = stack_probabilities(Runner(engine), lambda z: lung, FEWEST_FOR_SCOUTS - 1, 2, 32)
    many = stack_probabilities(Runner(engine), lambda z: lung, 41, 2, 32)
    assert (few[:, 0] > 0.99).all()
    assert (many[:, 0] > 0.99).all()
    black = np.zeros((32, 32), np.uint8)
    edge = stack_probabilities(Runner(engine), lambda z: lung if 9 <= z < 30 else black, 41, 2, 32)
    assert np.flatnonzero(edge[:, 0].max(axis=(1, 2)) > 0.5).tolist() == list(range(9, 30))


def layers() -> tuple[np.ndarray, np.ndarray]:
    lung, lesion = np.zeros((10, 40, 60), np.float16), np.zeros((10, 40, 60), np.float16)
    lung[1:9, 5:35, 5:25] = 0.9
    lung[1:9, 5:35, 35:55] = 0.9
    return lung, lesion


def test_dense_lung_that_the_network_saw_as_lesion_alone_belongs_to_the_lung() -> None:
    lung, lesion = layers()
    lung[3:6, 25:35, 5:20] = 0.1
    lesion[3:6, 25:35, 5:20] = 0.8
    drawn = draw(lung, lesion, 0.5)
    assert (drawn.lung[3:6, 25:35, 5:20] > 0.5).all()
    assert (drawn.lesion <= drawn.lung).all()


def test_what_lung_closes_in_is_lung_and_specks_are_not() -> None:
    lung, lesion = layers()
    lung[4:6, 15:20, 10:15] = 0.1
    lung[0, 0:2, 0:2] = 0.9
    lesion[8:, 0:3, 57:] = 0.9
    drawn = draw(lung, lesion, 0.5)
    assert (drawn.lung[4:6, 15:20, 10:15] > 0.5).all()
    assert not drawn.lung[0].any()
    assert not drawn.lesion.any()
    assert not draw(np.zeros_like(lung), lesion, 0.5).lesion.any()


def test_weights_for_lesion_alone_get_their_lungs_from_the_baseline(tmp_path: Path, phantom: Phantom) -> None:
    class LesionByGrey(ByGrey):
        def forward(self, slices: Tensor) -> Tensor:
            return super().forward(slices)[:, 1:]

    card = Card(
        name="study",
        version="1",
        labels=("lesion",),
        width=2,
        look=Look(kind="window", size=128, lung_alone=True),
        weights_sha256="",
        licence="CC0",
        training={"sets": []},
        metrics={},
    )
    save_weights(UNet(2, ("lesion",)).weights(), card, tmp_path / "study.json")
    made = predictor(tmp_path / "study.json", LesionByGrey())
    found = made.segment(phantom.volume, silent)
    assert np.array_equal(found.anatomy, segment_classically(phantom.volume).anatomy)
    assert dice(found.findings, phantom.findings) > 0.85
    assert not found.findings[found.anatomy == 0].any()
    empty = made.segment(Volume(np.zeros((3, 40, 50), np.int16), np.eye(4)), silent)
    assert not empty.anatomy.any()
    assert not empty.findings.any()


class Doubtful(ByGrey):
    """Aerated lung by its grey; lesion of a probability of 0.6 wherever that is."""

    def forward(self, slices: Tensor) -> Tensor:
        lung = super().forward(slices)[:, :1]
        return torch.cat([lung, torch.where(lung > 0, math.log(0.6 / 0.4), -20.0)], 1)


def test_a_draft_says_how_unsure_the_network_is_of_it(card_path: Path, phantom: Phantom) -> None:
    sure = predictor(card_path, ByGrey()).segment(phantom.volume, silent).uncertainty
    assert sure is not None
    assert 0 <= sure < 0.01
    found = predictor(card_path, Doubtful()).segment(phantom.volume, silent)
    # The network's grid is the phantom's own: 128 x 128.
    drawn, millilitre = np.count_nonzero(found.findings), 1 / phantom.volume.voxel_volume_ml
    expected = (1.2 * drawn + millilitre) / (1.6 * drawn + millilitre)
    assert found.uncertainty == pytest.approx(1 - expected, abs=0.001)


def test_uncertainty_of_pictures_of_unknown_size_counts_pixels(
    card_path: Path, phantom: Phantom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.predict.SMOOTHING_SLICES", 0.0)
    unsized = Volume(phantom.volume.hu, phantom.volume.affine_lps, has_spacing=False)
    found = predictor(card_path, Doubtful()).segment(unsized, silent)
    drawn = np.count_nonzero(found.findings)
    assert found.uncertainty == pytest.approx(1 - (1.2 * drawn + 10) / (1.6 * drawn + 10), abs=0.001)


def test_uncertainty_hardly_depends_on_how_fine_the_scan_is(card_path: Path, phantom: Phantom) -> None:
    fine = Volume(
        np.repeat(np.repeat(phantom.volume.hu, 2, 1), 2, 2), phantom.volume.affine_lps @ np.diag([0.5, 0.5, 1, 1])
    )
    made = predictor(card_path, Doubtful())
    pair = [made.segment(volume, silent).uncertainty for volume in (phantom.volume, fine)]
    assert pair[0] == pytest.approx(pair[1], abs=0.001)


def test_where_nothing_is_a_lung_nothing_is_said_of_uncertainty(card_path: Path) -> None:
    water = Volume(np.zeros((3, 128, 128), np.int16), np.eye(4))
    assert predictor(card_path, ByGrey()).segment(water, silent).uncertainty is None
    assert segment_classically(water).uncertainty is None
