"""Programs: shaders that a software OpenGL has compiled are kept, for it crashes without them.

Mesa's llvmpipe (22.3, as Debian 12 has it) goes on using what it has compiled for a program after
the program was deleted: a layer that is hidden, then removed, ends the process with the second
picture from then. There programs stay until the window closes; other drivers delete them as ever.
"""

from __future__ import annotations

from typing import Any

from vispy.gloo import gl
from vispy.gloo.glir import GlirProgram

_KNOWN = "astroseg keeps programs"
_SOFTWARE = ("llvmpipe", "softpipe", "swrast")

_delete = GlirProgram.delete


def keep_programs() -> None:
    """Let no program be deleted where OpenGL is drawn by Mesa's software; again changes nothing."""
    GlirProgram.delete = _delete_or_keep


def _delete_or_keep(program: Any) -> None:
    known = program._parser.env
    if _KNOWN not in known:
        renderer = str(gl.glGetParameter(gl.GL_RENDERER)).lower()
        known[_KNOWN] = any(name in renderer for name in _SOFTWARE)
    if not known[_KNOWN]:
        _delete(program)
