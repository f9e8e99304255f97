"""Canvas: the widget that napari draws in, found by way of Qt alone."""

from __future__ import annotations

from qtpy.QtWidgets import QMainWindow, QWidget


def canvas_near(widget: QWidget) -> QWidget | None:
    """The canvas of the window that a widget has been docked in; None while it is in none.

    A floating dock still belongs to its window.
    """
    above: QWidget | None = widget
    while above is not None and not isinstance(above, QMainWindow):
        above = above.parentWidget()
    middle = None if above is None else above.centralWidget()
    if middle is None:
        return None
    # By the name that Qt itself has for it: the bindings keep the class in different places.
    within = middle.findChildren(QWidget)
    canvases = [each for each in within if each.inherits("QOpenGLWidget")]
    return max(canvases, key=lambda each: each.width() * each.height(), default=None)
