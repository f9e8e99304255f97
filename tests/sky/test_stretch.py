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
from napari_astroseg.sky.looks.equalise import Curve
from napari_astroseg.sky.looks.limits import (
    LIMIT_RULES,
    SAMPLED_PLANES,
    Limits,
    percentile,
    sample,
    sampled_limits,
    zscale,
)
from napari_astroseg.sky.looks.stretch import FARTHEST, KINDS, Stretch
from napari_astroseg.sky.pyramids.pyramid import levels

KIND = st.sampled_from(KINDS)


def drawn(kind: str, bounds: Limits) -> Stretch:
    """A stretch of any kind, for an image whose values lie around its limits, unevenly."""
    spread = np.random.default_rng(1).gamma(2.0, 0.2, 5000)
    return Stretch(kind, bounds, Curve.of(bounds.low + bounds.span * spread))  # type: ignore[arg-type]


@st.composite
def limits(draw: st.DrawFn) -> Limits:
    """Limits of any size that data come in: 1e-20 W m-2 sr-1 to 1e25 cm-2."""
    scale = 10.0 ** draw(st.integers(-20, 25))
    low = draw(st.floats(-3.0, 3.0)) * scale
    return Limits(low, low + draw(st.floats(0.01, 3.0)) * scale)


def drawn_by_rank(values: np.ndarray, raw: np.ndarray) -> np.ndarray:
    return Stretch("histogram", LIMIT_RULES["min–max"](values), Curve.of(values))(raw)


@given(kind=KIND, bounds=limits(), raw=st.lists(st.floats(width=32, allow_nan=False), min_size=2))
def test_brighter_is_never_darker(kind: str, bounds: Limits, raw: list[float]) -> None:
    display = drawn(kind, bounds)(np.sort(np.array(raw, np.float32)))
    assert display.dtype == np.float32
    assert np.isfinite(display).all()
    assert (
        np.diff(display.astype(np.float64)) >= -1e-6 * np.maximum(np.abs(display[1:]), 1.0)
    ).all()


@given(kind=KIND, bounds=limits())
def test_limits_become_nought_and_one(kind: str, bounds: Limits) -> None:
    low, high = drawn(kind, bounds)(np.array([bounds.low, bounds.high]))
    assert low == pytest.approx(0.0, abs=1e-3)
    assert high == pytest.approx(1.0, abs=1e-3)


@given(kind=KIND, bounds=limits(), fraction=st.floats(-20, 20))
def test_a_display_value_leads_back(kind: str, bounds: Limits, fraction: float) -> None:
    raw = bounds.low + fraction * bounds.span
    stretch = drawn(kind, bounds)
    back = float(stretch.inverse(stretch(np.array([raw], np.float64)))[0])
    assert back == pytest.approx(raw, abs=2e-5 * bounds.span * (1 + abs(fraction)))


@pytest.mark.parametrize("kind", KINDS)
def test_missing_stays_missing(kind: str) -> None:
    raw = np.array([[np.nan, 1.0], [np.inf, -np.inf]], np.float32)
    display = drawn(kind, Limits(0.0, 2.0))(raw)
    assert np.isnan(display[0, 0])
    assert display.shape == (2, 2)
    assert np.isfinite(display.ravel()[1:]).all()
    assert np.array_equal(raw, [[np.nan, 1.0], [np.inf, -np.inf]], equal_nan=True)


