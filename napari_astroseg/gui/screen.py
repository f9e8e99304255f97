"""Screen: which Qt and which OpenGL a window would have here.

Run as `python -m napari_astroseg.gui.screen`: a driver that kills the process kills this one only.
Prints `Screen` as JSON.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from qtpy import API_NAME, QT_VERSION
from qtpy.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext


@dataclass(frozen=True)
class Screen:
    """What draws.

    Attributes
    ----------
    binding
        Qt's Python binding, and the version of Qt.
    platform
        How Qt talks to the screen: xcb, wayland, cocoa, windows …
    renderer, opengl
        OpenGL's name of what draws, and its version; "" where there is none.
    """

    binding: str
    platform: str
    renderer: str
    opengl: str


def screen() -> Screen:
    """Ask Qt and OpenGL; needs a screen."""
    application = QGuiApplication.instance() or QGuiApplication([])
    surface, context = QOffscreenSurface(), QOpenGLContext()
    surface.create()
    renderer = version = ""
    if context.create() and context.makeCurrent(surface):
        from OpenGL import GL

        renderer, version = (
            (GL.glGetString(name) or b"").decode(errors="replace")
            for name in (GL.GL_RENDERER, GL.GL_VERSION)
        )
        context.doneCurrent()
    return Screen(f"{API_NAME} {QT_VERSION}", application.platformName(), renderer, version)


if __name__ == "__main__":
    print(json.dumps(asdict(screen())))
