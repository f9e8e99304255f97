"""Agreement between people: by hand, against the definitions spelt out, and as properties."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from napari_astroseg.errors import VoteError
from napari_astroseg.sky.votes.agreement import (
    agreement_of,
    agreement_on,
    cohen_kappa,
    dice_coefficient,
    fleiss_kappa,
)
from napari_astroseg.sky.votes.writing import Annotator

crowds = st.tuples(st.integers(2, 4), st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda shape: arrays(bool, shape)
)


def rectangle(rows: tuple[int, int], columns: tuple[int, int]) -> np.ndarray:
    mask = np.zeros((10, 12), bool)
    mask[slice(*rows), slice(*columns)] = True
    return mask


# --- by hand ------------------------------------------------------------------------------------


def test_two_people_by_hand() -> None:
    # 16 and 16 px, 12 of them common; 120 px of sky: o = 112 / 120, e = (16² + 104²) / 120²
    pairs = agreement_on([rectangle((2, 6), (2, 6)), rectangle((3, 7), (2, 6))], ["a", "b"]).pairs
    assert list(pairs["first"]) == ["a"] and list(pairs["second"]) == ["b"]
    assert pairs["dice"][0] == pytest.approx(24 / 32)
    chance = (16 * 16 + 104 * 104) / 120**2
    assert pairs["kappa"][0] == pytest.approx((112 / 120 - chance) / (1 - chance))
    assert pairs["both"][0].value == 12 and pairs["either"][0].value == 20
    assert pairs["both"].unit == "pixel2"


def test_cohens_kappa_of_fifty_applications() -> None:
    # 20 times both yes, 15 times both no, 5 and 10 times one of them: o = 0.7, e = 0.5
    assert cohen_kappa(25, 30, 20, 50) == pytest.approx(0.4)


def test_fleiss_kappa_by_hand() -> None:
    # one pixel each of 0, 1, 2 and 3 votes of three people: o = (1 + 1/3 + 1/3 + 1) / 4, e = 1/2
    assert fleiss_kappa(np.array([1, 1, 1, 1])) == pytest.approx((2 / 3 - 1 / 2) / (1 / 2))
    # two people who never agree: o = 0, e = 1/2
    assert fleiss_kappa(np.array([0, 8, 0])) == pytest.approx(-1.0)


def test_counts_beyond_what_64_bits_can_square_stay_exact() -> None:
    side = 2**17  # side⁴ pixels² exceeds 2⁶³
    assert cohen_kappa(side, side, side, side**2) == 1.0
    assert cohen_kappa(side, side, 1, side**2) == pytest.approx(0.0, abs=1e-12)
    assert fleiss_kappa(np.array([side**2 - side, 0, 0, side])) == 1.0


def test_what_chance_explains_is_nan() -> None:
    nothing, all_of_it = np.zeros((3, 3), bool), np.ones((3, 3), bool)
    for same in (nothing, all_of_it):
        found = agreement_on([same, same])
        assert math.isnan(found.fleiss) and math.isnan(found.pairs["kappa"][0])
    assert math.isnan(agreement_on([nothing, nothing]).pairs["dice"][0])
    assert agreement_on([all_of_it, all_of_it]).pairs["dice"][0] == 1
    assert agreement_on([nothing, all_of_it]).pairs["kappa"][0] == 0
    assert math.isnan(dice_coefficient(0, 0, 0)) and math.isnan(fleiss_kappa(np.array([5, 3])))
    assert len(agreement_on([nothing, nothing]).objects) == 0


def test_objects_are_told_one_by_one() -> None:
    near, shifted = rectangle((2, 6), (2, 6)), rectangle((3, 7), (2, 6))
    far = rectangle((8, 10), (9, 12))
    found = agreement_on([near, shifted | far, np.zeros_like(near)], ["a", "b", "c"])
    first, second = found.objects
    assert (first["id"], first["x"].value, first["y"].value) == (1, 3.5, 4.0)
    assert first["area"].value == 20 and first["marked"] == 2
    assert first["dice"] == pytest.approx(0.75 / 3)  # a, b agree; each with c not at all
    assert second["area"].value == 6 and second["marked"] == 1 and second["dice"] == 0
    told = [tuple(row) for row in found.object_pairs]
    assert told == [
        (1, "a", "b", 0.75),
        (1, "a", "c", 0.0),
        (1, "b", "c", 0.0),
        (2, "a", "b", 0.0),
        (2, "b", "c", 0.0),
    ]


def test_a_consensus_takes_each_piece_that_touches_it_whole() -> None:
    # of a's 16 px and b's 16 px, 12 lie in the consensus; all 32 count, and b's other piece not
    near, shifted = rectangle((2, 6), (2, 6)), rectangle((3, 7), (2, 6))
    found = agreement_on([near, shifted | rectangle((8, 10), (9, 12))], at_least=2)
    assert found.objects["area"].value.tolist() == [12]
    assert found.objects["dice"].tolist() == [0.75]


def test_corners_touch() -> None:
    mask = np.eye(4, dtype=bool)
    assert len(agreement_on([mask, mask]).objects) == 1


def test_who_did_not_look_for_a_kind_has_no_say() -> None:
    spiral = rectangle((2, 6), (2, 6))
    people = [
        Annotator("a", {"spiral": spiral}),
        Annotator("b", {"bar": spiral}),
        Annotator("c", {"spiral": spiral, "bar": ~spiral}),
    ]
    found = agreement_of(people, "spiral")
    assert found.names == ("a", "c") and found.fleiss == 1
    with pytest.raises(VoteError, match="0 masks cannot agree or disagree; give those of two"):
        agreement_of(people, "star")


@pytest.mark.parametrize(
    ("masks", "more", "reason"),
    [
        ([np.ones((2, 2), bool)], {}, "give those of two or more"),
        ([np.ones((2, 2), bool), np.ones((2, 3), bool)], {}, "draw on the same pixels"),
        ([np.ones(4, bool), np.ones(4, bool)], {}, "draw on the same pixels"),
        ([np.ones((2, 2), bool)] * 2, {"names": ["a"]}, "name each once"),
        ([np.ones((2, 2), bool)] * 2, {"at_least": 3}, "ask for 1 to 2"),
        ([np.ones((2, 2), bool)] * 2, {"at_least": 0}, "ask for 1 to 2"),
    ],
)
def test_what_makes_no_sense_costs_a_sentence(masks, more, reason) -> None:
    with pytest.raises(VoteError, match=reason):
        agreement_on(masks, **more)


# --- against the definitions, spelt out -----------------------------------------------------------


def cohen_from_a_table(a: np.ndarray, b: np.ndarray) -> float:
    """From the normalised 2 × 2 table of answers, with weights off its diagonal."""
    table = np.array([[np.sum(~a & ~b), np.sum(~a & b)], [np.sum(a & ~b), np.sum(a & b)]], float)
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    off = ~np.eye(2, dtype=bool)
    return 1 - table[off].sum() / expected[off].sum() if expected[off].sum() else math.nan


def fleiss_from_answers(stack: np.ndarray) -> float:
    """From n_ij, how many people give pixel i the answer j."""
    people = len(stack)
    answers = np.stack([(~stack).sum(0).ravel(), stack.sum(0).ravel()], 1)
    agreeing = ((answers**2).sum(1) - people) / (people * (people - 1))
    chance = ((answers.sum(0) / answers.sum()) ** 2).sum()
    return (agreeing.mean() - chance) / (1 - chance) if chance < 1 else math.nan


@given(crowds)
@settings(max_examples=80, deadline=None)
def test_figures_are_those_of_the_definitions(stack: np.ndarray) -> None:
    found = agreement_on(list(stack))
    same = pytest.approx(fleiss_from_answers(stack), abs=1e-12, nan_ok=True)
    assert found.fleiss == same
    for row, (a, b) in zip(found.pairs, combinations(stack, 2), strict=True):
        assert row["kappa"] == pytest.approx(cohen_from_a_table(a, b), abs=1e-12, nan_ok=True)
        whole = a.sum() + b.sum()
        dice = 2 * (a & b).sum() / whole if whole else math.nan
        assert row["dice"] == pytest.approx(dice, nan_ok=True)


@given(crowds, st.data())
@settings(max_examples=80, deadline=None)
def test_objects_are_those_of_the_definition(stack: np.ndarray, data: st.DataObject) -> None:
    at_least = data.draw(st.integers(1, len(stack)))
    eight = np.ones((3, 3))
    labels, count = ndimage.label(stack.sum(0) >= at_least, eight)
    found = agreement_on(list(stack), at_least=at_least)
    told = iter(found.object_pairs)
    assert len(found.objects) == count
    for number in range(1, count + 1):
        own = []
        for mask in stack:
            pieces, many = ndimage.label(mask, eight)
            touching = [p for p in range(1, many + 1) if ((pieces == p) & (labels == number)).any()]
            own.append(np.isin(pieces, touching))
        dices = []
        for a, b in combinations(range(len(own)), 2):
            whole = own[a].sum() + own[b].sum()
            if whole:
                dices.append(2 * (own[a] & own[b]).sum() / whole)
                row = next(told)
                assert (row["object"], row["first"], row["second"]) == (
                    number,
                    f"{a + 1}",
                    f"{b + 1}",
                )
                assert row["dice"] == pytest.approx(dices[-1])
        object_ = found.objects[number - 1]
        assert object_["marked"] == sum(mask.any() for mask in own) >= at_least
        assert object_["area"].value == (labels == number).sum()
        assert object_["dice"] == pytest.approx(np.mean(dices))
    assert next(told, None) is None


# --- properties ---------------------------------------------------------------------------------


@given(crowds)
@settings(max_examples=60, deadline=None)
def test_bounds(stack: np.ndarray) -> None:
    found = agreement_on(list(stack))
    figures = [found.fleiss, *found.pairs["kappa"]]
    assert all(math.isnan(each) or -1 - 1e-12 <= each <= 1 for each in figures)
    shares = [*found.pairs["dice"], *found.objects["dice"], *found.object_pairs["dice"]]
    assert all(math.isnan(each) or 0 <= each <= 1 for each in shares)


@given(crowds, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_people_does_not_matter(stack: np.ndarray, random) -> None:
    order = list(range(len(stack)))
    random.shuffle(order)
    here = agreement_on(list(stack), order_names(range(len(stack))))
    there = agreement_on([stack[n] for n in order], order_names(order))
    assert here.fleiss == pytest.approx(there.fleiss, abs=1e-12, nan_ok=True)
    assert by_people(here.pairs) == by_people(there.pairs)
    np.testing.assert_allclose(here.objects["dice"], there.objects["dice"])
    assert list(here.objects["marked"]) == list(there.objects["marked"])


def order_names(order) -> list[str]:
    return [f"p{n}" for n in order]


def by_people(pairs) -> dict:
    return {
        frozenset((row["first"], row["second"])): repr((float(row["dice"]), float(row["kappa"])))
        for row in pairs
    }


@given(arrays(bool, st.tuples(st.integers(2, 8), st.integers(2, 8))), st.integers(2, 4))
@settings(max_examples=60, deadline=None)
def test_the_same_masks_agree_wholly(mask: np.ndarray, people: int) -> None:
    mask[0, 0], mask[-1, -1] = True, False
    found = agreement_on([mask] * people)
    assert found.fleiss == pytest.approx(1)
    assert set(found.pairs["dice"]) == set(found.pairs["kappa"]) == {1.0}
    assert set(found.object_pairs["dice"]) == set(found.objects["dice"]) == {1.0}
    assert set(found.objects["marked"]) == {people}
