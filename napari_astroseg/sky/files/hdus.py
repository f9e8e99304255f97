"""HDUs: a handle's bytes as astropy's list of HDUs, bounded where astropy is not."""

from __future__ import annotations

import io
import re

from astropy.io import fits

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.handle import Handle, HandleFile
from napari_astroseg.sky.files.packed.extent import BLOCK, HEADER_LIMIT

CARD = 80
_COUNT = re.compile(rb"(Z?NAXIS\d*|ZTILE\d+|TFIELDS|WCSAXES|[PG]COUNT|GROUPS) *=([^/]*)")
_WHOLE = re.compile(r"[+-]?\d+$")
_FEW = {"NAXIS", "ZNAXIS", "TFIELDS", "WCSAXES"}
_MOST = 999
"""Axes, columns or parameters that the FITS standard allows."""


def open_hdus(handle: Handle, *, tables: bool = False) -> fits.HDUList:
    """The HDUs of a handle, values as stored, loaded as they are asked for.

    Parameters
    ----------
    tables
        Give tile-compressed images as the tables that they are.

    Raises
    ------
    ImageError
        When a header has no end.
    """
    file = _HeaderBound(HandleFile(handle))
    return fits.open(
        file,
        mode="readonly",
        memmap=False,
        do_not_scale_image_data=True,
        disable_image_compression=tables,
    )


class _HeaderBound(io.BufferedReader):
    """A buffered file that looks at headers before astropy does.

    astropy reads a header block by block until its END card, and a file without one to its end;
    and it counts up to the numbers of axes, columns and parameters that a header gives.
    """

    def __init__(self, file: HandleFile) -> None:
        super().__init__(file)
        self._blocks = 0
        self._groups = False

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(size)
        if size != BLOCK:
            self._blocks = 0
            return block
        if block.startswith((b"SIMPLE  =", b"XTENSION=")):
            self._blocks, self._groups = 0, False
        self._blocks += 1
        if self._blocks * BLOCK > HEADER_LIMIT:
            raise ImageError(
                f"{self.name}: a header has no END card within {HEADER_LIMIT / 2**20:.0f} MiB; "
                "the file is damaged: fetch it again"
            )
        self._look(block)
        return block

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._blocks = 0
        return super().seek(offset, whence)

    def _look(self, block: bytes) -> None:
        """Refuse counts that nothing can have."""
        for at in range(0, len(block), CARD):
            card = block[at : at + CARD]
            if card.startswith(b"END     "):
                return
            found = _COUNT.match(card)
            if found is None:
                continue
            keyword, value = found[1].decode(), found[2].decode("latin-1").strip()
            self._groups |= (keyword, value) == ("GROUPS", "T")
            if keyword != "GROUPS" and not self._possible(keyword, value):
                shown = "".join(c if " " <= c <= "~" else "?" for c in value[:24])
                raise ImageError(
                    f"{self.name}: its header says {keyword} = {shown}, which cannot be; "
                    "the file is damaged: fetch it again"
                )

    def _possible(self, keyword: str, value: str) -> bool:
        if not _WHOLE.match(value):
            return False
        few = keyword in _FEW or (keyword == "PCOUNT" and self._groups)
        return 0 <= int(value) <= (_MOST if few else 2**63 - 1)
