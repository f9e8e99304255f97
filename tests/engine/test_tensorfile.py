"""Weights to disk: whole or not at all, and a sentence where the disk refuses."""

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from napari_astroseg.engine import tensorfile
from napari_astroseg.engine.tensorfile import write_tensors
from napari_astroseg.errors import OutputError


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "weights.safetensors"
    turned = torch.arange(6.0).reshape(2, 3).T
    write_tensors(path, {"turned": turned, "step": torch.tensor(7)}, {"why": "a test"})
    return path


def test_what_is_written_is_read_again(path):
    read = load_file(path)
    assert read["turned"].tolist() == [[0, 3], [1, 4], [2, 5]] and read["step"] == 7
    assert b'"why":"a test"' in path.read_bytes()


def test_a_disk_that_takes_no_more_is_told_and_the_old_file_stays(path):
    resource = pytest.importorskip("resource", reason="this system has no such bounds")
    before, most = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, most[1]))
    try:
        with pytest.raises(OutputError, match=r"cannot be written \(file too large\); free some"):
            write_tensors(path, {"large": torch.zeros(4096)}, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]


def test_older_words_for_a_full_disk_are_understood(path, monkeypatch):
    said = 'IoError(Os { code: 28, kind: StorageFull, message: "No space left on device" })'

    def full(*_):
        raise SafetensorError(f"Error while serializing: {said}")

    monkeypatch.setattr(tensorfile, "save_file", full)
    with pytest.raises(OutputError, match=r"\(no space left on device\)"):
        write_tensors(path, {}, {})
