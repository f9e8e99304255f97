"""Probabilistic U-Net: the network of Bretonnière+2021, after Kohl+2018.

A U-Net sees the stamp. A prior encoder sees it too and tells a Gaussian; a draw of it is laid
beside the U-Net's last features at every pixel, and a head of 1×1 convolutions makes classes of
both. While it learns, the draw is that of a posterior encoder, which sees the truth as well; the
loss pulls the two Gaussians together.

Every block is 3×3 convolutions with ReLU; 2×2 average pooling on the way down, bilinear upsampling
and concatenation with the skip on the way up. An encoder is the way down, a mean over all pixels,
and one 1×1 convolution.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_astroseg.engine.nets.base import Halo
from napari_astroseg.engine.nets.dice import weighted_dice
from napari_astroseg.engine.nets.gaussian import Gaussian
from napari_astroseg.engine.nets.sampling import SamplingNet, folded
from napari_astroseg.recipes.families.probunet import Spec

_JUDGED_BY = 8
"""Draws by which a validation stamp is judged: enough to rank epochs."""

_BLOCK = 2**14
"""Pixels whose draws are made together: 2 MiB of the published network's features."""

_TELL = 0.01
"""Standard deviation of the first weights that tell a Gaussian."""


def build(spec: Spec) -> ProbUNet:
    """The untrained network that `spec` describes."""
    return ProbUNet(spec)


