"""Samp: a catalogue sent to the other programs on the screen: TOPCAT, Aladin, DS9.

The simple application messaging protocol of the IVOA. Its hub is found by a file in the home
folder, listens on this machine alone, and is started by TOPCAT or Aladin.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_astroseg import __version__
from napari_astroseg.errors import SetupError

_TABLE = "table.load.votable"


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
    from pyvo.samp import SAMPHubError, SAMPIntegratedClient, SAMPProxyError

    about = {"samp.name": "AstroSeg", "astroseg.version": __version__}
    # Nothing is to be heard: then no port is opened.
    client = SAMPIntegratedClient(metadata=about, callable=False)
    try:
        client.connect(hub)
    except (SAMPHubError, SAMPProxyError, OSError) as error:
        raise SetupError(
            "no program listens for tables (no SAMP hub runs); start TOPCAT or Aladin first"
        ) from error
    try:
        takers = sorted(client.get_subscribed_clients(_TABLE))
        names = [str(client.get_metadata(each).get("samp.name", each)) for each in takers]
        if not takers:
            raise SetupError("no program that runs takes tables; start TOPCAT or Aladin first")
        told = {"url": Path(path).absolute().as_uri(), "name": name, "table-id": f"astroseg:{name}"}
        for each in takers:
            client.notify(each, {"samp.mtype": _TABLE, "samp.params": told})
    except SAMPProxyError as error:
        raise SetupError(f"the SAMP hub does not answer ({error}); start it anew") from error
    finally:
        client.disconnect()
    return names
