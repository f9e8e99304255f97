"""Contents: everything in a FITS file that can be opened or told of, from its headers alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
from typing import Any, Literal

from astropy.io import fits

from napari_astroseg.sky.files.families import (
    Member,
    Relatives,
    Role,
    families,
    part_of,
    parts_of,
    tells_of_inverse_variances,
)
from napari_astroseg.sky.files.layout import Kind, Layout, layout_of, text_card
from napari_astroseg.sky.files.opened import OpenFile
from napari_astroseg.sky.files.sets import bands_of_one_field, vote_maps
from napari_astroseg.sky.files.unread import failure, rest, stopped

FileKind = Literal["image", "multiband", "cube", "votes", "catalogue", "none"]

_NEAR = 256
"""HDUs after one that is asked for by its number among which its relatives are looked for."""

ImageHDU = fits.PrimaryHDU | fits.ImageHDU | fits.CompImageHDU


@dataclass(frozen=True)
class Entry:
    """One image of a file, or one stack of them.

    Parameters
    ----------
    hdu
        Number of its HDU.
    name
        Its EXTNAME, or what the layout of the file says it is; "" when nothing does.
    version
        Its EXTVER.
    shape
        Lengths of its axes as stored, slowest first, those of length 1 left out.
    kind, role
        What it is by itself, and in its file.
    unit
        Of its values, as the file writes it.
    layout
        How its axes make a picture; None where it has no pixels of its own (HEALPix).
    constant
        The value of all its pixels, where the file keeps no others.
    inverse
        Whether its header says that it holds inverse variances.
    """

    hdu: int
    name: str
    version: int
    shape: tuple[int, ...]
    kind: Kind
    role: Role
    unit: str
    layout: Layout | None = None
    constant: float | None = None
    inverse: bool = False

    @property
    def count(self) -> int:
        """Number of planes."""
        return 1 if self.layout is None else self.layout.count


@dataclass(frozen=True)
class Table:
    """A table of a file."""

    hdu: int
    name: str
    rows: int
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Contents:
    """What a file holds.

    Parameters
    ----------
    kind
        What opens by default; `votes` for the layout of Galaxy Zoo 3D.
    entries
        Its images, in their order.
    tables
        Its tables, but for those that hold an image.
    bands
        HDU numbers and names of the bands of one field, where its images are that.
    notes
        What the user should know, one sentence each.
    without
        Number, name and version of the HDUs that hold no image.
    """

    kind: FileKind
    entries: tuple[Entry, ...]
    tables: tuple[Table, ...] = ()
    bands: tuple[tuple[int, str], ...] = ()
    notes: tuple[str, ...] = ()
    without: tuple[tuple[int, str, int], ...] = ()

    @property
    def default(self) -> Entry | None:
        """What opens when nothing is asked for: the first science image, else the first."""
        science = (entry for entry in self.entries if entry.role == "science")
        return next(science, next(iter(self.entries), None))

    def family(self, entry: Entry) -> tuple[Entry | None, Entry | None]:
        """The uncertainty and the mask of a science image."""
        error, mask = self._families.get(entry.hdu, (None, None))
        return self._by_hdu.get(error), self._by_hdu.get(mask)

    @cached_property
    def _families(self) -> dict[int, Relatives]:
        return families(list(map(_member, self.entries)))

    @cached_property
    def _by_hdu(self) -> dict[int | None, Entry]:
        return {entry.hdu: entry for entry in self.entries}


def contents(file: OpenFile, number: int | None = None) -> Contents:
    """What an open file holds; headers are read, pixels are not.

    Where one HDU is asked for by `number`, no more than the next 256 after it are read: its
    uncertainty and its mask are as good as always among them, and files of thousands are slow.
    """
    last = None if number is None else number + _NEAR
    entries: list[Entry] = []
    tables: list[Table] = []
    without: list[tuple[int, str, int]] = []
    headers: dict[int, fits.Header] = {}
    failed: dict[int, Exception] = {}
    for index, hdu in _loaded(file.hdus, failed, last):
        try:
            entry = _entry(index, hdu)
            if entry is not None:
                entries.append(entry)
                headers[index] = hdu.header
                continue
            without.append((index, *_named(hdu.header)))
            if isinstance(hdu, (fits.BinTableHDU, fits.TableHDU)):
                tables.append(_table(index, hdu))
        except Exception as error:  # each kind of damage breaks in its own way
            failed[index] = error
    if failed and not entries:
        raise next(iter(failed.values()))
    notes = tuple(failure(index, error) for index, error in failed.items())
    if last is not None and len(entries) + len(without) + len(failed) > last:
        notes += (stopped(last),)
    elif not notes:
        notes = rest(file)
    votes = vote_maps([(e.hdu, e.kind, e.shape) for e in entries], [t.columns for t in tables])
    entries = [replace(each, name=votes.get(each.hdu, each.name)) for each in entries]
    entries = _with_roles(entries)
    science = [each for each in entries if each.role == "science"]
    flat = science if all(each.kind == "image" for each in science) else []
    bands = bands_of_one_field([(e.hdu, e.name, e.shape, headers[e.hdu]) for e in flat])
    told = Contents("none", tuple(entries), tuple(tables), bands, notes, tuple(without))
    return replace(told, kind="votes" if votes else _file_kind(told))


def _loaded(
    hdus: fits.HDUList, failed: dict[int, Exception], last: int | None
) -> Iterator[tuple[int, Any]]:
    """Every HDU with its number, up to one whose header cannot be read: that goes to `failed`."""
    for index in count() if last is None else range(last + 1):
        try:
            hdu = hdus[index]
        except IndexError:
            return
        except Exception as error:  # what comes before a broken header is as good as ever
            failed[index] = error
            return
        yield index, hdu


def _entry(index: int, hdu: Any) -> Entry | None:
    """The entry of an HDU; None if it holds no image."""
    if isinstance(hdu, fits.BinTableHDU) and not isinstance(hdu, fits.CompImageHDU):
        return _healpix_entry(index, hdu)
    if not isinstance(hdu, ImageHDU) or isinstance(hdu, fits.GroupsHDU):
        return None
    header = hdu.header
    shape, constant = tuple(hdu.shape), None
    if not shape and "PIXVALUE" in header:
        shape, constant = _constant(header)
    layout = layout_of(header, shape)
    if layout is None:
        return None
    name, version = _named(header)
    part, unit = part_of(name), text_card(header, "BUNIT")
    inverse = part.spread == "weight" and tells_of_inverse_variances(header)
    kind, shape = layout.kind, layout.shape
    return Entry(index, name, version, shape, kind, part.role, unit, layout, constant, inverse)


def _with_roles(entries: list[Entry]) -> list[Entry]:
    """The images with the roles they have beside one another."""
    parts = parts_of(list(map(_member, entries)))
    return [
        entry if entry.layout is None else replace(entry, role=part.role)
        for entry, part in zip(entries, parts, strict=True)
    ]


def _healpix_entry(index: int, hdu: fits.BinTableHDU) -> Entry | None:

    from napari_astroseg.sky.spheres.healpix import (
        is_healpix,  # it costs an import of astropy-healpix
    )

    if not is_healpix(hdu):
        return None
    name, version = _named(hdu.header)
    unit = text_card(hdu.header, "TUNIT1")
    nside = int(hdu.header.get("NSIDE", 0))
    shape = (12 * nside**2,) if nside > 0 else (int(hdu.header["NAXIS2"]),)
    return Entry(index, name, version, shape, "healpix", "science", unit)


def _constant(header: fits.Header) -> tuple[tuple[int, ...], float | None]:
    """Shape and value of an image of one value, which HST keeps without its pixels."""
    try:
        shape = (int(header["NPIX2"]), int(header["NPIX1"]))
        return shape, float(header["PIXVALUE"])
    except (KeyError, TypeError, ValueError):
        return (), None


def _named(header: fits.Header) -> tuple[str, int]:
    """EXTNAME and EXTVER; "" and 1 where there are none."""
    version = text_card(header, "EXTVER")
    return text_card(header, "EXTNAME"), int(version) if version.isdecimal() else 1


def _table(index: int, hdu: fits.BinTableHDU | fits.TableHDU) -> Table:
    header = hdu.header
    columns = tuple(text_card(header, f"TTYPE{n}") for n in range(1, int(header["TFIELDS"]) + 1))
    return Table(index, _named(header)[0], int(header["NAXIS2"]), columns)


def _member(entry: Entry) -> Member:
    return Member(entry.hdu, entry.name, entry.version, _picture_shape(entry), entry.inverse)


def _picture_shape(entry: Entry) -> tuple[int, ...]:
    return entry.shape if entry.layout is None else (*entry.layout.axes, *entry.layout.size)


def _file_kind(told: Contents) -> FileKind:
    if told.default is None:
        return "catalogue" if told.tables else "none"
    if told.bands or told.default.kind in ("multiband", "rgb"):
        return "multiband"
    return "cube" if told.default.kind == "cube" else "image"
