"""Samp: a line to the other programs on the screen: TOPCAT, Aladin, DS9.

The simple application messaging protocol of the IVOA. Its hub is found by a file in the home
folder, listens on this machine alone, and is started by TOPCAT or Aladin.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from napari_astroseg import __version__
from napari_astroseg.errors import SetupError

TABLE = "table.load.votable"
POINT = "coord.pointAt.sky"
ROW = "table.highlight.row"

_ABOUT = {"samp.name": "AstroSeg", "astroseg.version": __version__}


def table_id(name: str) -> str:
    """What a table of ours is known by among the programs."""
    return f"astroseg:{name}"


def send_table(path: str | Path, name: str, hub: Any = None) -> list[str]:
    """Ask every program that takes tables to load a VOTable.

    Parameters
    ----------
    path
        Of the table; it has to stay, for they read it by themselves.
    name
        What to call it there.
    hub
        A `pyvo.samp.SAMPHubProxy`; by default the one that runs.

    Returns
    -------
    What those programs are called.

    Raises
    ------
    SetupError
        When no hub runs, or nobody takes tables.
    """
    # Nothing is to be heard: then no port is opened.
    client = _connected(False, hub)
    try:
        return _sent(client, path, name)
    finally:
        _let_go(client)


class SampLink:
    """Hears where other programs point, and points them.

    Parameters
    ----------
    pointed
        Called with right ascension and declination (ICRS, deg), in a thread of the line.
    highlighted
        Called with what a table is known by, and the number of a row of it, from 0; the same.
    hub
        As of `send_table`.

    Raises
    ------
    SetupError
        When no hub runs.
    """

    def __init__(
        self,
        pointed: Callable[[float, float], None],
        highlighted: Callable[[str, int], None],
        hub: Any = None,
    ) -> None:
        self._client = _connected(True, hub)
        self._pointed, self._highlighted = pointed, highlighted
        try:
            # pyvo would tell whoever asks what stands in our environment.
            self._client.unbind_receive_call("client.env.get")
            for kind, take in ((POINT, self._take_point), (ROW, self._take_row)):
                self._client.bind_receive_notification(kind, _noted(take))
                self._client.bind_receive_call(kind, self._answered(take))
        except BaseException:
            self.close()
            raise

    def listeners(self) -> list[str]:
        """Names of the programs that can be pointed.

        Raises
        ------
        SetupError
            When the hub does not answer.
        """
        with _answering(self._client):
            return _names(self._client, POINT)

    def point(self, ra: float, dec: float) -> None:
        """Point the others at a place (ICRS, deg).

        Raises
        ------
        SetupError
            When the hub does not answer.
        """
        with _answering(self._client):
            told = {"ra": f"{ra:.9f}", "dec": f"{dec:.9f}"}
            self._client.notify_all({"samp.mtype": POINT, "samp.params": told})

    def send_table(self, path: str | Path, name: str) -> list[str]:
        """As the function of that name; rows of it that others highlight are heard of here."""
        return _sent(self._client, path, name)

    def close(self) -> None:
        """Hear nothing more."""
        _let_go(self._client)

    def _take_point(self, told: Any) -> None:
        ra, dec = float(told["ra"]), float(told["dec"])
        if math.isfinite(ra) and abs(dec) <= 90.0:
            self._pointed(ra % 360.0, dec)

    def _take_row(self, told: Any) -> None:
        name, row = str(told.get("table-id") or told.get("url") or ""), int(told["row"])
        if row >= 0:
            self._highlighted(name, row)

    def _answered(self, take: Callable[[Any], None]) -> Callable[..., None]:
        def hear(key: str, who: str, number: str, kind: str, told: Any, more: Any) -> None:
            _noted(take)(key, who, kind, told, more)
            with suppress(Exception):  # whoever asked has gone
                self._client.ereply(number, "samp.ok", result={})

        return hear


def _noted(take: Callable[[Any], None]) -> Callable[..., None]:
    """What takes a message; one that makes no sense is not heard."""

    def hear(_key: str, _who: str, _kind: str, told: Any, _more: Any) -> None:
        with suppress(KeyError, TypeError, ValueError, AttributeError, OverflowError):
            take(told)

    return hear


def _connected(hears: bool, hub: Any) -> Any:
    from pyvo.samp import SAMPHubError, SAMPIntegratedClient, SAMPProxyError, conf

    address = "127.0.0.1" if hears else None
    client = SAMPIntegratedClient(metadata=dict(_ABOUT), callable=hears, addr=address)
    try:
        with conf.set_temp("use_internet", False):  # pyvo would ask a search engine for our name
            client.connect(hub)
    except (SAMPHubError, SAMPProxyError, OSError) as error:
        raise SetupError(
            "no program listens for tables (no SAMP hub runs); start TOPCAT or Aladin first"
        ) from error
    return client


def _let_go(client: Any) -> None:
    from pyvo.samp import SAMPClientError, SAMPHubError, SAMPProxyError

    with suppress(SAMPClientError, SAMPHubError, SAMPProxyError, OSError):  # the hub went first
        if client.client.is_running:
            client.disconnect()
        else:  # it hears nothing, and pyvo takes it for disconnected
            client.client.unregister()
            client.hub.disconnect()


def _sent(client: Any, path: str | Path, name: str) -> list[str]:
    with _answering(client):
        takers = sorted(client.get_subscribed_clients(TABLE))
        names = _names(client, TABLE)
        if not takers:
            raise SetupError("no program that runs takes tables; start TOPCAT or Aladin first")
        told = {"url": Path(path).absolute().as_uri(), "name": name, "table-id": table_id(name)}
        for each in takers:
            client.notify(each, {"samp.mtype": TABLE, "samp.params": told})
    return names


def _names(client: Any, kind: str) -> list[str]:
    """What the programs that take messages of a kind are called."""
    takers = sorted(client.get_subscribed_clients(kind))
    return [str(client.get_metadata(each).get("samp.name", each)) for each in takers]


@contextmanager
def _answering(client: Any) -> Iterator[None]:
    from pyvo.samp import SAMPProxyError

    if not client.hub.is_connected:
        raise SetupError("the line to the SAMP hub is closed; connect again")
    try:
        yield
    except (SAMPProxyError, OSError) as error:
        raise SetupError(f"the SAMP hub does not answer ({error}); start it anew") from error
