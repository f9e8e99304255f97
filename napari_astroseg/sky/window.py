"""Window: a rectangle of pixels, the one way that every floor says "here"."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from napari_astroseg.errors import ImageError


@dataclass(frozen=True)
class Window:
    """A rectangle of whole pixels, 0-based, which may hang over an image's edges.

    Parameters
    ----------
    x, y
        Column and row of its first pixel.
    width, height
        Its size in pixels; both at least 1.
    """

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ImageError(
                f"a window of {self.width} × {self.height} pixels holds nothing; "
                "give a width and a height of at least 1"
            )

    @classmethod
    def whole(cls, shape: tuple[int, int]) -> Window:
        """All of an image of `shape` (height, width)."""
        return cls(0, 0, shape[1], shape[0])

    @classmethod
    def around(cls, x: float, y: float, size: int) -> Window:
        """`size` × `size` pixels with the pixel position (x, y) in the middle."""
        return cls(round(x - size / 2 + 0.5), round(y - size / 2 + 0.5), size, size)

    @property
    def x_end(self) -> int:
        """The first column after it."""
        return self.x + self.width

    @property
    def y_end(self) -> int:
        """The first row after it."""
        return self.y + self.height

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width), as numpy counts."""
        return self.height, self.width

    @property
    def slices(self) -> tuple[slice, slice]:
        """Row and column slices; only for a window that lies inside its array."""
        return slice(self.y, self.y_end), slice(self.x, self.x_end)

    def overlap(self, other: Window) -> Window | None:
        """The part shared with `other`, or None where they are apart."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        width = min(self.x_end, other.x_end) - x
        height = min(self.y_end, other.y_end) - y
        return Window(x, y, width, height) if width > 0 and height > 0 else None

    def united(self, other: Window) -> Window:
        """The smallest one that holds both."""
        x, y = min(self.x, other.x), min(self.y, other.y)
        return Window(x, y, max(self.x_end, other.x_end) - x, max(self.y_end, other.y_end) - y)

    def away(self, place: tuple[float, float]) -> float:
        """How far it is from a position x, y, pixels; 0 where it holds it."""
        across = max(self.x - 0.5 - place[0], place[0] - self.x_end + 0.5, 0.0)
        along = max(self.y - 0.5 - place[1], place[1] - self.y_end + 0.5, 0.0)
        return math.hypot(across, along)

    def clipped(self, shape: tuple[int, int]) -> Window:
        """The part inside an image of `shape`.

        Raises
        ------
        ImageError
            When the window lies wholly outside.
        """
        inside = self.overlap(Window.whole(shape))
        if inside is None:
            raise ImageError(
                f"the window x={self.x}, y={self.y}, {self.width} × {self.height} lies outside "
                f"the image of {shape[1]} × {shape[0]} pixels; choose one that touches it"
            )
        return inside

    def grown(self, margin: int) -> Window:
        """The same with `margin` more pixels on every side."""
        return Window(
            self.x - margin, self.y - margin, self.width + 2 * margin, self.height + 2 * margin
        )

    def moved(self, dx: int, dy: int) -> Window:
        """The same size, shifted by (dx, dy) pixels."""
        return Window(self.x + dx, self.y + dy, self.width, self.height)

    def parts(self, side: int) -> Iterator[Window]:
        """Squares of `side` pixels, smaller at the right and lower edges, that cover it by rows."""
        for y in range(self.y, self.y_end, side):
            for x in range(self.x, self.x_end, side):
                yield Window(x, y, min(side, self.x_end - x), min(side, self.y_end - y))
