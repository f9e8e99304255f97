"""Stretches are monotone and reversible; limits are sane for every image."""

from __future__ import annotations

import math

import numpy as np
import pytest
from astropy.visualization import AsinhStretch, ZScaleInterval
from hypothesis import given
from hypothesis import strategies as st

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pyramid import levels
from napari_astroseg.sky.stretch import (
    FARTHEST,
    KINDS,
    LIMIT_RULES,
    Limits,
    Stretch,
    percentile,
    sample,
    sampled_limits,
    zscale,
)

KIND = st.sampled_from(KINDS)


@st.composite
def limits(draw: st.DrawFn) -> Limits:
    """Limits of any size that data come in: 1e-20 W m-2 sr-1 to 1e25 cm-2."""
    scale = 10.0 ** draw(st.integers(-20, 25))
    low = draw(st.floats(-3.0, 3.0)) * scale
    return Limits(low, low + draw(st.floats(0.01, 3.0)) * scale)


@given(kind=KIND, bounds=limits(), raw=st.lists(st.floats(width=32, allow_nan=False), min_size=2))
def test_brighter_is_never_darker(kind: str, bounds: Limits, raw: list[float]) -> None:
    display = Stretch(kind, bounds)(np.sort(np.array(raw, np.float32)))
    assert display.dtype == np.float32
    assert np.isfinite(display).all()
    assert (np.diff(display.astype(np.float64)) >= -1e-6 * np.abs(display[1:])).all()


@given(kind=KIND, bounds=limits())
def test_limits_become_nought_and_one(kind: str, bounds: Limits) -> None:
    low, high = Stretch(kind, bounds)(np.array([bounds.low, bounds.high]))
    assert low == pytest.approx(0.0, abs=1e-3)
    assert high == pytest.approx(1.0, abs=1e-3)


@given(kind=KIND, bounds=limits(), fraction=st.floats(-20, 20))
def test_a_display_value_leads_back(kind: str, bounds: Limits, fraction: float) -> None:
    raw = bounds.low + fraction * bounds.span
    stretch = Stretch(kind, bounds)
    back = float(stretch.inverse(stretch(np.array([raw], np.float64)))[0])
    assert back == pytest.approx(raw, abs=2e-5 * bounds.span * (1 + abs(fraction)))


@pytest.mark.parametrize("kind", KINDS)
def test_missing_stays_missing(kind: str) -> None:
    raw = np.array([[np.nan, 1.0], [np.inf, -np.inf]], np.float32)
    display = Stretch(kind, Limits(0.0, 2.0))(raw)
    assert np.isnan(display[0, 0])
    assert display.shape == (2, 2)
    assert np.isfinite(display.ravel()[1:]).all()
    assert np.array_equal(raw, [[np.nan, 1.0], [np.inf, -np.inf]], equal_nan=True)


def test_the_formulas_are_those_of_the_docstring() -> None:
    bounds, raw = Limits(10.0, 30.0), np.array([10.0, 12.0, 20.0, 30.0])
    x = (raw - 10.0) / 20.0
    assert np.allclose(Stretch("linear", bounds)(raw), x)
    assert np.allclose(Stretch("asinh", bounds)(raw), AsinhStretch(0.1)(x), atol=1e-6)
    assert np.allclose(Stretch("log", bounds)(raw), np.log1p(1000 * x) / math.log(1001), atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_one_wild_pixel_stays_drawable(kind: str) -> None:
    display = Stretch(kind, Limits(0.0, 1.0))(np.array([1e38, -1e38], np.float32))
    assert (np.abs(display) <= FARTHEST).all()


@given(kind=KIND, bounds=limits(), at=st.floats(-2, 2), width=st.floats(0.05, 5))
def test_limits_cross_over_and_back(kind: str, bounds: Limits, at: float, width: float) -> None:
    stretch = Stretch(kind, bounds)
    asked = Limits(bounds.low + at * bounds.span, bounds.low + (at + width) * bounds.span)
    low, high = stretch.display_limits(asked)
    assert low < high
    back = stretch.raw_limits(low, high)
    assert back.low == pytest.approx(asked.low, abs=1e-3 * bounds.span)
    assert back.high == pytest.approx(asked.high, abs=1e-3 * bounds.span)


@pytest.mark.parametrize("bad", [(1.0, 1.0), (2.0, 1.0), (math.nan, 1.0), (0.0, math.inf)])
def test_limits_that_are_none_are_refused(bad: tuple[float, float]) -> None:
    with pytest.raises(ImageError, match="lower one first"):
        Limits(*bad)


def test_an_unknown_stretch_is_refused() -> None:
    with pytest.raises(ImageError, match="asinh, log, linear"):
        Stretch("cubic", Limits(0.0, 1.0))  # type: ignore[arg-type]


def awkward_images() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(2)
    sky = rng.normal(5.0, 1.0, (300, 400)).astype(np.float32)
    wild = sky.copy()
    wild[17, 23] = 1e25
    sparse = np.full((900, 900), np.nan, np.float32)
    sparse[411, 500:508] = np.arange(8)
    return {
        "noise": sky,
        "constant": np.full((50, 60), 3.5, np.float32),
        "zero": np.zeros((50, 60), np.float32),
        "all missing": np.full((50, 60), np.nan, np.float32),
        "one pixel": np.ones((1, 1), np.float32),
        "one row": np.arange(7, dtype=np.float32)[None],
        "an outlier": wild,
        "nearly constant": np.where(sky > 9.0, 1.0, 0.0).astype(np.float32),
        "column density": (sky * 1e22).astype(np.float32),
        "faint": (sky * 1e-20).astype(np.float32),
        "a few pixels": sparse,
        "infinite": np.where(sky > 6.0, np.inf, sky).astype(np.float32),
        "integers": np.arange(2000).reshape(40, 50),
    }


@pytest.mark.parametrize("rule", LIMIT_RULES)
@pytest.mark.parametrize("name", awkward_images())
def test_every_image_gets_limits(name: str, rule: str) -> None:
    image = SkyImage.from_array(awkward_images()[name])
    found = LIMIT_RULES[rule](sample(levels(image)[-1]))
    assert np.isfinite([found.low, found.high]).all()
    assert found.low < found.high
    display = Stretch("asinh", found)(awkward_images()[name])
    assert not np.isinf(display).any()


def test_limits_ignore_outliers_and_gaps() -> None:
    images = awkward_images()
    plain, wild = (sampled_limits(SkyImage.from_array(images[n])) for n in ("noise", "an outlier"))
    assert plain.low == pytest.approx(wild.low, rel=0.05)
    assert plain.high == pytest.approx(wild.high, rel=0.05)
    assert plain.low < 5.0 < plain.high
    assert sampled_limits(SkyImage.from_array(images["a few pixels"])).high > 5.0


def test_zscale_is_zscale() -> None:
    values = np.random.default_rng(3).normal(100.0, 10.0, 5000)
    low, high = ZScaleInterval(n_samples=5000).get_limits(values)
    assert (zscale(values).low, zscale(values).high) == pytest.approx((low, high))


def test_percentiles_hold_their_share() -> None:
    values = np.linspace(0.0, 1000.0, 10_001)
    found = percentile(values, 99.0)
    assert (found.low, found.high) == pytest.approx((5.0, 995.0))


def test_other_kind_same_limits() -> None:
    stretch = Stretch("asinh", Limits(1.0, 2.0)).of_kind("log")
    assert stretch == Stretch("log", Limits(1.0, 2.0))
