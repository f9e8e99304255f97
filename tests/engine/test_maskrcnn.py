"""Mask R-CNN: its anchors and weights as published, a loss by hand, bands, masks, one image."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torchvision.models.detection import maskrcnn_resnet50_fpn

from napari_astroseg.engine.nets import build
from napari_astroseg.engine.nets.maskrcnn import _listed
from napari_astroseg.engine.nets.pasting import pasted
from napari_astroseg.recipes.families.maskrcnn import Spec
from napari_astroseg.sky.window import Window

TINY = Spec(backbone="resnet18", width=0.125, features=16, hidden=64, bands=2)


def disks(side=64):
    """Two planes with a wide disk (class 2) and a narrow bright one (class 1), and the truth."""
    y, x = np.mgrid[:side, :side]
    masks = np.stack([np.hypot(x - 20, y - 24) <= 9, np.hypot(x - 46, y - 40) <= 4])
    planes = np.stack([masks[0] * 0.5 + masks[1] * 1.0, masks[0] * 1.0 + masks[1] * 0.3])
    edges = [(m.any(0).nonzero()[0], m.any(1).nonzero()[0]) for m in masks]
    boxes = [(c[0], r[0], c[-1] + 1, r[-1] + 1) for c, r in edges]
    return SimpleNamespace(
        planes=torch.from_numpy(planes.astype(np.float32))[None],
        boxes=(torch.tensor(boxes, dtype=torch.float32),),
        classes=(torch.tensor([2, 1]),),
        masks=(torch.from_numpy(masks.astype(np.uint8)),),
        truth=masks,
    )


@pytest.fixture
def net():
    torch.manual_seed(0)
    return build(TINY)


def counted(net):
    return sum(weight.numel() for weight in net.parameters())


def test_the_published_net_has_the_weights_of_torchvision_s():
    theirs = maskrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=3)
    anchors = theirs.rpn.anchor_generator.num_anchors_per_location()
    assert anchors == [3] * 5
    assert counted(build(Spec())) == counted(theirs)


def test_more_bands_change_the_first_convolution_alone():
    assert counted(build(TINY)) - counted(build(TINY.model_copy(update={"bands": 1}))) == 49 * 8


def test_an_image_of_512_pixels_has_65_472_anchors_of_8_to_128_pixels():
    net = build(Spec(backbone="resnet18", width=0.125, features=8, hidden=8, bands=1))
    planes = torch.zeros(1, 1, 512, 512)
    with torch.inference_mode():
        levels = net.backbone(planes)
        (anchors,) = net.rpn.anchor_generator(_listed(planes), list(levels.values()))
    assert len(anchors) == 3 * sum((512 // stride) ** 2 for stride in (4, 8, 16, 32, 64)) == 65_472
    sides = (anchors[:, 2:] - anchors[:, :2]).prod(1).sqrt().reshape(-1, 3)
    first = sides[[0, 16384, 20480, 21504, 21760]].tolist()
    assert first == [pytest.approx([side] * 3, rel=0.07) for side in (8, 16, 32, 64, 128)]


def test_without_objects_and_knowledge_the_loss_is_that_of_guessing(net):
    """Every anchor is background at even odds, log 2; three classes are equally likely, log 3."""
    with torch.no_grad():
        for layer in (net.rpn.head.cls_logits, net.roi_heads.box_predictor.cls_score):
            layer.weight.zero_()
            layer.bias.zero_()
    nothing = SimpleNamespace(
        planes=torch.rand(1, 2, 64, 64),
        boxes=(torch.zeros(0, 4),),
        classes=(torch.zeros(0, dtype=torch.int64),),
        masks=(torch.zeros(0, 64, 64, dtype=torch.uint8),),
    )
    losses = {name: float(value.detach()) for name, value in net.losses(nothing).items()}
    assert losses.pop("loss_objectness") == pytest.approx(math.log(2), rel=1e-5)
    assert losses.pop("loss_classifier") == pytest.approx(math.log(3), rel=1e-5)
    assert set(losses.values()) == {0.0}
    assert float(net.learn(nothing).detach()) == pytest.approx(math.log(6), rel=1e-5)


def test_a_mask_at_even_odds_costs_log_2(net):
    with torch.no_grad():
        net.roi_heads.mask_predictor.mask_fcn_logits.weight.zero_()
        net.roi_heads.mask_predictor.mask_fcn_logits.bias.zero_()
    assert float(net.losses(disks())["loss_mask"].detach()) == pytest.approx(math.log(2), rel=1e-5)


def test_answers_and_losses_leave_the_mode_as_it_was(net):
    for mode in (True, False):
        net.train(mode)
        with torch.no_grad():
            answers, loss = net.judged(disks())
        assert len(answers) == 1
        assert math.isfinite(float(loss))
        assert net.rpn.training is net.roi_heads.training is mode


def test_the_heads_are_all_but_the_resnet(net):
    heads, every = {id(w) for w in net.heads()}, {id(w) for w in net.parameters()}
    assert every - heads == {id(w) for w in net.backbone.trunk.parameters()}


def test_it_learns_one_image_by_heart(net):
    batch = disks()
    net.train()
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(60):
        optimiser.zero_grad()
        net.learn(batch).backward()
        optimiser.step()
    with torch.inference_mode():
        (found,) = net.eval().answer(batch.planes)
    found = found[:2]
    assert sorted(found.classes.tolist()) == [1, 2]
    for kind, truth in ((2, batch.truth[0]), (1, batch.truth[1])):
        footprint = found[found.classes == kind].masks[0]
        mask = np.zeros((64, 64), bool)
        mask[footprint.window.slices] = footprint.mask
        assert (mask & truth).sum() / (mask | truth).sum() > 0.5


def test_a_full_mask_fills_its_box_and_no_more():
    (footprint,) = pasted(np.ones((1, 28, 28)), np.array([[4.0, 6.0, 14.0, 11.0]]), (20, 20))
    assert footprint.window == Window(4, 6, 10, 5)
    assert footprint.mask.all()
    (half,) = pasted(
        np.repeat([[[1.0, 1.0, 0.0, 0.0]]], 4, 1), np.array([[0.0, 0.0, 8.0, 8.0]]), (20, 20)
    )
    assert half.mask[:, :4].all() and not half.mask[:, 5:].any()


def test_a_box_thinner_than_a_pixel_at_the_edge_still_has_a_window():
    (footprint,) = pasted(np.ones((1, 28, 28)), np.array([[19.98, 3.0, 20.0, 5.0]]), (20, 20))
    assert footprint.window == Window(19, 3, 1, 2)


def test_the_spec_wants_five_sides():
    with pytest.raises(ValueError, match="five levels"):
        Spec(anchors_px=(8, 16))
    with pytest.raises(ValueError, match="every ratio"):
        Spec(ratios=(0.0,))
