"""Webpage: the frame of the HTML pages that we write: one style, no script, nothing fetched."""

from __future__ import annotations

from html import escape

_ALONE = (
    '<meta http-equiv="Content-Security-Policy"\n'
    " content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
)


def webpage(title: str, body: str, style: str, *, alone: bool) -> str:
    """A page with a title, which is its heading, too.

    Parameters
    ----------
    title
        Plain text.
    body
        HTML below the heading; what it quotes is escaped.
    style
        CSS.
    alone
        Whether all pictures are in the page; then the browser is told to load nothing else.
    """
    return f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{_ALONE if alone else ""}<title>{escape(title)}</title>
<style>
{style}</style>
</head>
<body>
<h1>{escape(title)}</h1>
{body}
</body>
</html>
"""
