"""Imported: the shapes of a file that lie on an image, and why others were skipped."""

from __future__ import annotations

from dataclasses import dataclass

from napari_astroseg.errors import MarkError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.shapes.outline import rings, touches
from napari_astroseg.sky.shapes.shape import Shape

MOST_SHAPES = 100_000
"""On one image; more are points for a catalogue, and no shapes that a person looks at."""
MOST_TOLD = 1000
"""Sentences and comments that are kept."""

_BATCH = 4096
_COARSE_PX = 1.0


@dataclass(frozen=True)
class Imported:
    """What came of a file.

    Parameters
    ----------
    shapes
        Those that lie on the image, in their order there.
    skipped
        Why others were left out, one sentence each, with their line or row; the first 1 000.
    left_out
        How many were.
    comments
        Whole lines of comment in a region file; the first 1 000.
    """

    shapes: tuple[Shape, ...]
    skipped: tuple[str, ...] = ()
    left_out: int = 0
    comments: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """How many came, and how many did not."""
        told = f"{len(self.shapes):,} shape{'s' * (len(self.shapes) != 1)} read"
        return f"{told}, {self.left_out:,} skipped" if self.left_out else told


class Collector:
    """Shapes as they are read: those off the image are sorted out, many at a time.

    Parameters
    ----------
    image
        That they are to lie on, unless `everywhere`.
    source
        What they come from, for sentences.
    everywhere
        Whether those off it are kept too.
    """

    def __init__(self, image: SkyImage, source: str, *, everywhere: bool = False) -> None:
        self._image = image
        self._source = source
        self._everywhere = everywhere
        self._waiting: list[tuple[str, Shape]] = []
        self._shapes: list[Shape] = []
        self._skipped: list[str] = []
        self._comments: list[str] = []
        self._left_out = 0

    def add(self, where: str, shape: Shape) -> None:
        """One more shape, of a line or row."""
        self._waiting.append((where, shape))
        if len(self._waiting) >= _BATCH:
            self._sort()

    def skip(self, where: str, why: str) -> None:
        """One that is left out."""
        self._left_out += 1
        if len(self._skipped) < MOST_TOLD:
            self._skipped.append(f"{where}: {why}")

    def comment(self, line: str) -> None:
        """A line that says something to people."""
        if len(self._comments) < MOST_TOLD:
            self._comments.append(line[:1000])

    def done(self) -> Imported:
        """All that came.

        Raises
        ------
        MarkError
            When it is too much.
        """
        self._sort()
        told = tuple(self._skipped)
        return Imported(tuple(self._shapes), told, self._left_out, tuple(self._comments))

    def _sort(self) -> None:
        if self._everywhere:
            self._shapes += [shape for _, shape in self._waiting]
            self._waiting = []
        else:
            self._sort_out()
        if len(self._shapes) > MOST_SHAPES:
            where = "" if self._everywhere else f" on {self._image.name}"
            raise MarkError(
                f"{self._source} has more than {MOST_SHAPES:,} shapes{where}; "
                "split it, or open it as a catalogue"
            )

    def _sort_out(self) -> None:
        placed: list[tuple[str, Shape]] = []
        for where, shape in self._waiting:
            if shape.on_sky and self._image.wcs is None:
                self.skip(
                    where,
                    f"a {shape.form} on the sky cannot be placed, as {self._image.name} has no sky "
                    "coordinates; save it in image coordinates",
                )
            else:
                placed.append((where, shape))
        self._waiting = []
        drawn = rings([shape for _, shape in placed], self._image, _COARSE_PX)
        for (where, shape), outline in zip(placed, drawn, strict=True):
            if touches(outline, self._image.shape):
                self._shapes.append(shape)
            else:
                self.skip(where, f"the {_told(shape)} lies off {self._image.name}; nothing is lost")


def _told(shape: Shape) -> str:
    x, y = shape.points[0]
    unit = "deg" if shape.on_sky else "px"
    return f"{shape.form.replace('_', ' ')} at {x:.6g}, {y:.6g} {unit}"
