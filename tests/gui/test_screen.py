"""What draws here, told by a process of its own."""

import json
import subprocess
import sys

from qtpy import API_NAME


def test_the_binding_and_the_renderer_are_told() -> None:
    words = [sys.executable, "-m", "napari_astroseg.gui.screen"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["binding"].startswith(API_NAME)
    assert told["renderer"] and told["opengl"]
