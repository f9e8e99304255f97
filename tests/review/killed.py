"""Processes that judge as fast as they can, and are killed; prints each verdict told as kept.

python killed.py STORE SPILL TIMES SEED
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

from napari_astroseg.review.session import VettingSession


def judge(store: str, spill: str, told: int) -> None:
    """Until the process dies."""
    session = VettingSession(store, None, "Ada", spill=Path(spill))
    while True:
        entry = session.judge("real", note="n" * 200, advance=False)
        os.write(told, f"{entry.uid}\n".encode())


if __name__ == "__main__":
    chance = random.Random(int(sys.argv[4]))
    for _ in range(int(sys.argv[3])):
        ours, theirs = os.pipe()
        child = os.fork()
        if not child:
            os.close(ours)
            judge(sys.argv[1], sys.argv[2], theirs)
        os.close(theirs)
        with os.fdopen(ours, "rb") as pipe:
            heard = pipe.readline()  # it is at work
            time.sleep(chance.uniform(0.0, 0.05))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            heard += pipe.read()
        print(heard[: heard.rfind(b"\n") + 1].decode(), end="", flush=True)
