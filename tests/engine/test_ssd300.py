"""SSD300: its published shape, its priors and boxes, what it learns from and what it answers."""

import copy
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.image_list import ImageList

from napari_astroseg.engine.nets import build
from napari_astroseg.engine.nets.boxes import corners, decoded, encoded, strongest
from napari_astroseg.engine.nets.multibox import hardest, matched, multibox_loss
from napari_astroseg.engine.nets.priors import MAPS, PER_CELL, priors
from napari_astroseg.recipes.families.ssd300 import Spec
from napari_astroseg.sky.objects import Objects

SMALL = Spec(width=0.03125, batch_norm=True)


def weights(spec):
    return sum(each.numel() for each in build(spec).parameters())


# --- shape ----------------------------------------------------------------------------------


def test_weights_are_the_published_ones():
    """SSD300 of VOC has 26 285 486; its last map's answers see one tap of their nine."""
    unseen = 8 * 256 * 4 * (4 + 21)
    assert weights(Spec(bands=3, kinds=20)) == 26_285_486 - unseen


def test_the_two_band_network_of_bubbles():
    assert weights(Spec()) == 23_696_180
    assert weights(Spec(width=0.125, batch_norm=True)) == 454_612


def test_maps_and_priors_of_a_crop():
    net = build(SMALL).eval()
    sides = []
    for head in net.places:
        head.register_forward_hook(lambda _, given, __: sides.append(given[0].shape[-1]))
    with torch.inference_mode():
        offsets, scores = net(torch.rand(2, 2, 300, 300))
    assert tuple(sides) == MAPS == (38, 19, 10, 5, 3, 1)
    assert offsets.shape == (2, 8732, 4)
    assert scores.shape == (2, 8732, 2)


def test_an_answer_belongs_to_the_prior_at_its_place():
    """What one cell of the first map gives lands where the priors have that cell."""
    net = build(SMALL).eval()
    for head in (*net.places, *net.scores):
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.zeros_(head.bias)
    row, column, which = 7, 30, 2
    with torch.inference_mode():
        net.scores[0].weight[2 * which + 1, :, 1, 1] = 1.0
        features = torch.zeros(1, net.length.numel(), 38, 38)
        features[:, :, row, column] = 1.0
        listed = net.scores[0](features).permute(0, 2, 3, 1).reshape(1, -1, 2)
    hit = int(listed[0, :, 1].argmax())
    middle = net.priors[hit, :2] * 300
    assert middle.tolist() == pytest.approx([(column + 0.5) * 8, (row + 0.5) * 8])
    assert hit == (row * 38 + column) * 4 + which


def test_folding_batch_norm_changes_nothing():
    net = build(SMALL).double()
    for _ in range(2):
        net(torch.rand(2, 2, 300, 300, dtype=torch.float64))  # let the running statistics move
    net.eval()
    planes = torch.rand(1, 2, 300, 300, dtype=torch.float64)
    with torch.inference_mode():
        for mine, theirs in zip(net.fused()(planes), net(planes), strict=True):
            assert (mine - theirs).abs().max() < 1e-9
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in net.fused().modules())


# --- priors and boxes -----------------------------------------------------------------------


def test_priors_are_those_of_the_published_network():
    own = priors()
    assert own.shape == (8732, 4)
    assert sum(n * n * k for n, k in zip(MAPS, PER_CELL, strict=True)) == 8732
    sizes = np.array([30, 60, 111, 162, 213, 264, 315]) / 300
    ratios = [[2], [2, 3], [2, 3], [2, 3], [2], [2]]
    theirs = DefaultBoxGenerator(ratios, scales=sizes.tolist(), steps=[8, 16, 32, 64, 100, 300])
    images = ImageList(torch.zeros(1, 3, 300, 300), [(300, 300)])
    boxes = theirs(images, [torch.zeros(1, 1, n, n) for n in MAPS])[0] / 300
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    beyond = (middles > 1).any(1)  # torchvision leaves these there, Liu+2016 puts them on the edge
    assert int(beyond.sum()) == 19 * 6
    assert torch.allclose(boxes[~beyond], corners(torch.from_numpy(own))[~beyond], atol=1e-5)
    assert own[beyond.numpy(), :2].max() == 1


