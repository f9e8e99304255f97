"""What a paper says of an answer: a paragraph of methods in LaTeX, and the BibTeX that it cites.

PROVENANCE is the provenance.json that `astroseg predict` left, or its folder. What only you know
stands in brackets.
"""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "a paragraph of methods and its BibTeX"


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    verb.add_argument("provenance", type=Path, metavar="PROVENANCE", help="a file or its folder")
    verb.add_argument("--bibtex", type=Path, metavar="F", help="write the entries to a file")


def run(options: argparse.Namespace) -> int:
    """Print the paragraph, and the entries unless they go to a file."""
    from napari_astroseg.engine.methods import methods
    from napari_astroseg.engine.rerun import Provenance
    from napari_astroseg.sky.files.writing import replacing

    paragraph, entries = methods(Provenance.read(options.provenance))
    print(paragraph)
    if options.bibtex is None:
        print(f"\n{entries}")
    else:
        with replacing(options.bibtex) as temporary:
            temporary.write_text(f"{entries}\n", encoding="utf-8")
    return 0
