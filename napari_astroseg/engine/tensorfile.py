"""Tensor file: named tensors and texts as one safetensors file, whole or not at all."""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from napari_astroseg.sky.files.writing import replacing

_DISK = re.compile(r'(?:I/O error: |message: ")(.+?)(?: \(os error|")')
"""What the system said, in an error of safetensors, newer and older."""


def write_tensors(path: Path, tensors: Mapping[str, Tensor], texts: dict[str, str]) -> None:
    """Write tensors of any device, each straight from where it lies: no copy of all is made.

    Raises
    ------
    OutputError
        When the folder cannot be written to or the disk is full; `path` is as it was.
    """
    ours = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with replacing(path) as temporary:
        try:
            save_file(ours, temporary, texts)
        except SafetensorError as error:
            said = _DISK.search(str(error))
            if said is None:
                raise
            raise OSError(errno.EIO, said[1]) from error