def test_the_formulas_are_those_of_the_docstring() -> None:
    bounds, raw = Limits(10.0, 30.0), np.array([10.0, 12.0, 20.0, 30.0])
    x = (raw - 10.0) / 20.0
    assert np.allclose(Stretch("linear", bounds)(raw), x)
    assert np.allclose(Stretch("sqrt", bounds)(raw), np.sqrt(x))
    assert np.allclose(Stretch("asinh", bounds)(raw), AsinhStretch(0.1)(x), atol=1e-6)
    assert np.allclose(Stretch("log", bounds)(raw), np.log1p(1000 * x) / math.log(1001), atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_one_wild_pixel_stays_drawable(kind: str) -> None:
    display = drawn(kind, Limits(0.0, 1.0))(np.array([1e38, -1e38], np.float32))
    assert (np.abs(display) <= FARTHEST).all()


@given(kind=KIND, bounds=limits(), at=st.floats(-2, 2), width=st.floats(0.05, 5))
def test_limits_cross_over_and_back(kind: str, bounds: Limits, at: float, width: float) -> None:
    stretch = drawn(kind, bounds)
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
    with pytest.raises(ImageError, match="asinh, log, sqrt, linear, histogram"):
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


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_big_image_is_drawn_as_its_pixels_are(kind: str, dtype: type) -> None:
    raw = np.random.default_rng(4).normal(1.0, 1.0, (700, 330)).astype(dtype)
    raw[5, 7] = np.nan
    stretch = drawn(kind, Limits(0.0, 2.0))
    apart = np.array([stretch(row) for row in raw])
    assert np.array_equal(stretch(raw), apart, equal_nan=True)
    assert np.array_equal(stretch(raw[None])[0], apart, equal_nan=True)
    assert np.array_equal(stretch(raw[::2, ::3]), apart[::2, ::3], equal_nan=True)
    assert stretch(raw[:0]).shape == (0, 330)
    assert stretch(float(raw[0, 0])) == pytest.approx(apart[0, 0], rel=1e-5)


# --- histogram equalisation --------------------------------------------------------------------


def test_equalised_values_are_spread_evenly() -> None:
    raw = np.random.default_rng(5).lognormal(0.0, 2.0, (500, 500)).astype(np.float32)
    image = SkyImage.from_array(raw)
    display = drawn_by_rank(sample(levels(image)[-1]), raw)
    shares, _ = np.histogram(display, 10, (0.0, 1.0))
    assert shares == pytest.approx(np.full(10, raw.size / 10), rel=0.1)


def test_between_narrower_limits_ranks_are_counted_there() -> None:
    raw = np.random.default_rng(6).normal(0.0, 1.0, 200_000)
    display = Stretch("histogram", Limits(0.0, 1.0), Curve.of(raw))(raw)
    inside = display[(raw > 0) & (raw < 1)]
    shares, _ = np.histogram(inside, 5, (0.0, 1.0))
    assert shares == pytest.approx(np.full(5, inside.size / 5), rel=0.05)
    assert display[raw < 0].max() <= 0
    assert display[raw > 1].min() >= 1


@given(
    values=st.lists(st.floats(-1e30, 1e30), max_size=40),
    raw=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20),
)
def test_a_curve_of_any_values_grows_and_leads_back(values: list[float], raw: list[float]) -> None:
    curve = Curve.of(np.array(values, np.float64))
    asked = curve.middle + curve.width * np.sort(np.array(raw))
    display = curve(asked).astype(np.float64)
    assert np.isfinite(display).all()
    rounding = 1e-6 * np.maximum(np.abs(display[1:]), 1.0)
    assert (np.diff(display) >= -rounding).all()
    heights = np.linspace(-0.2, 1.2, 29)
    back = curve.inverse(heights)
    assert (np.diff(back) > 0).all()
    assert curve(back).astype(np.float64) == pytest.approx(heights, abs=2e-4)


def test_a_curve_keeps_missing_and_infinite_values() -> None:
    curve = Curve.of(np.arange(100.0))
    display = curve(np.array([np.nan, np.inf, -np.inf, 50.0], np.float32))
    assert np.isnan(display[0])
    assert np.isfinite(display[1:]).all()
    assert display[2] < 0 < display[3] < 1 < display[1]


def test_a_histogram_stretch_without_values_is_refused() -> None:
    with pytest.raises(ImageError, match="give a curve"):
        Stretch("histogram", Limits(0.0, 1.0))


# --- samples -----------------------------------------------------------------------------------


def test_extremes_are_those_of_the_level() -> None:
    values = np.random.default_rng(7).normal(size=(900, 1000)).astype(np.float32)
    values[17, 23], values[801, 3], values[5, 5], values[6, 6] = 40.0, -50.0, np.inf, np.nan
    found = LIMIT_RULES["min–max"](sample(levels(SkyImage.from_array(values))[-1]))
    assert (found.low, found.high) == (-50.0, 40.0)


def test_a_mask_is_drawn_between_its_extremes() -> None:
    mask = np.zeros((200, 200), bool)
    mask[:20, :20] = True
    assert sampled_limits(SkyImage.from_array(mask)) == Limits(0.0, 1.0)
    labels = np.zeros((200, 200), np.int32)
    labels[:60, :60] = 7
    assert sampled_limits(SkyImage.from_array(labels)) == Limits(0.0, 7.0)


def test_integer_counts_are_no_labels() -> None:
    counts = np.random.default_rng(8).poisson(400.0, (300, 300))
    counts[3, 3] = 60_000
    found = sampled_limits(SkyImage.from_array(counts))
    assert 300 < found.low < 400 < found.high < 600


class _Planes:
    """What a sample needs of a stack's level."""

    def __init__(self, planes: np.ndarray) -> None:
        self.planes, self.read = planes, []
        self.shape, self.image = planes.shape, self._Image()
        self.image.shape = planes.shape[1:]

    class _Image:
        shape: tuple[int, ...] = ()

    def __getitem__(self, index: int) -> np.ndarray:
        self.read.append(index)
        return self.planes[index]


def test_a_stack_is_sampled_on_a_few_planes() -> None:
    stack = _Planes(np.arange(40.0)[:, None, None] + np.zeros((40, 8, 9)))
    values = sample(stack)  # type: ignore[arg-type]
    assert stack.read[0] == 0
    assert len(stack.read) == SAMPLED_PLANES
    assert (values.min(), values.max()) == (0.0, 39.0)


def test_of_a_huge_stack_one_plane_is_sampled() -> None:
    stack = _Planes(np.ones((40, 8, 9)))
    stack.image.shape = (20_000, 20_000)
    sample(stack)  # type: ignore[arg-type]
    assert stack.read == [0]


def test_limits_that_look_the_same_are_close() -> None:
    assert Limits(0.0, 1.0).close_to(Limits(1e-5, 1.00002))
    assert not Limits(0.0, 1.0).close_to(Limits(0.0, 1.01))
