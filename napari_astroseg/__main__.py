"""`python -m napari_astroseg` and the `astroseg` command."""

from __future__ import annotations

import sys

from napari_astroseg.cli.main import main as run


def main() -> None:
    """Run the command line and leave with its status."""
    sys.exit(run())


if __name__ == "__main__":
    main()
