"""Examples: which stamps are shown while a network learns, and how."""

from types import SimpleNamespace

import numpy as np
import torch

from napari_astroseg.engine.batch import PixelBatch
from napari_astroseg.engine.bubblejudge import BoxBatch
from napari_astroseg.engine.events import ExamplesDone, MemoryUsed
from napari_astroseg.engine.examples import Examples
from napari_astroseg.engine.memory import MemoryWatch
from napari_astroseg.engine.objectjudge import ObjectBatch
from napari_astroseg.engine.run import Run
from napari_astroseg.engine.train import train
from napari_astroseg.sky.instances import Footprint, Instances
from napari_astroseg.sky.objects import Objects
from napari_astroseg.sky.window import Window


def pixels(levels, side=64):
    """A stamp for each level: flat planes of it, one half of which is true."""
    planes = np.ones((len(levels), 1, side, side), np.float32)
    planes *= np.array(levels, np.float32)[:, None, None, None]
    planes[..., 0, 0] = 0
    target = np.zeros_like(planes)
    target[..., : side // 2] = 1
    return PixelBatch(planes, target, np.ones_like(target))


def shown(examples, epoch=1):
    (event,) = examples.after(epoch)
    return event


def test_stamps_lie_evenly_over_all_that_show_something():
    examples = Examples(("structure",))
    for start in range(0, 400, 20):
        batch = pixels(np.arange(start, start + 20))
        batch.target[::2] = 0  # every other one shows nothing
        examples.add(batch.planes / 400, batch)
    event = shown(examples, 7)
    assert event.epoch == 7
    assert event.image.shape == (6, 64, 64, 3)
    assert event.truth.shape == event.answer.shape == (6, 1, 64, 64)
    level = event.answer[:, 0, 32, 32] / 255 * 400
    assert np.all(np.diff(level) > 30)  # far apart
    assert level[0] < 20
    assert level[-1] > 250
    assert not list(Examples(("structure",)).after(1))


def test_a_large_stamp_becomes_a_small_mean_of_blocks():
    examples = Examples(("structure",))
    batch = pixels([1], 300)
    examples.add(np.full((1, 1, 300, 300), 0.2, np.float32), batch)
    event = shown(examples)
    assert event.truth.shape == (1, 1, 60, 60)
    assert np.all(event.truth[0, 0, :, :30] == 255)
    assert np.all(event.truth[0, 0, :, 30:] == 0)
    assert np.all(event.answer == 51)


def test_classes_of_pixels_have_a_plane_each():
    batch = pixels([1])
    batch.target[..., 32:] = 2
    examples = Examples(("isolated", "overlap"))
    examples.add(np.stack((batch.planes[:, 0] * 0.6, batch.planes[:, 0] * 0.4), 1), batch)
    event = shown(examples)
    assert event.truth[0, :, 5, 5].tolist() == [255, 0]
    assert event.truth[0, :, 5, 50].tolist() == [0, 255]
    assert event.answer[0, :, 5, 5].tolist() == [153, 102]


def test_boxes_are_drawn_as_bright_as_they_are_sure():
    box = np.array([[0.25, 0.5, 0.75, 1.0]], np.float32)
    one = np.ones(1, np.int64)
    weight, places = np.ones(1, np.float32), np.zeros((1, 4), np.int64)
    batch = BoxBatch(np.zeros((1, 2, 300, 300), np.float32), (box,), (one,), weight, places)
    examples = Examples(("bubble",))
    examples.add([Objects(box.astype(float), np.array([0.4]), one)], batch)
    event = shown(examples)
    drawn = np.argwhere(event.truth[0, 0])
    assert drawn.min(0).tolist() == [30, 14]
    assert drawn.max(0).tolist() == [59, 44]
    assert event.truth[0, 0, 45, 30] == 0  # hollow
    assert np.array_equal(event.answer, np.round(event.truth * 0.4))


def test_masks_of_objects_have_a_plane_for_each_class():
    masks = np.zeros((2, 64, 64), np.uint8)
    masks[0, 4:8, 4:8] = masks[1, 20:40, 20:40] = 1
    kinds = np.array([1, 2])
    planes = np.random.default_rng(0).random((1, 3, 64, 64)).astype(np.float32)
    batch = ObjectBatch(planes, (np.zeros((2, 4), np.float32),), (kinds,), (masks,))
    found = Footprint(Window(20, 20, 20, 20), np.ones((20, 20), bool))
    answer = Instances(np.zeros((1, 4)), np.array([0.8]), np.array([2]), (found,))
    examples = Examples(("star", "galaxy"))
    examples.add([answer], batch)
    event = shown(examples)
    assert np.array_equal(event.truth[0] // 255, masks)
    assert np.array_equal(event.answer[0, 1], np.round(masks[1] * 0.8 * 255))
    assert not event.answer[0, 0].any()


def test_a_training_shows_the_same_stamps_after_each_epoch(small_recipe, maps, tmp_path):
    events = list(train(small_recipe, Run(data=maps, out=tmp_path, device="cpu")))
    first, second = (event for event in events if isinstance(event, ExamplesDone))
    assert (first.epoch, second.epoch) == (1, 2)
    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.truth, second.truth)
    assert not np.array_equal(first.answer, second.answer)
    assert first.truth.any(axis=(1, 2, 3)).all()
    assert any(event.main > 50 * 2**20 for event in events if isinstance(event, MemoryUsed))


def test_memory_of_a_card_is_told_with_that_of_the_process(monkeypatch):
    card = SimpleNamespace(total_memory=8 * 2**30)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: card)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 2**30)
    watch = MemoryWatch(torch.device("cuda", 0))
    (told,) = watch.now()
    assert (told.device, told.device_total) == (2**30, 8 * 2**30)
    assert told.main > 50 * 2**20
    assert not list(watch.now())  # a moment later
