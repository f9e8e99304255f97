"""Fuzz the reader: broken files of every kind either open or are refused in one sentence.

    python benchmarks/fuzz_reader.py --files 20000 --out failures

Every file is a sound one (a *seed*) that was mutated: bits flipped, cut, header cards swapped
for wild ones, blocks shuffled. A child process opens each, reads its coarsest level, a window,
a position on the sky, and describes it; the parent watches its time and memory. What fails in
any other way than by an error of ours is kept under `--out` for study. The same `--seed` makes
the same files.
"""

from __future__ import annotations

import argparse
import bz2
import contextlib
import gzip
import io
import json
import lzma
import os
import random
import re
import selectors
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS, DistortionLookupTable

ROOT = Path(__file__).resolve().parents[1]
BLOCK, CARD = 2880, 80
CPU_LIMIT_S = 5.0
WALL_LIMIT_S = 90.0
MEMORY_LIMIT_MIB = 512.0

# --- seeds --------------------------------------------------------------------------------

TAN = {
    "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRPIX1": 30.5, "CRPIX2": 20.25, "CRVAL1": 266.4,
    "CRVAL2": -29.0, "CDELT1": -0.003, "CDELT2": 0.003, "CUNIT1": "deg", "CUNIT2": "deg",
    "RADESYS": "ICRS", "BUNIT": "MJy/sr",
}  # fmt: skip
SIP = TAN | {
    "CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 2, "B_ORDER": 2,
    "A_2_0": 1e-4, "B_0_2": 2e-4, "AP_ORDER": 1, "BP_ORDER": 1, "AP_1_0": -1e-6, "BP_0_1": -2e-6,
}  # fmt: skip
TPV = TAN | {
    "CTYPE1": "RA---TPV", "CTYPE2": "DEC--TPV", "PV1_0": 1e-4, "PV1_1": 1.01, "PV2_1": 0.99,
    "PV2_7": 1e-3,
}  # fmt: skip
SURFACE = "3. 3. 3. 2. -0.5 0.5 -0.5 0.5 1.0E-4 2.0E-3 1.0E-3 3.0E-3 -4.0E-3 5.0E-3"
TNX = TAN | {
    "CTYPE1": "RA---TNX", "CTYPE2": "DEC--TNX", "WAT0_001": "system=image",
    "WAT1_001": f'wtype=tnx axtype=ra lngcor = "{SURFACE}'[:68],
    "WAT1_002": f'wtype=tnx axtype=ra lngcor = "{SURFACE} "'[68:],
    "WAT2_001": f'wtype=tnx axtype=dec latcor = "{SURFACE}'[:68],
    "WAT2_002": f'wtype=tnx axtype=dec latcor = "{SURFACE} "'[68:],
}  # fmt: skip
PLATE = {
    "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "PLTRAH": 5, "PLTRAM": 40, "PLTRAS": 1.0,
    "PLTDECSN": "-", "PLTDECD": 2, "PLTDECM": 27, "PLTDECS": 0.0, "EQUINOX": 2000.0,
    "XPIXELSZ": 25.28, "YPIXELSZ": 25.28, "CNPIX1": 100, "CNPIX2": 200, "PPO3": 177500.0,
    "PPO6": 177500.0, "AMDX1": 67.2, "AMDY1": 67.2, "CRVAL1": 85.0, "CRVAL2": -2.4,
    "CDELT1": -5e-4, "CDELT2": 5e-4,
}  # fmt: skip


def seeds() -> dict[str, bytes]:
    """Sound files of every kind that the reader knows, small enough to make many of."""
    rng = np.random.default_rng(11)
    image = rng.normal(10, 3, (48, 70)).astype("f4")
    image[3:6, 5:20] = np.nan
    whole = rng.integers(-300, 300, (48, 70)).astype("i2")
    made: dict[str, bytes] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made |= _plain(image, whole)
        made |= _families(image, whole)
        made |= _tiled(image, whole)
        made |= _tables(rng)
        made |= _skies(image)
        made |= _packed(made)
    return made


