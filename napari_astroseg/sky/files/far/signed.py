"""Signed: URLs that carry a permission, which is another each time and no part of what they name.

A parameter is taken for one of a signature only where the whole scheme is there: alone, `st` or
`token` may as well choose what the server gives.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class _Scheme:
    """The parameters, in lower case, that every signature of a kind has, and the others it may."""

    marks: frozenset[str]
    others: frozenset[str]


def _scheme(marks: str, others: str) -> _Scheme:
    return _Scheme(frozenset(marks.split()), frozenset(others.split()))


_SCHEMES = (
    _scheme(  # S3, version 4
        "x-amz-signature x-amz-credential",
        "x-amz-algorithm x-amz-date x-amz-expires x-amz-signedheaders x-amz-security-token",
    ),
    _scheme("awsaccesskeyid signature", "expires x-amz-security-token"),  # S3, version 2
    _scheme(  # Google
        "x-goog-signature",
        "x-goog-algorithm x-goog-credential x-goog-date x-goog-expires x-goog-signedheaders",
    ),
    _scheme("signature key-pair-id", "expires policy hash-algorithm"),  # CloudFront
    _scheme(  # Azure
        "sv sig",
        "se ses sip skdutid ske skoid sks skt sktid skv sp spr sr srt ss st",
    ),
)


def unsigned(url: str) -> str:
    """A URL without the parameters of the signature it may carry."""
    bare, mark, rest = url.partition("?")
    query, hash_mark, fragment = rest.partition("#")
    parts = query.split("&")
    names = {_name(part) for part in parts}
    signing: set[str] = set()
    for scheme in _SCHEMES:
        if scheme.marks <= names:
            signing |= scheme.marks | scheme.others
    if not signing:
        return url
    kept = "&".join(part for part in parts if _name(part) not in signing)
    return bare + (mark if kept else "") + kept + hash_mark + fragment


def _name(part: str) -> str:
    return part.partition("=")[0].lower()