boxes_inside = st.tuples(
    st.floats(0, 0.9), st.floats(0, 0.9), st.floats(0.02, 1), st.floats(0.02, 1)
).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))


@given(box=boxes_inside, number=st.integers(0, 8731))
def test_boxes_come_back_from_their_offsets(box, number):
    prior = torch.from_numpy(priors())[number].double()
    box = torch.tensor(box, dtype=torch.float64)
    offsets = encoded(box, prior)
    assert decoded(offsets, prior).tolist() == pytest.approx(box.tolist(), abs=1e-9)
    theirs = BoxCoder((10.0, 10.0, 5.0, 5.0)).encode_single(box[None], corners(prior)[None])
    assert offsets.tolist() == pytest.approx(theirs[0].tolist(), rel=1e-4, abs=1e-4)


def test_wild_offsets_give_finite_boxes():
    assert torch.isfinite(decoded(torch.full((4,), 1e6), torch.tensor([0.5, 0.5, 0.1, 0.1]))).all()


def test_of_overlapping_boxes_the_strongest_stays():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10], [0, 0, 10, 10.0]])
    objects = Objects(boxes, np.array([0.6, 0.9, 0.5, 0.4]), np.array([1, 1, 1, 2]))
    kept = strongest(objects, 0.45)
    assert kept.scores.tolist() == [0.9, 0.5, 0.4]  # the last is of another class
    assert len(strongest(objects, 0.85)) == 4
    assert len(strongest(Objects.none(), 0.5)) == 0


# --- matching and loss ----------------------------------------------------------------------


FOUR = torch.tensor(
    [[0.25, 0.25, 0.5, 0.5], [0.75, 0.75, 0.5, 0.5], [0.25, 0.75, 0.5, 0.5], [0.5, 0.5, 1, 1]]
)
"""Three quarters of a crop, and all of it."""


def test_a_prior_finds_what_it_overlaps_by_half():
    boxes = torch.tensor([[0.0, 0.0, 0.5, 0.4]])
    classes, offsets = matched(boxes, torch.tensor([1]), FOUR, 0.5)
    assert classes.tolist() == [1, 0, 0, 0]
    assert decoded(offsets, FOUR)[0].tolist() == pytest.approx(boxes[0].tolist())


def test_every_object_has_a_prior_even_if_two_want_the_same():
    boxes = torch.tensor([[0.0, 0.0, 0.1, 0.1], [0.0, 0.0, 0.12, 0.12]])
    classes, offsets = matched(boxes, torch.tensor([1, 2]), FOUR, 0.5)
    assert classes[0] == 2  # the one that overlaps it more
    assert sorted(classes.tolist()) == [0, 0, 1, 2]
    own = decoded(offsets, FOUR)[classes == 1][0]
    assert own.tolist() == pytest.approx(boxes[0].tolist(), abs=1e-6)


def test_a_crop_without_objects_is_all_background():
    classes, offsets = matched(torch.zeros(0, 4), torch.zeros(0, dtype=torch.long), FOUR, 0.5)
    assert classes.tolist() == [0] * 4
    assert offsets.shape == (4, 4)


def test_three_of_the_hardest_per_match_and_twenty_at_least():
    rng = np.random.default_rng(0)
    each = torch.from_numpy(rng.random((3, 100)))
    on = torch.zeros(3, 100, dtype=torch.bool)
    on[0, :10] = True
    on[1, :2] = True
    chosen = hardest(each, on, 3.0, 20)
    assert chosen.sum(1).tolist() == [30, 20, 20]
    assert not (chosen & on).any()
    for losses, off, own in zip(each, chosen, on, strict=True):
        assert losses[off].min() > losses[~off & ~own].max()
    assert hardest(each[:, :15], on[:, :15], 3.0, 20).sum(1).tolist() == [5, 13, 15]