def _plain(image: Any, whole: Any) -> dict[str, bytes]:
    rgb = np.clip(np.stack([image] * 3, -1), 0, 255)
    scaled = fits.PrimaryHDU(whole, fits.Header(TAN | {"BLANK": 7}))
    scaled.header["BSCALE"], scaled.header["BZERO"] = 0.5, 100.0
    cube = TAN | {
        "CTYPE3": "VRAD", "CRVAL3": 1000.0, "CDELT3": 500.0, "CUNIT3": "m/s", "CRPIX3": 1.0,
        "SPECSYS": "LSRK", "RESTFRQ": 1.42e9,
    }  # fmt: skip
    long = fits.Header(TAN | {"LONGTEXT": "word " * 60})
    for n in range(120):
        long.add_history(f"step {n} of a long reduction")
    return {
        "f4": _bytes(fits.PrimaryHDU(image, fits.Header(TAN))),
        "f8": _bytes(fits.PrimaryHDU(image.astype("f8"), fits.Header(TAN))),
        "u1": _bytes(fits.PrimaryHDU(whole.astype("u1"), fits.Header(TAN))),
        "u2": _bytes(fits.PrimaryHDU(whole.astype("u2"))),
        "i8": _bytes(fits.PrimaryHDU(whole.astype("i8"))),
        "scaled": _bytes(scaled),
        "long header": _bytes(fits.PrimaryHDU(image, long)),
        "cube": _bytes(fits.PrimaryHDU(np.stack([image] * 5), fits.Header(cube))),
        "degenerate": _bytes(fits.PrimaryHDU(image[None, None], fits.Header(cube))),
        "rgb": _bytes(fits.PrimaryHDU(np.moveaxis(rgb, -1, 0).astype("u1"), fits.Header(TAN))),
        "rgb last": _bytes(fits.PrimaryHDU(rgb.astype("u1"), fits.Header(TAN))),
    }


def _families(image: Any, whole: Any) -> dict[str, bytes]:
    sky = fits.Header(TAN)
    family = [fits.PrimaryHDU()]
    for version in (1, 2):
        family += [
            fits.ImageHDU(image, sky, name="SCI", ver=version),
            fits.ImageHDU(np.abs(image), sky, name="ERR", ver=version),
            fits.ImageHDU(whole, sky, name="DQ", ver=version),
        ]
    bands = [fits.PrimaryHDU()] + [fits.ImageHDU(image, sky, name=n) for n in "GRIZ"]
    variance = [
        fits.PrimaryHDU(image, sky),
        fits.ImageHDU(image**2, name="VAR"),
        fits.ImageHDU(whole, name="MASK"),
    ]
    return {"family": _bytes(*family), "bands": _bytes(*bands), "variance": _bytes(*variance)}


def _tiled(image: Any, whole: Any) -> dict[str, bytes]:
    made = {}
    tiles = {"rows": (1, 70), "squares": (16, 16), "one": (48, 70)}
    for kind in ("GZIP_1", "GZIP_2", "RICE_1", "HCOMPRESS_1", "PLIO_1"):
        for name, tile in tiles.items():
            if kind == "HCOMPRESS_1" and name == "rows":
                continue
            values = whole if kind != "PLIO_1" else np.abs(whole)
            made[f"{kind} {name}"] = _compressed(values, kind, tile)
            if kind != "PLIO_1":
                method = {"rows": -1, "squares": 1, "one": 2}[name]
                made[f"{kind} {name} floats"] = _compressed(image, kind, tile, 16, method)
    made["GZIP_2 lossless"] = _compressed(image, "GZIP_2", (16, 70), 0)
    made["RICE_1 cube"] = _compressed(np.stack([whole] * 3), "RICE_1", (1, 16, 70))
    return made


