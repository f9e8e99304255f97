"""FsspecStore: spans of a file in any other store that fsspec knows (`s3`, `gs`, `abfs`, `ftp` …).

Names and keys are found as each store's own library finds them; where there are none, or they
open nothing, the file is asked for as anyone may ask.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import fsspec
from fsspec.asyn import sync

from napari_astroseg.errors import ImageError, SetupError
from napari_astroseg.sky.files.address import name_of, spoken
from napari_astroseg.sky.files.far import patience
from napari_astroseg.sky.files.far.patience import NoAnswer, NotThere, Transient, Version, changed

RECHECK_S = 3.0
"""These stores do not tell a file's version with its bytes; it is asked for this often."""

_ANONYMOUS: dict[str, dict[str, Any]] = {
    "s3": {"anon": True},
    "s3a": {"anon": True},
    "gs": {"token": "anon"},
    "gcs": {"token": "anon"},
}
_EXTRAS = {"s3": "s3", "s3a": "s3"}


class FsspecStore:
    """A file in a store, by its URL.

    Parameters
    ----------
    url
        Of the file, in a protocol of fsspec.

    Raises
    ------
    ImageError
        When the store does not give it.
    SetupError
        When the protocol's own library is not installed.
    """

    start = b""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        protocol = url.partition("://")[0].lower()
        try:
            self._connect({})
        except ImageError as refused:
            if protocol not in _ANONYMOUS or not _wants_name(refused.__cause__):
                raise
            try:
                self._connect(_ANONYMOUS[protocol])
            except ImageError as error:
                lost = isinstance(error, NotThere)
                raise (error if lost else refused) from None

    def fetch(self, spans: list[range]) -> list[bytes]:
        """The bytes of the spans.

        Raises
        ------
        ImageError
            When the store does not give them, or the file is no longer the same.
        """
        limit = patience.allowed(sum(map(len, spans)))
        answers = self._insisting(lambda: self._ranges(spans, limit))
        if self._check_due() and self._version().differs(self.version):
            raise changed(name_of(self._url))
        return answers

    def _connect(self, options: dict[str, Any]) -> None:
        try:
            self._files, self._path = fsspec.url_to_fs(self._url, **options)
        except ImportError as error:
            protocol = self._url.partition("://")[0].lower()
            extra = _EXTRAS.get(protocol)
            remedy = f'`pip install "napari-astroseg[{extra}]"`' if extra else str(error)
            raise SetupError(f"reading {protocol}:// needs one more package: {remedy}") from error
        except Exception as error:
            # Every protocol has its own way to dislike a URL.
            raise self._failed(error) from error
        self.version = self._version()
        self._checked = time.monotonic()

    def _version(self) -> Version:
        told = self._insisting(lambda: self._call("info", patience.PATIENCE_S, self._path))
        if told.get("type") == "directory" or told.get("size") is None:
            raise ImageError(f"{spoken(self._url)} is a folder; name the FITS files inside it")
        tag = told.get("ETag") or told.get("etag") or told.get("md5Hash") or ""
        times = ("LastModified", "last_modified", "updated", "mtime", "modify", "created")
        when = next((told[key] for key in times if told.get(key)), "")
        return Version(int(told["size"]), str(tag), str(when))

    def _ranges(self, spans: list[range], limit: float) -> list[bytes]:
        starts, stops = [s.start for s in spans], [s.stop for s in spans]
        paths = [self._path] * len(spans)
        answers = self._call("cat_ranges", limit, paths, starts, stops, on_error="return")
        for span, answer in zip(spans, answers, strict=True):
            if isinstance(answer, BaseException):
                raise answer
            if len(answer) != len(span):
                self._checked = float("-inf")  # it may have been cut short meanwhile
                if self._version().differs(self.version):
                    raise changed(name_of(self._url))
                raise Transient(f"the store gave {len(answer)} of {len(span)} bytes")
        return list(answers)

    def _call(self, name: str, limit: float, *args: Any, **options: Any) -> Any:
        """A method of the store; those of asynchronous ones with a limit in seconds."""
        if name == "info":
            self._files.invalidate_cache(self._path)
        if not self._files.async_impl:
            return getattr(self._files, name)(*args, **options)
        if name == "cat_ranges":
            options["batch_size"] = patience.SIDE_BY_SIDE
        return sync(
            self._files.loop, getattr(self._files, f"_{name}"), *args, timeout=limit, **options
        )

    def _insisting(self, ask: Callable[[], Any]) -> Any:
        """What the store answers, asked again where that may help, but not for too long."""
        begun = time.monotonic()
        for pause in (*patience.PAUSES_S, None):
            try:
                return ask()
            except (ImageError, SetupError):
                raise
            except Exception as error:
                # Every store fails in its own way.
                lasting = isinstance(error, (FileNotFoundError, PermissionError, ValueError))
                late = time.monotonic() - begun > patience.PATIENCE_S / 2
                if lasting or late or pause is None or not isinstance(error, (OSError, Transient)):
                    raise self._failed(error) from error
                time.sleep(pause)
        raise AssertionError("the last try answers or raises")

    def _check_due(self) -> bool:
        with self._lock:
            due = time.monotonic() - self._checked > RECHECK_S
            if due:
                self._checked = time.monotonic()
            return due

    def _failed(self, error: Exception) -> ImageError:
        where = spoken(self._url)
        if isinstance(error, FileNotFoundError):
            return NotThere(f"{where} is not there, says its store; check the address")
        if isinstance(error, PermissionError):
            return ImageError(
                f"{where} is not open to everyone, says its store; "
                "set up your credentials for it, or download it and open your copy"
            )
        return NoAnswer(
            f"{where} cannot be read ({patience.reason(error)}); "
            "check the address, your credentials for it and the network"
        )


def _wants_name(error: BaseException | None) -> bool:
    """Whether a store refused because of who asked, or because nobody said who."""
    told = f"{type(error).__name__} {error}".lower()
    return isinstance(error, PermissionError) or "credential" in told