def test_the_loss_by_hand():
    """Two crops of four priors: one object in the first, none in the second."""
    offsets = torch.zeros(2, 4, 4)
    scores = torch.zeros(2, 4, 2)
    scores[0, 0, 1] = 2.0
    scores[0, 1, 1] = 1.0
    scores[1, 3, 1] = -1.0
    classes = torch.tensor([[1, 0, 0, 0], [0, 0, 0, 0]])
    places = torch.zeros(2, 4, 4)
    places[0, 0] = torch.tensor([0.5, 0.0, 2.0, 0.0])
    loss = multibox_loss((offsets, scores), (classes, places), torch.ones(2), 1.0, 1)
    far = (0.125 + 1.5) / 4
    on = math.log(1 + math.exp(-2.0))
    off = (math.log(1 + math.e) + math.log(2)) / 2  # the hardest of each crop
    assert float(loss) == pytest.approx(far + on + off, rel=1e-5)
    first = multibox_loss((offsets, scores), (classes, places), torch.tensor([1.0, 0.0]), 1.0, 1)
    assert float(first) == pytest.approx(far + on + math.log(1 + math.e), rel=1e-5)


def test_crops_without_objects_teach_by_their_background_alone():
    offsets = torch.randn(2, 50, 4, requires_grad=True)
    scores = torch.randn(2, 50, 2, requires_grad=True)
    nothing = torch.zeros(2, 50, dtype=torch.long), torch.full((2, 50, 4), torch.nan)
    loss = multibox_loss((offsets, scores), nothing, torch.ones(2), 3.0, 20)
    loss.backward()
    assert torch.isfinite(loss)
    assert not offsets.grad.any()
    assert (scores.grad.abs().sum(2) > 0).sum(1).tolist() == [20, 20]


# --- learning -------------------------------------------------------------------------------


def ringed(count, seed=0):
    """Crops with one bright square each, and its box."""
    rng = np.random.default_rng(seed)
    planes = torch.from_numpy(rng.random((count, 2, 300, 300)).astype(np.float32) * 0.2)
    boxes = []
    for number in range(count):
        x, y, side = (int(n) for n in rng.integers((20, 20, 90), (120, 120, 160)))
        planes[number, :, y : y + side, x : x + side] += 0.7
        boxes.append(torch.tensor([[x, y, x + side, y + side]]) / 300)
    classes = [torch.ones(1, dtype=torch.long)] * count
    return SimpleNamespace(planes=planes, boxes=boxes, classes=classes, weight=torch.ones(count))


def test_it_learns_a_bright_square():
    torch.manual_seed(0)
    net = build(SMALL)
    batch = ringed(2)
    losses = []
    for _ in range(5):
        net.zero_grad()
        loss = net.learn(batch)
        loss.backward()
        with torch.no_grad():
            for each in net.parameters():
                each.sub_(3e-3 * each.grad)
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    with torch.inference_mode():
        answers, loss = net.judged(batch)
    assert loss.item() < 0.7 * losses[0] and len(answers) == 2
    assert {id(w) for w in net.heads()} < {id(w) for w in net.parameters()}


def test_what_an_answer_says_of_a_crop():
    """Three priors of one object, another object, and one below the least score."""
    net = build(SMALL)
    offsets, scores = torch.zeros(1, 8732, 4), torch.zeros(1, 8732, 2)
    scores[..., 0] = 9.0
    strong, beside, other, weak = 4000, 4001, 8724, 100
    for number, certain in ((strong, 12.0), (beside, 10.0), (other, 11.0), (weak, 8.0)):
        scores[0, number, 1] = certain
    offsets[0, beside] = encoded(corners(net.priors[strong]), net.priors[beside]) + 0.05
    (found,) = net.found((offsets, scores))
    assert found.scores.tolist() == pytest.approx([1 / (1 + math.e**-3), 1 / (1 + math.e**-2)])
    boxes = corners(net.priors[[strong, other]]).clamp(0, 1)
    assert np.allclose(found.boxes, boxes.numpy(), atol=1e-6)
    assert found.classes.tolist() == [1, 1]


def test_the_same_seed_gives_the_same_network():
    nets = []
    for _ in range(2):
        torch.manual_seed(5)
        nets.append(build(SMALL).state_dict())
    assert all(torch.equal(a, b) for a, b in zip(*(n.values() for n in nets), strict=True))
    assert copy.deepcopy(nets[0]).keys() == nets[1].keys()
    assert "priors" not in nets[0]