def _compressed(
    values: Any, kind: str, tile: tuple[int, ...], q: float = 0, way: int = -1
) -> bytes:
    hdu = fits.CompImageHDU(
        values, fits.Header(TAN), compression_type=kind, tile_shape=tile, quantize_level=q,
        quantize_method=way, dither_seed=5,
    )  # fmt: skip
    return _bytes(fits.PrimaryHDU(), hdu)


def _tables(rng: np.random.Generator) -> dict[str, bytes]:
    columns = [
        fits.Column("RA", "D", array=rng.random(30)),
        fits.Column("NAME", "8A", array=np.array(["a"] * 30)),
        fits.Column("LIST", "PE()", array=[rng.random(n % 4) for n in range(30)]),
    ]
    healpix = fits.BinTableHDU.from_columns([fits.Column("T", "E", array=rng.random(12 * 16**2))])
    healpix.header.update(
        {"PIXTYPE": "HEALPIX", "ORDERING": "RING", "NSIDE": 16, "INDXSCHM": "IMPLICIT",
         "COORDSYS": "G", "FIRSTPIX": 0, "LASTPIX": 12 * 16**2 - 1}
    )  # fmt: skip
    partial = fits.BinTableHDU.from_columns(
        [fits.Column("PIXEL", "J", array=np.arange(500)), fits.Column("T", "E", array=np.ones(500))]
    )
    partial.header.update(
        {"PIXTYPE": "HEALPIX", "ORDERING": "NESTED", "NSIDE": 16, "INDXSCHM": "EXPLICIT",
         "OBJECT": "PARTIAL", "COORDSYS": "C"}
    )  # fmt: skip
    groups = fits.GroupsHDU(
        fits.GroupData(np.zeros((3, 4, 4), "f4"), bitpix=-32, parnames=["x"], pardata=[[1, 2, 3]])
    )
    return {
        "table": _bytes(fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)),
        "ascii table": _bytes(
            fits.PrimaryHDU(),
            fits.TableHDU.from_columns([fits.Column("X", "F8.3", array=rng.random(9), ascii=True)]),
        ),
        "healpix": _bytes(fits.PrimaryHDU(), healpix),
        "healpix partial": _bytes(fits.PrimaryHDU(), partial),
        "groups": _bytes(groups),
        "header only": _bytes(fits.PrimaryHDU(header=fits.Header(TAN))),
    }


def _skies(image: Any) -> dict[str, bytes]:
    made = {
        name: _bytes(fits.PrimaryHDU(image, fits.Header(cards)))
        for name, cards in {"sip": SIP, "tpv": TPV, "tnx": TNX, "plate": PLATE}.items()
    }
    for code in ("ZPN", "CAR", "AIT", "HPX", "TSC", "COE", "SZP", "CYP"):
        cards = TAN | {
            "CTYPE1": f"GLON-{code}", "CTYPE2": f"GLAT-{code}", "CRVAL1": 0.0, "CRVAL2": 0.0,
            "CDELT1": -2.0, "CDELT2": 2.0, "PV2_1": 1.0, "PV2_2": 40.0, "PV2_3": 0.1,
        }  # fmt: skip
        made[code] = _bytes(fits.PrimaryHDU(image, fits.Header(cards)))
    made["distorted"] = _bytes(*_distorted(image))
    return made


def _distorted(image: Any) -> list[Any]:
    """An image whose sky needs the lookup tables in its other HDUs."""
    wcs = WCS(fits.Header(TAN))
    table = np.outer(np.arange(6), np.ones(8)).astype("f4") / 10
    for name in ("cpdis1", "cpdis2", "det2im1"):
        setattr(wcs, name, DistortionLookupTable(table, (1, 1), (1, 1), (10, 10)))
    hdus = wcs.to_fits(relax=True)
    return [fits.PrimaryHDU(image, hdus[0].header), *hdus[1:]]


def _packed(made: dict[str, bytes]) -> dict[str, bytes]:
    return {
        f"{kind} {name}": packed(made[name], kind)
        for kind in PACKERS
        for name in (("f4", "family") if kind == "gz" else ("f4",))
    }


