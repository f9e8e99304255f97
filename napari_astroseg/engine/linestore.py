"""LineStore: lines of text on disk, added one by one, so that a killed run goes on after the last.

The first line says what work they belong to.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari_astroseg.errors import OutputError
from napari_astroseg.sky.files.writing import replacing


class LineStore:
    """A file of lines.

    Parameters
    ----------
    lines
        That it begins with; whatever else it holds, a kill's half line too, is gone.

    Raises
    ------
    OutputError
        When the disk refuses.
    """

    def __init__(self, path: Path, lines: Sequence[str]) -> None:
        self._path = path
        with replacing(path) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def add(self, line: str) -> None:
        """Write one more line.

        Raises
        ------
        OutputError
            When the disk refuses.
        """
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
        except OSError as error:
            raise OutputError(
                f"{self._path} cannot be written ({(error.strerror or str(error)).lower()}); free "
                "some space and run again with --resume"
            ) from error


def whole_lines(path: Path) -> list[str]:
    """The lines of a file, none where there is none; a last one without its end does not count.

    Raises
    ------
    OutputError
        When it cannot be read.
    """
    if not path.exists():
        return []
    try:
        return path.read_text(encoding="utf-8").split("\n")[:-1]
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(f"{path} cannot be read ({error}); leave out --resume") from error