class ProbUNet(SamplingNet):
    """See the module's first lines; `spec` gives width, depth, latent dimensions and loss."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.latent, self.stride = spec.latent, spec.stride
        self.reach = 0  # a Gaussian is of a whole stamp: no context makes a part of it exact
        self._spec = spec
        classes = len(spec.class_weights)
        self.unet = UNet(spec.bands, spec.channels, spec.convolutions)
        self.prior = Encoder(spec.bands, spec)
        self.posterior = Encoder(spec.bands + classes, spec)
        self.head = Head(spec.channels[0], spec.latent, classes, spec.head)
        self.learnt: Tensor
        self.register_buffer("learnt", torch.zeros((), dtype=torch.int64))
        self.apply(_begin)
        self.to(memory_format=torch.channels_last)

    @property
    def beta(self) -> float:
        """What the divergence weighs now."""
        steps = self._spec.warmup_steps
        return self._spec.beta * (min(1.0, int(self.learnt) / steps) if steps else 1.0)

    def forward(self, planes: Tensor, halo: Halo = Halo()) -> Tensor:
        """Scores (n, classes, h, w), background first, of the prior's mean; `halo` taken off."""
        scores = self.head(self.head.seen(self.unet(planes)), self.prior(planes).mean)
        height, width = scores.shape[-2:]
        return scores[..., halo.top : height - halo.bottom, halo.left : width - halo.right]

    def loss(self, scores: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """Dice and cross-entropy; `target` (n, 1, h, w) holds the number of each pixel's class."""
        logs = torch.log_softmax(scores.float(), 1)
        truth = self._one_hot(target)
        unlike = weighted_dice(logs.exp(), truth, weight, self._spec.class_weights)
        if not self._spec.cross_entropy:
            return unlike
        surprise = -(weight * truth * logs).sum() / weight.sum().clamp(min=1.0)
        return unlike + self._spec.cross_entropy * surprise

    def probability(self, scores: Tensor) -> Tensor:
        """Softmax of the scores, without background: (n, classes - 1, h, w)."""
        return torch.softmax(scores, 1)[:, 1:]

    def learn(self, batch: Any) -> Tensor:
        """The loss of a draw of the posterior, which rises with `beta` step by step."""
        prior = self.prior(batch.planes)
        truth = self._one_hot(batch.target)
        posterior = self.posterior(torch.cat((batch.planes, truth), 1))
        latent = posterior.at(torch.randn_like(posterior.mean))
        scores = self.head(self.head.seen(self.unet(batch.planes)), latent)
        apart = posterior.divergence(prior).mean()
        loss = self.loss(scores, batch.target, batch.weight) + self.beta * apart
        if self.training:
            self.learnt += 1
        return loss

    def answer(self, planes: Tensor) -> Any:
        """Mean probabilities (n, classes - 1, h, w) of a few draws, always the same ones."""
        samples = self.samples(planes, _JUDGED_BY, torch.Generator().manual_seed(0))
        return folded(samples)[0].cpu().numpy()

    def judged(self, batch: Any) -> tuple[Any, Tensor]:
        """The answer, and the loss, which sees another draw than any of the answer's."""
        return self.answer(batch.planes), self.learn(batch)

    def drawn(self, planes: Tensor, noise: Tensor) -> Iterator[Tensor]:
        """Probabilities for each draw; U-Net and prior run once, the head once for each."""
        prior = self.prior(planes)
        seen = self.head.seen(self.unet(planes))
        for each in noise:
            yield self.probability(self.head(seen, prior.at(each)).float())

    def moments(self, planes: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Of all draws, block by block of pixels: what the head works on stays in the cache."""
        prior = self.prior(planes)
        seen = self.head.seen(self.unet(planes))
        shifts = self.head.shifts(torch.stack([prior.at(each) for each in noise]).to(seen.dtype))
        whole = len(planes), -1, *seen.shape[-2:]
        with torch.no_grad():
            blocks = [
                [
                    folded(self._draws(block, shifts[:, number]))
                    for block in stamp.flatten(1).split(_BLOCK, 1)
                ]
                for number, stamp in enumerate(seen)
            ]
        mean, variance = (
            torch.stack([torch.cat([told[which] for told in stamp], 1) for stamp in blocks])
            for which in (0, 1)
        )
        return mean.reshape(whole), variance.reshape(whole)

    def _draws(self, seen: Tensor, shifts: Tensor) -> Iterator[Tensor]:
        """Probabilities (classes - 1, pixels) of the draws of one stamp's pixels."""
        spare = torch.empty_like(seen), torch.empty_like(seen)  # fresh memory costs page faults
        for shift in shifts:
            scores = self.head.of_pixels(seen, shift, spare)
            yield torch.softmax(scores.float(), 0)[1:]

    def _one_hot(self, target: Tensor) -> Tensor:
        classes = F.one_hot(target[:, 0].long(), len(self._spec.class_weights))
        return classes.movedim(-1, 1).to(target.dtype)


class UNet(nn.Module):
    """From planes (n, bands, h, w) to features (n, channels[0], h, w)."""

    def __init__(self, bands: int, channels: tuple[int, ...], convolutions: int) -> None:
        super().__init__()
        self.down = _way_down(bands, channels, convolutions)
        steps = list(itertools.pairwise(reversed(channels)))
        self.up = nn.ModuleList(_block(low + fine, fine, convolutions) for low, fine in steps)

    def forward(self, planes: Tensor) -> Tensor:
        """The features."""
        skips = list(_levels(self.down, planes))
        features = skips.pop()
        for block in self.up:
            features = F.interpolate(features, scale_factor=2.0, mode="bilinear")
            features = block(torch.cat((features, skips.pop()), 1))
        return features


class Encoder(nn.Module):
    """From planes (n, bands, h, w) to a Gaussian of each stamp."""

    def __init__(self, bands: int, spec: Spec) -> None:
        super().__init__()
        self.down = _way_down(bands, spec.channels, spec.convolutions)
        self.tell = nn.Conv2d(spec.channels[-1], 2 * spec.latent, 1)

    def forward(self, planes: Tensor) -> Gaussian:
        """The Gaussian."""
        *_, features = _levels(self.down, planes)
        return Gaussian.told(self.tell(features.mean((2, 3), keepdim=True))[..., 0, 0])


class Head(nn.Module):
    """1×1 convolutions from features and a draw to scores (n, classes, h, w).

    The first one is linear in both, so its share of the features is made once (`seen`) and that of
    each draw added to it.
    """

    def __init__(self, features: int, latent: int, classes: int, count: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(features, features, 1)
        self.draw = nn.Linear(latent, features, bias=False)
        inner = [nn.Conv2d(features, features, 1) for _ in range(count - 2)]
        self.inner = nn.ModuleList(inner)
        self.tell = nn.Conv2d(features, classes, 1)

    def seen(self, features: Tensor) -> Tensor:
        """What the first convolution makes of the features."""
        shared: Tensor = self.first(features)
        return shared

    def shifts(self, latents: Tensor) -> Tensor:
        """What draws (..., latent) add to the first convolution: (..., features)."""
        added: Tensor = self.draw(latents)
        return added

    def of_pixels(self, seen: Tensor, shift: Tensor, spare: tuple[Tensor, Tensor]) -> Tensor:
        """Scores (classes, pixels) of one stamp's pixels (features, pixels) and one draw.

        Two tensors like `seen` are worked in; no gradient comes through.
        """
        features, other = spare
        torch.add(seen, shift[:, None], out=features).relu_()
        for layer in self.inner:
            _pointwise(layer, features, other).relu_()
            features, other = other, features
        return _pointwise(self.tell, features)

    def forward(self, seen: Tensor, latent: Tensor) -> Tensor:
        """Scores of a draw (n, latent)."""
        features = seen + self.shifts(latent.to(seen.dtype))[..., None, None]
        for layer in self.inner:
            features = layer(F.relu(features))
        scores: Tensor = self.tell(F.relu(features))
        return scores


def _way_down(bands: int, channels: tuple[int, ...], convolutions: int) -> nn.ModuleList:
    steps = itertools.pairwise((bands, *channels))
    return nn.ModuleList(_block(i, o, convolutions) for i, o in steps)


def _levels(down: nn.ModuleList, planes: Tensor) -> Iterator[Tensor]:
    """Features of each level, finest first."""
    features = planes
    for level, block in enumerate(down):
        features = block(F.avg_pool2d(features, 2) if level else features)
        yield features


def _block(inputs: int, outputs: int, convolutions: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for source in (inputs, *[outputs] * (convolutions - 1)):
        layers += [nn.Conv2d(source, outputs, 3, padding=1), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def _pointwise(layer: nn.Module, features: Tensor, out: Tensor | None = None) -> Tensor:
    """A 1×1 convolution of (features, pixels)."""
    assert isinstance(layer, nn.Conv2d) and layer.bias is not None
    return torch.addmm(layer.bias[:, None], layer.weight[..., 0, 0], features, out=out)


def _begin(layer: nn.Module) -> None:
    """First weights He-normal where a ReLU follows, else smaller; biases 0.

    Both Gaussians begin close to the standard normal.
    """
    if isinstance(layer, (nn.Conv2d, nn.Linear)):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    if isinstance(layer, Encoder):
        nn.init.normal_(layer.tell.weight, std=_TELL)
    if isinstance(layer, Head):
        nn.init.kaiming_normal_(layer.tell.weight, nonlinearity="linear")