def _zipped(plain: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.fits", plain)
    return file.getvalue()


def _lzw(plain: bytes) -> bytes:
    """As `compress -b 9` would, its table soon full."""
    table = {bytes([n]): n for n in range(256)}
    codes, string = [], b""
    for n in range(len(plain)):
        byte = plain[n : n + 1]
        if string + byte in table:
            string += byte
            continue
        codes.append(table[string])
        if len(table) < 255 + 256:
            table[string + byte] = len(table) + 1  # 256 is the code that clears the table
        string = byte
    codes.append(table[string])
    bits = np.unpackbits(
        np.array(codes, "<u2").view("u1").reshape(-1, 2), axis=1, bitorder="little"
    )
    return b"\x1f\x9d\x89" + np.packbits(bits[:, :9].reshape(-1), bitorder="little").tobytes()


PACKERS = {
    "gz": lambda plain: gzip.compress(plain, 1),
    "bz2": bz2.compress,
    "xz": lambda plain: lzma.compress(plain, preset=0),
    "zip": _zipped,
    "Z": _lzw,
}


def packed(plain: bytes, kind: str) -> bytes:
    """A file compressed as a whole."""
    return PACKERS[kind](plain)


def _bytes(*hdus: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:  # random groups cannot be written to memory
        path = Path(folder) / "a.fits"
        fits.HDUList(list(hdus)).writeto(path, output_verify="silentfix")
        return path.read_bytes()


# --- mutants ------------------------------------------------------------------------------

WILD = [
    "0", "1", "-1", "2", "3", "7", "999", "1000000", "2147483647", "-2147483648", "4294967296",
    "9223372036854775807", "99999999999999999999999", "1.5", "-0.0", "1E308", "-1E400", "1E-320",
    "NaN", "inf", "T", "F", "''", "'x'", "'RA---TAN'", "'DEC--SIN'", "'GLON-HPX'", "'    '",
    "'FREQ'", "'STOKES'", "'LOOKUP'", "'GZIP_1'", "'RICE_1'", "'HCOMPRESS_1'", "'1PB(9)'", "'1QE'",
    "'BINTABLE'", "'IMAGE'", "'\xff\xfe'", "(1.0, 2.0)", "", "1 2 3", "0x10", "'it''s", "-64", "16",
    "'deg'", "'km/s'", "'FK4'", "'SUBTRACTIVE_DITHER_2'", "8", "32",
]  # fmt: skip
KEYS = [
    "NAXIS", "NAXIS1", "NAXIS2", "NAXIS3", "BITPIX", "PCOUNT", "GCOUNT", "TFIELDS", "ZTILE1",
    "ZTILE2", "ZNAXIS1", "ZNAXIS2", "ZNAXIS", "ZBITPIX", "ZCMPTYPE", "ZVAL1", "ZVAL2", "BSCALE",
    "BZERO", "BLANK", "ZBLANK", "THEAP", "TFORM1", "TTYPE1", "EXTEND", "SIMPLE", "XTENSION",
    "GROUPS", "CDELT1", "CRVAL2", "CRPIX1", "CTYPE1", "CTYPE2", "CD1_1", "PC1_2", "PV2_1",
    "LONPOLE", "WCSAXES", "EQUINOX", "A_ORDER", "CPDIS1", "NSIDE", "EXTNAME", "EXTVER", "END",
    "CUNIT1", "RADESYS", "BUNIT", "ORDERING", "FIRSTPIX", "INHERIT", "BLOCKED", "ZIMAGE",
]  # fmt: skip


def mutant(seed: bytes, rng: random.Random) -> bytes:
    """A file broken in one to four ways."""
    data = bytearray(seed)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        ways = (_flipped, _cut, _carded, _carded, _carded, _shuffled, _smeared)
        data = rng.choice(ways)(data, rng) or bytearray(b"\0")
    return bytes(data)


def mutated(name: str, made: dict[str, bytes], rng: random.Random) -> bytes:
    """A mutant of a seed; of a packed one, half the time mutated first and packed then."""
    kind, _, inner = name.partition(" ")
    if kind in PACKERS and rng.random() < 0.5:
        return packed(mutant(made[inner], rng), kind)
    return mutant(made[name], rng)


def _flipped(data: bytearray, rng: random.Random) -> bytearray:
    for _ in range(rng.choice((1, 3, 30))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def _cut(data: bytearray, rng: random.Random) -> bytearray:
    at = rng.randrange(len(data))
    if rng.random() < 0.3:
        at -= at % BLOCK
    return data[:at] if rng.random() < 0.7 else data + data[:at]


def _smeared(data: bytearray, rng: random.Random) -> bytearray:
    """A run of bytes replaced by one value, or by noise."""
    at, size = rng.randrange(len(data)), rng.choice((4, 80, 1000))
    size = min(size, len(data) - at)
    byte = rng.choice((0, 0x20, 0xFF, None))
    data[at : at + size] = rng.randbytes(size) if byte is None else bytes([byte]) * size
    return data


def _shuffled(data: bytearray, rng: random.Random) -> bytearray:
    blocks = [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)]
    i, j = rng.randrange(len(blocks)), rng.randrange(len(blocks))
    match rng.randrange(3):
        case 0:
            blocks[i], blocks[j] = blocks[j], blocks[i]
        case 1:
            del blocks[i]
        case _:
            blocks.insert(i, blocks[j])
    return bytearray().join(blocks)


def _carded(data: bytearray, rng: random.Random) -> bytearray:
    """A header card swapped for a wild one, doubled, deleted, or added."""
    cards = [at for at in range(0, len(data) - CARD + 1, CARD) if _is_card(data, at)]
    if not cards:
        return _flipped(data, rng)
    at = rng.choice(cards)
    keyword = bytes(data[at : at + 8]).decode("latin-1")
    match rng.randrange(6):
        case 0 | 1 | 2:
            told = f"{keyword}= {rng.choice(WILD):>20}"
        case 3:
            told = bytes(data[(other := rng.choice(cards)) : other + CARD]).decode("latin-1")
        case 4:
            told = ""
        case _:
            told = f"{rng.choice(KEYS):8}= {rng.choice(WILD):>20}"
            wanted = [
                each for each in cards if told.startswith(data[each : each + 8].decode("latin-1"))
            ]
            at = wanted[0] if wanted else at
    data[at : at + CARD] = told.ljust(CARD)[:CARD].encode("latin-1")
    return data


def _is_card(data: bytearray, at: int) -> bool:
    return re.match(rb"[A-Z0-9_-]{1,8} *= |END {20}", data[at : at + 24]) is not None


# --- one file -----------------------------------------------------------------------------


def look_at(path: Path) -> tuple[str, str]:
    """What became of a file, `opened` or `refused` or `crashed`, and its words."""
    from napari_astroseg.errors import AstroSegError
    from napari_astroseg.sky.info import describe
    from napari_astroseg.sky.opening import open_image
    from napari_astroseg.sky.pyramids.pyramid import levels
    from napari_astroseg.sky.window import Window

    try:
        image = open_image(path)
        describe(path)
        coarsest = levels(image)[-1]
        np.asarray(coarsest[(0,) * (len(coarsest.shape) - 2)])
        height, width = image.shape
        image.plane(0).cutout(Window(width // 2 - 20, height // 2 - 20, 64, 64))
        if image.wcs is not None:
            image.pixel(image.sky(0, 0))
    except AstroSegError as error:
        words = str(error)
        if path.name not in words or "\n" in words or len(words) > 600:
            return "badly said", words
        return "refused", words
    except Exception:
        return "crashed", traceback.format_exc()
    return "opened", ""


def serve() -> None:
    """The child: paths come in line by line, results go out."""
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints does not disturb
    for line in sys.stdin:
        _reset_peak()
        before, start = _peak_mib(), time.process_time()
        outcome, words = look_at(Path(line.rstrip("\n")))
        spent = time.process_time() - start
        told = {"outcome": outcome, "words": words, "cpu": spent, "mib": _peak_mib() - before}
        answers.write(json.dumps(told) + "\n")
        answers.flush()


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak_mib() -> float:
    told = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", told)[1]) / 1024  # type: ignore[index]


class Child:
    """A process that looks at files; it is started again when it dies."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ
            | {
                "ASTROSEG_CACHE": str(self._cache),
                "OMP_NUM_THREADS": "1",
                "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
            },
        )
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._process.stdout, selectors.EVENT_READ)  # type: ignore[arg-type]

    def ask(self, path: Path) -> dict[str, Any]:
        """What became of a file."""
        assert self._process.stdin is not None and self._process.stdout is not None
        line: str | None = ""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{path}\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline() if self._selector.select(WALL_LIMIT_S) else None
        if line:
            told: dict[str, Any] = json.loads(line)
            return told
        outcome = "hung" if line is None else "died"
        self.close()
        self._start()
        return {"outcome": outcome, "words": "", "cpu": WALL_LIMIT_S, "mib": 0.0}

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *why: object) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        self._selector.close()
        self._process.kill()
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()


def judged(told: dict[str, Any]) -> str:
    """The outcome, with what took too much time or memory set apart."""
    if told["outcome"] in {"opened", "refused"}:
        if told["cpu"] > CPU_LIMIT_S:
            return "slow"
        if told["mib"] > MEMORY_LIMIT_MIB:
            return "fat"
    return str(told["outcome"])


def fuzz(files: int, seed: int, out: Path, every: int = 1000) -> dict[str, Any]:
    """Make and look at so many files; what fails is kept in `out`."""
    out.mkdir(parents=True, exist_ok=True)
    made = seeds()
    names = sorted(made)
    counts: Counter[str] = Counter()
    of_seeds: dict[str, Counter[str]] = {name: Counter() for name in names}
    worst = {"cpu": (0.0, ""), "mib": (0.0, "")}
    start = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="fuzz-") as folder,
        Child(Path(folder) / "cache") as child,
    ):
        child.ask(Path(folder) / "absent")  # imports are nobody's time
        for number in range(files):
            rng = random.Random(f"{seed} {number}")
            name = names[number % len(names)]
            path = Path(folder) / f"f{number}.fits"
            path.write_bytes(mutated(name, made, rng))
            told = child.ask(path)
            outcome = judged(told)
            counts[outcome] += 1
            of_seeds[name][outcome] += 1
            for what, (most, _) in list(worst.items()):
                if told[what] > most:
                    worst[what] = told[what], f"{number} ({name})"
            if outcome not in {"opened", "refused"}:
                path.replace(out / f"{outcome}-{number}.fits".replace(" ", "-"))
                (out / f"{outcome}-{number}.txt".replace(" ", "-")).write_text(
                    json.dumps(told | {"seed": name}, indent=1).replace("\\n", "\n")
                )
            path.unlink(missing_ok=True)
            if (number + 1) % every == 0:
                print(number + 1, dict(counts), worst, flush=True)
    return {
        "files": files,
        "seeds": len(names),
        "outcomes": dict(counts),
        "of_seeds": {name: dict(count) for name, count in of_seeds.items()},
        "worst_cpu_s": worst["cpu"],
        "worst_mib": worst["mib"],
        "wall_s": round(time.monotonic() - start, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Fuzz the reader.")
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("fuzz-failures"))
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve()
        return
    report = fuzz(asked.files, asked.seed, asked.out)
    print(json.dumps(report, indent=1))
    failed = sum(report["outcomes"].values()) - sum(
        report["outcomes"].get(each, 0) for each in ("opened", "refused")
    )
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
