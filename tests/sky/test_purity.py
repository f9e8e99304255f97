"""The cut of an expected purity: as low as it can be, and no lower."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_astroseg.sky.purity import lowest_cut

scores = arrays(np.float64, st.integers(1, 60), elements=st.floats(0, 1, width=32))


@given(scores, st.floats(0.05, 0.99))
def test_what_the_cut_leaves_is_pure_enough_and_a_lower_one_would_not_do(values, purity):
    cut = lowest_cut(values, purity)
    kept = values[values >= cut]
    if cut < 1:
        assert kept.mean() >= purity - 1e-9
    lower = [values[values >= each].mean() for each in np.unique(values[values < cut - 1 / 2000])]
    assert all(mean < purity + 1 / 2000 for mean in lower)


def test_maps_are_looked_at_where_they_are_known():
    values = np.tile(np.array([0.9, 0.5, np.nan, 0.1], np.float32), (3000, 1))
    assert 0.1 < lowest_cut(values, 0.7 - 1e-6) <= 0.5
    assert 0.5 < lowest_cut(values, 0.71) <= 0.9
    assert lowest_cut(values, 0.95) == 1.0
    assert lowest_cut(np.zeros(0), 0.5) == 1.0
    assert lowest_cut(values, 0.5 - 1e-6) == 0.0  # all of it will do
