"""The probabilistic U-Net: shapes, draws, divergence, Dice, and what its loss is made of."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_astroseg.engine.batch import PixelBatch
from napari_astroseg.engine.nets import build
from napari_astroseg.engine.nets.base import Halo
from napari_astroseg.engine.nets.dice import weighted_dice
from napari_astroseg.engine.nets.gaussian import Gaussian
from napari_astroseg.engine.nets.sampling import folded
from napari_astroseg.recipes.families.probunet import Spec

SMALL = Spec(channels=(4, 6, 8), convolutions=1, latent=3, warmup_steps=4, beta=0.5)


@pytest.fixture
def net():
    torch.manual_seed(0)
    made = build(SMALL)
    with torch.no_grad():  # as after training: Gaussians that differ, scores that are not nearly 0
        for part in (made.prior, made.posterior):
            nn.init.normal_(part.tell.weight, std=0.7)
    return made.eval()


def batch(n=2, side=16, seed=0):
    rng = np.random.default_rng(seed)
    planes = rng.random((n, 1, side, side)).astype(np.float32)
    target = rng.integers(0, 3, planes.shape).astype(np.float32)
    return PixelBatch(*map(torch.from_numpy, (planes, target, np.ones_like(planes))))


def gaussian(mean, sigma):
    return Gaussian(torch.tensor([mean]), torch.tensor([sigma]).log())


def test_the_published_net():
    published = build(Spec())
    convolutions = [each for each in published.unet.modules() if isinstance(each, nn.Conv2d)]
    assert [each.out_channels for each in convolutions[::3]] == [
        32, 64, 128, 192, 192, 192, 256, 192, 192, 192, 128, 64, 32
    ]  # fmt: skip
    assert len(convolutions) == 39
    assert all(each.kernel_size == (3, 3) for each in convolutions)
    assert published.stride == 64
    assert published.prior.tell.out_channels == published.posterior.tell.out_channels == 20
    assert len(published.head.inner) == 1
    published.eval()
    with torch.inference_mode():
        (sample,) = published.samples(torch.rand(1, 1, 128, 128), 1, torch.Generator())
    assert sample.shape == (1, 2, 128, 128)


def test_divergence_by_hand():
    standard = gaussian([0.0], [1.0])
    assert float(standard.divergence(standard)) == 0.0
    assert float(gaussian([2.0], [1.0]).divergence(standard)) == pytest.approx(2.0)
    assert float(gaussian([0.0], [2.0]).divergence(standard)) == pytest.approx(
        (4 - 1) / 2 - np.log(2)
    )
    assert float(standard.divergence(gaussian([1.0], [2.0]))) == pytest.approx(
        np.log(2) + (1 + 1) / 8 - 0.5
    )
    both = gaussian([2.0, 0.0], [1.0, 2.0]).divergence(gaussian([0.0, 0.0], [1.0, 1.0]))
    assert float(both) == pytest.approx(2.0 + 1.5 - np.log(2))


def test_divergence_is_that_of_torch():
    rng = torch.Generator().manual_seed(1)
    means, logs = torch.randn(2, 5, 4, generator=rng), torch.randn(2, 5, 4, generator=rng)
    one, other = (Gaussian(*each) for each in zip(means, logs, strict=True))
    theirs = torch.distributions.kl_divergence(
        *(torch.distributions.Normal(each.mean, each.log_sigma.exp()) for each in (one, other))
    ).sum(1)
    assert torch.allclose(one.divergence(other), theirs, rtol=1e-4)


@pytest.mark.parametrize("wild", [1e3, 1e30, float("inf")])
def test_no_log_sigma_is_too_wild(wild):
    numbers = torch.tensor([[0.0, 1.0, wild, -wild]], requires_grad=True)
    told = Gaussian.told(numbers)
    apart = told.divergence(Gaussian.told(-numbers)) + told.at(torch.ones(1, 2)).sum()
    apart.sum().backward()
    assert torch.isfinite(apart).all() and torch.isfinite(numbers.grad).all()


def test_dice_by_hand():
    """Four pixels in two classes; one of them does not count."""
    truth = torch.tensor([[[[1.0, 1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0, 1.0]]]])
    probability = torch.tensor([[[[1.0, 0.5, 0.5, 1.0]], [[0.0, 0.5, 0.5, 0.0]]]])
    weight = torch.tensor([[[[1.0, 1.0, 1.0, 0.0]]]])
    first = (2 * 1.5 + 1) / (2.0 + 2.0 + 1)
    second = (2 * 0.5 + 1) / (1.0 + 1.0 + 1)
    told = weighted_dice(probability, truth, weight, (0.4, 0.9))
    assert float(told) == pytest.approx((0.4 * (1 - first) + 0.9 * (1 - second)) / 1.3)
    assert float(weighted_dice(truth, truth, weight, (0.4, 0.9))) == 0.0


def test_dice_of_a_class_that_is_nowhere_asks_for_none_of_it():
    truth = torch.zeros(1, 2, 8, 8)
    truth[:, 0] = 1.0
    weight = torch.ones(1, 1, 8, 8)
    spread = torch.full_like(truth, 0.5)
    losses = [float(weighted_dice(each, truth, weight, (0.1, 0.9))) for each in (truth, spread)]
    assert losses[0] == 0.0 and losses[1] > 0.8


def test_samples_cost_the_head_alone(net):
    calls = {"unet": 0, "prior": 0, "posterior": 0, "seen": 0, "head": 0}
    for name in ("unet", "prior", "posterior", "head"):
        counted = getattr(net, name)
        counted.register_forward_hook(
            lambda *_, name=name: calls.__setitem__(name, calls[name] + 1)
        )
    inner = net.head.seen
    net.head.seen = lambda features: (
        calls.__setitem__("seen", calls["seen"] + 1),
        inner(features),
    )[1]
    with torch.inference_mode():
        samples = list(net.samples(torch.rand(2, 1, 16, 16), 7, torch.Generator()))
    assert calls == {"unet": 1, "prior": 1, "posterior": 0, "seen": 1, "head": 7}
    assert len(samples) == 7
    for sample in samples:
        assert sample.shape == (2, 2, 16, 16)
        assert (sample >= 0).all() and (sample.sum(1) <= 1 + 1e-6).all()


def test_samples_differ_and_the_same_seed_gives_the_same(net):
    planes = torch.rand(2, 1, 16, 16)

    def drawn(seed):
        with torch.inference_mode():
            return torch.stack(list(net.samples(planes, 5, torch.Generator().manual_seed(seed))))

    first = drawn(3)
    assert torch.equal(first, drawn(3))
    assert not torch.equal(first, drawn(4))
    assert float(first.std(0).mean()) > 1e-3


def test_a_draw_is_laid_beside_the_last_features(net):
    """The head in two shares is the 1×1 convolution of features and tiled draw."""
    features, latent = torch.rand(2, 4, 8, 8), torch.rand(2, 3)
    whole = nn.Conv2d(7, 4, 1)
    with torch.no_grad():
        whole.weight[:, :4] = net.head.first.weight
        whole.weight[:, 4:, 0, 0] = net.head.draw.weight
        whole.bias[:] = net.head.first.bias
        tiled = latent[..., None, None].expand(-1, -1, 8, 8)
        expected = whole(torch.cat((features, tiled), 1))
        for layer in (*net.head.inner, net.head.tell):
            expected = layer(torch.relu(expected))
        assert torch.allclose(net.head(net.head.seen(features), latent), expected, atol=1e-5)


def test_the_forward_answer_is_that_of_the_prior_s_mean(net):
    planes = torch.rand(1, 1, 16, 16)
    with torch.inference_mode():
        (still,) = net.drawn(planes, torch.zeros(1, 1, 3))
        assert torch.allclose(net.probability(net(planes)), still, atol=1e-6)
        cropped = net(planes, Halo(4, 0, 8, 0))
        assert torch.equal(cropped, net(planes)[..., 4:, 8:])


def test_folding_is_numpy_s_mean_and_variance():
    samples = torch.randn(9, 2, 3, 4, generator=torch.Generator().manual_seed(0)) * 3 + 100
    mean, variance = folded(iter(samples))
    assert np.allclose(mean, samples.numpy().mean(0), atol=1e-4)
    assert np.allclose(variance, samples.numpy().var(0), rtol=1e-4)
    with pytest.raises(ValueError, match="no sample"):
        folded([])


def test_moments_by_blocks_are_those_of_all_draws(net, monkeypatch):
    monkeypatch.setattr("napari_astroseg.engine.nets.probunet._BLOCK", 100)
    generator = torch.Generator().manual_seed(1)
    planes = torch.rand(2, 1, 16, 24, generator=generator)
    noise = torch.randn(5, 2, 3, generator=generator)
    with torch.inference_mode():
        for ours, expected in zip(
            net.moments(planes, noise), folded(net.drawn(planes, noise)), strict=True
        ):
            assert ours.shape == expected.shape
            assert torch.allclose(ours, expected, atol=1e-6)


def test_the_divergence_weighs_more_step_by_step(net):
    net.train()
    told = []
    for _ in range(6):
        told.append(net.beta)
        net.learn(batch())
    assert told == [0.0, 0.125, 0.25, 0.375, 0.5, 0.5]
    net.eval()
    with torch.inference_mode():
        net.learn(batch())
    assert int(net.learnt) == 6
    assert int(net.state_dict()["learnt"]) == 6  # so that a resumed training goes on from there
    assert build(SMALL.model_copy(update={"warmup_steps": 0})).beta == 0.5


def test_the_loss_is_dice_and_divergence_and_reaches_every_weight(net):
    net.train()
    net.learnt.fill_(4)
    given = batch()
    torch.manual_seed(5)
    loss = net.learn(given)
    loss.backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0
               for name, weight in net.named_parameters() if name.endswith("weight"))  # fmt: skip
    with torch.no_grad():
        torch.manual_seed(5)
        truth = nn.functional.one_hot(given.target[:, 0].long(), 3).movedim(-1, 1).float()
        posterior = net.posterior(torch.cat((given.planes, truth), 1))
        latent = posterior.at(torch.randn_like(posterior.mean))
        scores = net.head(net.head.seen(net.unet(given.planes)), latent)
        dice = weighted_dice(scores.softmax(1), truth, given.weight, (0.4, 0.5, 0.9))
        apart = posterior.divergence(net.prior(given.planes)).mean()
    assert float(loss.detach()) == pytest.approx(float(dice + 0.5 * apart), rel=1e-5)
    assert float(net.loss(scores, given.target, given.weight)) == pytest.approx(float(dice))


def test_some_cross_entropy_may_go_with_the_dice(net):
    other = build(SMALL.model_copy(update={"cross_entropy": 0.5}))
    given, scores = batch(), torch.randn(2, 3, 16, 16)
    given.weight[0] = 0.0
    each = nn.functional.cross_entropy(scores, given.target[:, 0].long(), reduction="none")
    more = other.loss(scores, given.target, given.weight)
    dice = net.loss(scores, given.target, given.weight)
    assert float(more - dice) == pytest.approx(0.5 * float(each[1].mean()), rel=1e-4)


def test_a_few_steps_learn_where_a_bright_square_is():
    torch.manual_seed(0)
    net = build(Spec(channels=(12, 16), latent=2, cross_entropy=1.0)).train()
    target = torch.zeros(4, 1, 16, 16)
    target[:, :, 3:9, 4:12] = 1.0
    target[:, :, 6:9, 4:8] = 2.0
    given = PixelBatch(target / 2 + 0.05 * torch.rand_like(target), target, torch.ones_like(target))
    optimiser = torch.optim.Adam(net.parameters(), 5e-3)
    for _ in range(60):
        optimiser.zero_grad()
        net.learn(given).backward()
        optimiser.step()
    net.eval()
    with torch.inference_mode():
        answer = net.answer(given.planes)
        again = net.answer(given.planes)
    assert answer.shape == (4, 2, 16, 16)
    assert np.array_equal(answer, again)
    truth = target[:, 0].numpy()
    for kind in (1, 2):
        assert answer[:, kind - 1][truth == kind].mean() > 0.5
        assert answer[:, kind - 1][truth != kind].mean() < 0.2
