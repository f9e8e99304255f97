"""Service: one question to hips2fits at the CDS, and its answer as bytes.

astroquery words the question. The answer is streamed here, because astroquery would hold all of it
whatever its size, decode it as text for its log, and know neither how far it is nor how to stop.
Its setting `hips2fits.server` counts; its cache and its own time limit do not.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from napari_astroseg import __version__
from napari_astroseg.errors import SurveyError
from napari_astroseg.sky.files.far.patience import reason
from napari_astroseg.sky.progress import Progress
from napari_astroseg.sky.surveys.field import Field
from napari_astroseg.sky.surveys.survey import Survey

NAME = "CDS hips2fits"
MIRRORS = tuple(
    f"https://{host}.cds.unistra.fr/hips-image-services/hips2fits"
    for host in ("alasky", "alaskybis")
)
"""The service and its twin: where the first fails, the other is asked next."""
CONNECT_S = 10.0
SILENT_S = 60.0
"""How long the service may say nothing while it puts a picture together."""
_CHUNK = 2**14
_HEADERS = 2**20
"""Room for all of an answer that is not pixels, bytes."""
_ERROR_BYTES = 2**14
_UNREACHABLE = ("NewConnectionError", "NameResolutionError", "ProxyError", "ConnectionRefusedError")


class Passing(Exception):
    """A failure that may pass: the question is put again. Its words are a reason."""

    def __init__(self, words: str, why: str = "refused") -> None:
        super().__init__(words)
        self.why = why


class Unreachable(Exception):
    """Nobody can be asked: there is no network, or none to there. Its words are a reason."""


def most_bytes(field: Field) -> int:
    """The largest answer that can be the field: doubles, or three planes of colour."""
    return field.width_px * field.height_px * 8 + _HEADERS


def addresses() -> tuple[str, ...]:
    """Where to ask, in turn: the user's own setting, or the service and its twin."""
    from astroquery.hips2fits import hips2fits

    chosen = str(hips2fits.server)
    if chosen not in MIRRORS:
        return (chosen,)
    return (chosen, *(each for each in MIRRORS if each != chosen))


def ask(survey: Survey, field: Field, server: str, until: float, progress: Progress) -> bytes:
    """What the service answers; not looked into.

    Parameters
    ----------
    server
        One of `addresses`.
    until
        `time.monotonic()` at which it is given up.
    progress
        Hears bytes that have come, of all where that is told.

    Raises
    ------
    Passing
        When asking again may help: no answer in time, a broken connection, a fault of theirs.
    Unreachable
        When there is no network to there.
    SurveyError
        When the service refuses, or sends too much.
    """
    import requests  # it and astroquery cost half a second that only those who ask should pay
    from astroquery.hips2fits import hips2fits

    payload = hips2fits.query_with_wcs(
        hips=survey.hips, wcs=field.wcs, format="fits", get_query_payload=True
    )
    silent_s = max(0.1, min(SILENT_S, until - time.monotonic()))
    with (
        _blaming(silent_s),
        requests.get(
            server,
            params=payload,
            headers={"User-Agent": f"napari-astroseg/{__version__}"},
            timeout=(min(CONNECT_S, silent_s), silent_s),
            stream=True,
        ) as response,
    ):
        if response.status_code != requests.codes.ok:
            raise _refusal(response, survey)
        return _received(response, survey, most_bytes(field), until, progress)


def _received(response: Any, survey: Survey, most: int, until: float, progress: Progress) -> bytes:
    """The answer's body, piece by piece."""
    told = response.headers.get("Content-Length", "")
    packed = "Content-Encoding" in response.headers
    total = int(told) if told.isdigit() and not packed else None
    came = bytearray()
    pieces: Iterator[bytes] = response.iter_content(_CHUNK)
    while max(total or 0, len(came)) <= most:
        progress(f"receiving {survey.name}", len(came), total)
        piece = next(pieces, b"")
        if not piece:
            return bytes(came)
        came += piece
        if time.monotonic() > until:
            raise Passing("it is too slow", "slow")
    raise SurveyError(
        f"{survey.name}: {NAME} sends more than the {most / 2**20:,.0f} MiB that this field can "
        "take; choose another survey, or tell the CDS",
        "broken",
    )


def _refusal(response: Any, survey: Survey) -> Exception:
    """What an answer that is none says, as an exception."""
    status = int(response.status_code)
    told = _told(next(response.iter_content(_ERROR_BYTES), b""))
    words = f"{status}{f', {told}' if told else ''}"
    if status >= 500:
        return Passing(f"fault {words}")
    remedies = {
        404: f"check the identifier {survey.hips} in the list of HiPS at aladin.cds.unistra.fr",
        429: "it was asked too often: wait a minute and try again",
    }
    remedy = remedies.get(status, f"check the survey ({survey.hips}) and choose another field")
    return SurveyError(f"{survey.name}: {NAME} refuses ({words}); {remedy}", "refused")


def _told(body: bytes) -> str:
    """The service's own words of what is wrong, from its JSON; "" of anything else."""
    try:
        content = json.loads(body)
        parts = (content.get("title"), content.get("description"))
    except (ValueError, AttributeError):
        return ""
    words = ": ".join(re.sub(r"<[^>]*>", "", part) for part in parts if isinstance(part, str))
    return " ".join(words.split())[:160]


@contextmanager
def _blaming(silent_s: float) -> Iterator[None]:
    """What requests raises, as what it means."""
    from requests import exceptions as failed

    try:
        yield
    except failed.SSLError as error:
        raise Unreachable(f"no trusted connection: {reason(error)}") from error
    except failed.ConnectTimeout as error:
        raise Passing("it cannot be reached", "offline") from error
    except failed.Timeout as error:
        raise Passing(f"no answer within {silent_s:.0f} s", "slow") from error
    except failed.ConnectionError as error:
        roots = [type(each).__name__ for each in _causes(error)]
        if any(name in _UNREACHABLE for name in roots):
            raise Unreachable("it cannot be reached") from error
        if "ReadTimeoutError" in roots:
            raise Passing(f"no answer within {silent_s:.0f} s", "slow") from error
        raise Passing("the connection broke off", "broken") from error
    except (failed.ChunkedEncodingError, failed.ContentDecodingError) as error:
        raise Passing("the connection broke off", "broken") from error
    except failed.RequestException as error:
        raise SurveyError(
            f"{NAME} cannot be asked ({reason(error)}); check `hips2fits.server` of astroquery "
            "and the proxy settings",
            "refused",
        ) from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and all that it was made from."""
    if error is None:
        return
    yield error
    inner = [getattr(error, "reason", None), *error.args]
    for each in inner:
        if isinstance(each, BaseException):
            yield from _causes(each)
