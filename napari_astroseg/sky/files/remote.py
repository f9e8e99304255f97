"""Remote: the bytes of a file behind a network, fetched as ranges."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import ImageError, SetupError


class RemoteHandle:
    """A file at a URL (`http`, `https`, `s3`), read by ranges through fsspec."""

    def __init__(self, url: str) -> None:
        self._url = url
        try:
            import fsspec
        except ImportError as error:
            raise SetupError(
                "reading from the network needs fsspec; install napari-astroseg[remote]"
            ) from error
        try:
            self._files, self._path = fsspec.core.url_to_fs(url)
            self._told = self._files.info(self._path)
        except Exception as error:
            # Every protocol fails in its own way.
            raise self._failed(error) from error

    @property
    def name(self) -> str:
        """What sentences call it."""
        return self._url.rpartition("/")[2] or self._url

    @property
    def size(self) -> int:
        """Its length in bytes when it was opened."""
        return int(self._told["size"])

    @property
    def identity(self) -> str:
        """A digest of the URL, the length, and the version that the server tells."""
        version = self._told.get("ETag") or self._told.get("LastModified") or ""
        told = f"{self._url}\0{self.size}\0{version}"
        return hashlib.sha256(told.encode()).hexdigest()[:32]

    def read(self, into: NDArray[Any], offset: int) -> None:
        """Fill the contiguous array `into` from byte `offset` on.

        Raises
        ------
        ImageError
            When the server does not give those bytes.
        """
        wanted = into.nbytes
        try:
            got = self._files.cat_file(self._path, start=offset, end=offset + wanted)
        except Exception as error:
            raise self._failed(error) from error
        if len(got) != wanted:
            raise ImageError(
                f"{self.name}: the server gave {len(got)} of {wanted} bytes; try again later"
            )
        into.view(np.uint8).reshape(-1)[:] = np.frombuffer(got, np.uint8)

    def _failed(self, error: Exception) -> ImageError:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        return ImageError(
            f"{self._url} cannot be read ({reason}); check the address and the network"
        )

    def __reduce__(self) -> tuple[type[RemoteHandle], tuple[str]]:
        return RemoteHandle, (self._url,)
