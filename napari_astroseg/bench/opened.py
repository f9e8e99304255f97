"""Opened: a window from nothing to its first picture.

Run as `python -m napari_astroseg.bench.opened napari|astroseg`, a fresh process for every window:
what it needs is imported on the way, as users have it. Prints when the picture was drawn, in
seconds since 1970.
"""

from __future__ import annotations

import json
import sys
import time

_SIZE = (1400, 900)


def main(way: str) -> float:
    """Open a window one way; when its first picture was drawn."""
    if way == "astroseg":
        from napari_astroseg.gui.workspace import open_window, settle_in

        viewer = open_window()
        settle_in()
    else:
        import napari

        viewer = napari.Viewer()
        viewer.window.resize(*_SIZE)
    viewer.screenshot(flash=False)
    drawn = time.time()
    viewer.close()
    return drawn


if __name__ == "__main__":
    print(json.dumps({"drawn": main(sys.argv[1])}))
