"""The study's U-Net: its topology, counted; one encoder for both outputs; batches shared by processes."""

import pytest
import torch
from torch import nn

from inference.networks.layout import gathered
from inference.networks.normalisation import SharedBatchNorm
from inference.networks.unet import UNet, fused


def test_the_network_has_the_topology_of_the_study() -> None:
    network = UNet(16, ("lesion",))
    convolutions = [one for one in network.modules() if isinstance(one, nn.Conv2d)]
    # Initial, four encoders, four decoders of two convolutions each, and the last.
    assert [one.kernel_size for one in convolutions] == [(3, 3)] * 18 + [(1, 1)]
    assert sum(isinstance(one, nn.BatchNorm2d) for one in network.modules()) == 18
    assert [encoder[0].out_channels for encoder in network.encoders] == [32, 64, 128, 256]
    # Upsampled channels beside the encoder's.
    assert [decoder[0].in_channels for decoder in network.decoders] == [384, 192, 96, 48]
    assert not any(isinstance(one, nn.ConvTranspose2d) for one in network.modules())


def test_he_initialisation() -> None:
    torch.manual_seed(0)
    network = UNet(16, ("lesion",))
    weight = network.encoders[3][3].weight
    assert float(weight.std().detach()) == pytest.approx((2 / (256 * 9)) ** 0.5, rel=0.02)


def test_each_output_has_logits_of_the_size_of_the_slice() -> None:
    network = UNet(2, ("lung", "lesion")).eval()
    with torch.inference_mode():
        assert network(torch.zeros(3, 1, 48, 64)).shape == (3, 2, 48, 64)


def test_networks_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="1 to 256 channels, not 0"):
        UNet(0, ("lesion",))
    with pytest.raises(ValueError, match="at least one output"):
        UNet(2, ())


def test_normalisation_alone_is_the_ordinary_one() -> None:
    torch.manual_seed(0)
    values = torch.randn(4, 3, 8, 8)
    ours, torchs = SharedBatchNorm(3), nn.BatchNorm2d(3)
    assert torch.equal(ours(values), torchs(values))
    assert torch.equal(ours.running_var, torchs.running_var)


def test_the_network_for_evaluation_computes_the_same_without_normalisation() -> None:
    torch.manual_seed(0)
    network = UNet(4, ("lung", "lesion"))
    with torch.no_grad():
        for one in network.modules():
            if isinstance(one, nn.BatchNorm2d):
                one.running_mean.normal_()
                one.running_var.uniform_(0.5, 2)
                one.weight.uniform_(0.5, 2)
                one.bias.normal_()
    slices = torch.rand(2, 1, 32, 32)
    with torch.inference_mode():
        plain, quick = network.eval()(slices), fused(network)(slices)
    assert torch.allclose(plain, quick, rtol=1e-3, atol=1e-3 * float(plain.abs().max()))
    assert not any(isinstance(one, nn.BatchNorm2d) for one in fused(network).modules())
    assert any(isinstance(one, nn.BatchNorm2d) for one in network.modules())


def test_gradients_that_are_gathered_are_the_same_ones() -> None:
    torch.manual_seed(0)
    values, beside, weight = (torch.randn(2, 3, 4, 4, dtype=torch.double, requires_grad=True) for _ in range(3))
    joined = [torch.cat([beside, part], dim=1)[:, 2:5] * weight for part in (values, gathered(values))]
    assert torch.equal(*joined)
    plain, ours = (torch.autograd.grad(one.sum(), (values, beside, weight), retain_graph=True) for one in joined)
    assert all(map(torch.equal, plain, ours))
    (handed,) = torch.autograd.grad(joined[1].square().sum(), values)
    assert handed.is_contiguous(memory_format=torch.channels_last)
