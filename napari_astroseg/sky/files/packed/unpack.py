"""Unpack: a file compressed as a whole, unpacked once into the cache and read from there."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, cast

from napari_astroseg.errors import AstroSegError, ImageError, OutputError
from napari_astroseg.sky.cache import Cache, remove
from napari_astroseg.sky.files.address import Address
from napari_astroseg.sky.files.handle import Descriptor, Handle, HandleFile, LocalHandle
from napari_astroseg.sky.files.look import Packing, look, look_at_start
from napari_astroseg.sky.files.packed.extent import Extent
from napari_astroseg.sky.progress import Progress, silent

CACHE = Cache("unpacked", 32 * 2**30)
_CHUNK = 2**20
_FREE = 2**30
"""Up to this size nobody asks how well a file was packed, bytes."""
_RATIO = 200
"""Beyond it, a file this many times its packed size is nothing that anyone observed."""


class UnpackedHandle(LocalHandle):
    """The unpacked bytes of a packed file, under its name and identity.

    It is open from the start, so that what leaves the cache later can still be read.
    """

    def __init__(self, path: Path, place: str, source: Handle) -> None:
        super().__init__(path, source.name)
        self._place = place
        self._identity = source.identity
        self._descriptor = Descriptor(path)

    @property
    def identity(self) -> str:
        """That of the packed file."""
        return self._identity

    def _open(self) -> Descriptor:
        return self._descriptor

    def _stamp_of(self, told: os.stat_result) -> tuple[int, ...]:
        return (told.st_size,)  # a use in the cache sets an entry's time

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpacked_again, (self._place, self._identity)


def _unpacked_again(place: str, identity: str) -> Handle:
    handle, packing = look(Address(place))
    if handle.identity != identity or packing is None:
        raise ImageError(f"{handle.name} was changed while it was open; open it again")
    return unpacked(place, handle, packing)[0]


def unpacked(
    place: str, source: Handle, packing: Packing, progress: Progress = silent
) -> tuple[Handle, str]:
    """The unpacked bytes of a packed file, and a sentence that says so.

    Parameters
    ----------
    place
        The packed file's path or URL.
    source
        Its bytes.
    progress
        Hears bytes read of bytes packed; what it raises leaves nothing behind.

    Raises
    ------
    ImageError
        When it is damaged, holds no FITS file, or would grow beyond all bounds.
    """
    path = _found(source)
    if path is None:
        try:
            with CACHE.making(f"{source.identity}.fits", _reserve(source)) as making:
                _unpack(source, packing, making, progress)
                name = f"{source.identity}-{making.stat().st_size}.fits"
                making.rename(making.with_name(name))
        except OutputError as error:
            raise ImageError(f"{source.name} must be unpacked to be read: {error}") from error
        path = CACHE.folder / name
    handle = UnpackedHandle(path, place, source)
    size = handle.size / 2**20
    note = f"unpacked to the cache, {size:,.1f} MiB, for it cannot be read piece by piece"
    return handle, note


def _found(source: Handle) -> Path | None:
    """What was unpacked before, if it is as long as its name says; else it is removed."""
    for path in CACHE.matching(f"{source.identity}-*.fits"):
        with suppress(OSError):  # gone meanwhile
            length = path.stem.rpartition("-")[2]
            if path.is_file() and str(path.stat().st_size) == length:
                return path
        remove(path)
    return None


def _unpack(source: Handle, packing: Packing, path: Path, progress: Progress) -> None:
    packed = HandleFile(source)
    extent, written, reserved = Extent(), 0, _reserve(source)
    what = f"unpacking {source.name}"
    with _reader(packed, packing, source.name) as reader, path.open("wb") as file:
        for chunk in _chunks(reader, source.name):
            if not written:
                look_at_start(chunk, f"{source.name}, unpacked,")
            kept = extent.follow(chunk)
            _judge(extent, written + kept, source)
            if written + kept > reserved:
                CACHE.make_room(2 * reserved - written)
                reserved *= 2
            file.write(chunk[:kept])
            written += kept
            progress(what, min(packed.tell(), source.size), source.size)
            if extent.ended:
                break
    if not written:
        look_at_start(b"", f"{source.name}, unpacked,")


def _reserve(source: Handle) -> int:
    """Room to begin with, bytes."""
    return min(max(4 * source.size, _CHUNK), _FREE, CACHE.limit)


def _judge(extent: Extent, written: int, source: Handle) -> None:
    """Refuse what its own headers, or its growth, make larger than anyone can want."""
    if extent.promised > CACHE.limit:
        raise ImageError(
            f"{source.name} holds {extent.promised / 2**30:,.0f} GiB once unpacked, more than the "
            f"cache's {CACHE.limit / 2**30:,.0f} GiB; unpack it yourself and open the result"
        )
    if written > _FREE and written > _RATIO * source.size:
        raise ImageError(
            f"{source.name} grows beyond {written / 2**30:.1f} GiB, {_RATIO} times its size, as it "
            "is unpacked; if you trust it, unpack it yourself and open the result"
        )


def _chunks(reader: IO[bytes], name: str) -> Iterator[bytes]:
    while True:
        with _blaming(name):
            chunk = reader.read(_CHUNK)
        if not chunk:
            return
        yield chunk


@contextmanager
def _blaming(name: str) -> Iterator[None]:
    """Each packing breaks in its own way; all of it is the file's."""
    try:
        yield
    except AstroSegError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise ImageError(
            f"{name} cannot be unpacked ({reason}); it was cut short or damaged: fetch it again"
        ) from error


@contextmanager
def _reader(packed: HandleFile, packing: Packing, name: str) -> Iterator[IO[bytes]]:
    """The unpacked stream of a packed one."""
    buffered = io.BufferedReader(packed, _CHUNK)
    with _blaming(name):
        stream = _STREAMS[packing](buffered, name)
    with stream:
        yield stream


def _xz(buffered: IO[bytes], name: str) -> IO[bytes]:
    return lzma.LZMAFile(buffered, "rb")


def _lzw(buffered: IO[bytes], name: str) -> IO[bytes]:
    from napari_astroseg.sky.files.packed.lzw import LzwReader

    return cast(IO[bytes], io.BufferedReader(LzwReader(buffered), _CHUNK))


def _single_member(buffered: IO[bytes], name: str) -> IO[bytes]:
    archive = zipfile.ZipFile(buffered)
    members = [each for each in archive.infolist() if not each.is_dir()]
    if len(members) != 1:
        raise ImageError(
            f"{name} is a zip archive of {len(members)} files; unpack it and open those you want"
        )
    return archive.open(members[0])


_STREAMS: dict[Packing, Callable[[Any, str], Any]] = {
    "gzip": lambda buffered, name: gzip.GzipFile(fileobj=buffered, mode="rb"),
    "bzip2": lambda buffered, name: bz2.BZ2File(buffered, "rb"),
    "xz": _xz,
    "compress": _lzw,
    "zip": _single_member,
}
