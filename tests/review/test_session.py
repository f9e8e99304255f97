"""A session: its queue, its verdicts, what is taken back, and where it goes on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_astroseg import VettingSession
from napari_astroseg.errors import VettingError
from napari_astroseg.review.detections import Detections
from napari_astroseg.review.entry import Entry
from napari_astroseg.review.orders import Known, ordered
from napari_astroseg.review.plan import Plan
from napari_astroseg.review.planting import disguised
from napari_astroseg.review.queue import Done, Queue
from napari_astroseg.review.region import Region, read_region
from napari_astroseg.review.standing import Standing
from napari_astroseg.review.store import Store
from napari_astroseg.review.wanted import Filter, Share
from napari_astroseg.sky.shapes.shape import Shape, coordinates


@pytest.fixture
def session(tmp_path, detections):
    with VettingSession(tmp_path / "verdicts.sqlite", detections, "Ada") as session:
        yield session


def test_verdicts_are_there_after_closing_and_the_queue_goes_on(tmp_path, detections):
    place = tmp_path / "verdicts.sqlite"
    with VettingSession(place, detections, "Ada", Plan(order="score")) as session:
        first = session.current
        assert first.score == np.nanmax(detections.score)
        session.judge("real", tags=["bright"], note="a ring", rating=4, seen={"stretch": "asinh"})
        session.judge("reclassify", kind="remnant")
    with VettingSession(place, None, "Ada", Plan(order="score")) as session:
        assert session.place == 2
        assert session.done.counts == {"real": 1, "reclassify": 1}
        kept = session.standing.of(first.name)
        assert (kept.verdict, kept.tags, kept.note, kept.rating) == (
            "real",
            ("bright",),
            "a ring",
            4,
        )
        assert kept.seen == {"stretch": "asinh"}
        assert kept.seconds >= 0
        assert session.verdict is None
    with VettingSession(place, None, "Ben") as session:
        assert session.done.judged == 0


def test_undo_and_redo_go_as_far_as_the_log_and_survive_closing(tmp_path, detections):
    place = tmp_path / "verdicts.sqlite"
    with VettingSession(place, detections, "Ada") as session:
        for verdict in ("real", "not", "unsure"):
            session.judge(verdict)
        session.judge("not", on="D0")  # judged anew: the last word counts
        session.undo()
    with VettingSession(place, None, "Ada") as session:
        assert session.standing.of("D0").verdict == "real"
        assert session.undo().verdict == "unsure"
        assert session.current.name == "D2"
        session.undo(), session.undo()
        assert session.undo() is None
        assert len(session.standing) == 0
        for _ in range(4):
            assert session.redo() is not None
        assert session.redo() is None
        assert session.standing.of("D0").verdict == "not"
        session.undo()
        session.judge("unsure", on="D5")
        assert session.redo() is None  # something new was done
        assert len(session.store.entries(session.list)) == 4 + 1 + 3 + 4 + 1 + 1


def test_the_same_again(session):
    with pytest.raises(VettingError, match="nothing has been judged"):
        session.again()
    session.judge("not", tags=["artefact"], note="a stripe")
    again = session.again()
    assert (again.detection, again.verdict, again.tags, again.note) == (
        "D1",
        "not",
        ("artefact",),
        "",
    )
    session.judge("duplicate", same_as="D0")
    with pytest.raises(VettingError, match="cannot be repeated"):
        session.again()


def test_one_walks_the_queue_without_judging(session):
    assert session.previous().name == "D0"
    assert session.next().name == "D1"
    session.judge("real")
    assert session.previous().name == "D1"
    assert session.next_unjudged().name == "D2"
    assert session.go(99).name == "D11"
    assert session.next().name == "D11"
    assert session.next_unjudged().name == "D0"
    assert session.go_to("D7").name == "D7"
    assert [each.name for each in session.coming(2)] == ["D8", "D9"]


def test_how_far_it_is(session):
    for verdict in ("real", "not", "not"):
        session.judge(verdict)
    session.judge("unsure", on="D1")
    assert session.done.counts == {"real": 1, "not": 1, "unsure": 1}
    session.undo(), session.undo()
    assert (session.done.judged, session.done.total) == (2, 12)
    assert session.done.counts == {"real": 1, "not": 1}
    session.redo()
    session.arrange(Plan(only=Filter(verdicts=("not",))))
    assert session.done.counts == {"not": 2}


@pytest.mark.parametrize(
    ("verdict", "said", "what"),
    [
        ("maybe", {}, "no verdict"),
        ("reclassify", {}, "what it is instead"),
        ("duplicate", {}, "of what"),
        ("duplicate", {"same_as": "D0"}, "of what"),
        ("duplicate", {"same_as": "X"}, "none of the list"),
        ("revise", {}, "give a shape"),
        ("real", {"rating": 6}, "1 to 5"),
        ("real", {"note": "x" * 20_000}, "too long"),
        ("real", {"tags": ["x" * 300]}, "at most 200"),
    ],
)
def test_what_is_no_verdict_is_refused_and_nothing_is_kept(session, verdict, said, what):
    with pytest.raises(VettingError, match=what):
        session.judge(verdict, **said)
    assert session.store.entries(session.list) == []
    assert session.current.name == "D0"


def test_a_revised_outline_is_kept(session):
    shape = Shape("ellipse", ((30.1, 0.1),), (50.0, 20.0), 30.0, "galactic")
    session.judge("revise", shape=shape)
    (entry,) = session.store.entries(session.list)
    assert entry.shape == shape


def test_an_outline_is_kept_only_if_it_can_be_read_again(session, tmp_path):
    turns = np.linspace(0, 2 * np.pi, 50_000, endpoint=False)
    corners = tuple(zip(500 + 300 * np.cos(turns), 500 + 300 * np.sin(turns), strict=True))
    with pytest.raises(VettingError, match="too many corners"):
        session.judge("revise", shape=Shape("polygon", corners, (), frame="pixel"))
    session.judge("revise", shape=Shape("polygon", corners[::10], (), frame="pixel"))
    with VettingSession(tmp_path / "verdicts.sqlite", None, "Ada") as again:
        assert len(again.standing.of("D0").shape.points) == 5_000


def test_filters_take_what_they_say(session, detections):
    for verdict, tag in (("real", "ring"), ("not", "star"), ("not", "stripe")):
        session.judge(verdict, tags=[tag])
    for only, names in (
        (Filter(verdicts=("not",)), {"D1", "D2"}),
        (Filter(verdicts=("not",), tags=("star",)), {"D1"}),
        (Filter(verdicts=("unjudged",)), {f"D{n}" for n in range(3, 12)}),
        (Filter(kinds=("ring",)), set()),
        (Filter(scores=(0.5, 1.0)), {f"D{n}" for n in np.flatnonzero(detections.score >= 0.5)}),
    ):
        session.arrange(Plan(only=only))
        assert {detections.names[row] for row in session.queue} == names
    session.arrange(Plan(only=Filter(kinds=("ring",))))
    assert session.current is None
    with pytest.raises(VettingError, match="queue is empty"):
        session.judge("real")


def test_a_queue_is_a_part_of_the_sky_and_of_what_is_new(session, detections):
    middle = f"{detections.lon[4]:.7f} {detections.lat[4]:.7f}"
    apart = detections.position.separation(detections.position[4]).arcmin
    session.arrange(Plan(only=Filter(region=read_region(f"{middle} 20'", "galactic"))))
    assert set(session.queue) == set(np.flatnonzero(apart <= 20))
    known = detections.taken([0, 5])
    for novelty, rows in (("known", {0, 5}), ("new", set(range(12)) - {0, 5})):
        session.arrange(Plan(only=Filter(novelty=novelty, within_arcsec=1.0), reference=known))
        assert set(session.queue) == rows
    with pytest.raises(VettingError, match="give one"):
        session.arrange(Plan(only=Filter(novelty="new")))
    assert set(session.queue) == rows  # as it was
    with pytest.raises(VettingError, match="turn the two round"):
        Filter(scores=(0.9, 0.1))


@pytest.mark.parametrize(
    ("text", "frame", "x", "y", "radius"),
    [
        ("30.2 -0.1 20'", "galactic", 30.2, -0.1, 1 / 3),
        ("gal 30.2, -0.1, 0.5", "icrs", 30.2, -0.1, 0.5),
        ('G030.2-0.1 90"', "icrs", 30.2, -0.1, 0.025),
        ("10 20 7.5", None, 10.0, 20.0, 7.5),
    ],
)
def test_a_region_is_read_as_it_is_written(text, frame, x, y, radius):
    region = read_region(text, frame)
    assert region.radius == pytest.approx(radius)
    if frame is None:
        assert (region.x, region.y, region.frame) == (x, y, None)
        inside = Region(10.0, 20.0, 7.5).mask(Detections.of(2, x=[15, 18], y=[25, 20]))
        assert inside.tolist() == [True, False]
    else:
        there = coordinates(region.x, region.y, region.frame).galactic
        assert (there.l.deg, there.b.deg) == pytest.approx((x, y))


@pytest.mark.parametrize("text", ["", "30.2 0.1", "somewhere 5'", "30.2 99 5'"])
def test_what_names_no_region_is_told(text):
    with pytest.raises(VettingError):
        read_region(text, "galactic")
    with pytest.raises(VettingError, match="in pixels"):
        read_region("30.2 0.1 5'", None)


def test_a_queue_knows_what_is_open(detections):
    queue = Queue(np.array([4, 2, 7]), 9, [(2, "real"), (5, "not")])
    assert (queue.row, queue.place_of(7), queue.place_of(5)) == (4, 2, None)
    assert queue.done == Done(1, 3, {"real": 1})
    assert queue.first_open(1) == 2
    queue.note(7, "not")
    assert queue.first_open(1) == 0  # from the start again
    queue.note(4, "unsure")
    queue.go(9)
    assert queue.place == queue.first_open(0) == 2
    queue.note(2, None)
    assert queue.done.counts == {"not": 1, "unsure": 1}
    assert Queue(np.array([], np.int64), 3).row is None


def test_orders(detections):
    assert ordered(detections, "list").tolist() == list(range(12))
    score = detections.score[ordered(detections, "score")]
    assert (np.diff(score) <= 0).all()
    unsure = detections.uncertainty[ordered(detections, "uncertainty")]
    assert (np.diff(unsure) <= 0).all()
    shuffled = ordered(detections, "random", Known(seed=3))
    assert sorted(shuffled) == list(range(12))
    assert not np.array_equal(shuffled, ordered(detections, "random", Known(seed=4)))
    known = detections.taken([5, 2])
    assert set(ordered(detections, "novelty", Known(reference=known))[-2:]) == {5, 2}
    with pytest.raises(VettingError, match="give one"):
        ordered(detections, "novelty")
    bare = Detections.of(2, x=[1, 2], y=[1, 2])
    for order in ("score", "uncertainty", "useful"):
        with pytest.raises(VettingError, match="choose another order"):
            ordered(bare, order)


def test_the_sky_is_walked_along_without_jumps():
    side = 32
    y, x = np.mgrid[:side, :side]
    shuffled = np.random.default_rng(0).permutation(side * side)
    grid = Detections.of(side * side, x=x.ravel()[shuffled], y=y.ravel()[shuffled])
    order = ordered(grid, "sky")
    steps = np.abs(np.diff(grid.x[order])) + np.abs(np.diff(grid.y[order]))
    assert (steps == 1).all()  # Hilbert's curve goes from neighbour to neighbour


def test_the_sky_is_walked_through_zero_longitude():
    lon = np.array([359.8, 0.2, 359.9, 0.1])
    found = Detections.of(4, lon=lon, lat=np.zeros(4), frame="galactic")
    walked = (lon[ordered(found, "sky")] + 180) % 360 - 180
    assert (np.diff(walked) > 0).all() or (np.diff(walked) < 0).all()


def test_the_most_useful_are_unsure_and_unlike_each_other():
    # Two clumps of unsure ones, one larger, and many sure ones.
    x = np.r_[np.full(10, 1.0), np.full(3, 500.0), np.linspace(100, 400, 20)]
    score = np.r_[np.full(13, 0.5), np.full(20, 0.99)]
    found = Detections.of(33, x=x, y=x, score=score)
    first = ordered(found, "useful")[:2]
    assert {bool(row < 10) for row in first} == {True, False}
    assert (score[first] == 0.5).all()
    assert ordered(found, "useful", Known(judged=[int(first[0])]))[0] != first[0]
    assert sorted(ordered(found, "useful")) == list(range(33))


@settings(max_examples=40)
@given(
    people=st.integers(1, 5), overlap=st.integers(1, 5), count=st.integers(1, 60)
)  # fmt: skip
def test_a_list_is_divided_evenly_with_the_overlap_that_is_asked_for(people, overlap, count):
    names = [f"v{n}" for n in range(people)]
    if overlap > people:
        with pytest.raises(VettingError, match="overlap"):
            Share(tuple(names), overlap)
        return
    share = Share(tuple(names), overlap)
    masks = [share.mask(name, range(count), "ab" * 32) for name in names]
    assert (np.sum(masks, 0) == overlap).all()
    loads = [int(mask.sum()) for mask in masks]
    assert max(loads) - min(loads) <= overlap
    planted = share.mask(names[0], range(count + 7), "ab" * 32)
    assert (planted[:count] == masks[0]).all()  # what comes behind changes nobody's share


def test_blind_sessions_hide_what_others_say_and_open_ones_show_it(tmp_path, detections):
    store = Store(tmp_path / "verdicts.sqlite")
    ada, ben = (
        VettingSession(store, detections, who, blind=who == "Ada") for who in ("Ada", "Ben")
    )
    ada.judge("real")
    assert {who: entry.verdict for who, entry in ben.others("D0").items()} == {"Ada": "real"}
    with pytest.raises(VettingError, match="blind"):
        ada.others("D0")
    ada.close(), ben.close()
    store.close()


def test_names_of_planted_objects_are_as_short_as_the_others():
    def placed(count):
        return Detections.of(count, x=np.arange(count), y=np.arange(count))

    names = disguised(placed(4), placed(5)).names
    assert placed(5).names == ("1", "2", "3", "4", "5")
    assert len({*names, *placed(5).names}) == 9 and {len(name) for name in names} == {1}
    assert len(set(disguised(placed(40), placed(5)).names)) == 40, "longer ones where they run out"


def test_planted_objects_look_like_the_others_and_measure_a_vetter(session, detections):
    planted = Detections.of(6, lon=np.linspace(30, 31, 6), lat=np.zeros(6), frame="galactic")
    session.plant(planted.taken(range(4)), planted.taken([4, 5]))
    assert len(session.queue) == 18
    assert np.isfinite(session.detections.score).all()
    assert np.isfinite(session.detections.radius).all()
    assert set(session.detections.kinds) == {"bubble"}
    assert all(name.startswith("D") and name[1:].isdecimal() for name in session.detections.names)
    session.arrange(Plan(order="score"))  # they are among the others, not behind them
    assert {row >= 12 for row in session.queue[:9]} == {True, False}
    for name, verdict in zip(
        session.detections.names[12:], ("real", "real", "real", "not", "real", "not"), strict=True
    ):
        session.judge(verdict, on=name)
    assert session.skill.completeness == 3 / 4
    assert session.skill.false_alarms == 1 / 2
    with pytest.raises(VettingError, match="frame"):
        session.plant(Detections.of(1, x=[1], y=[1]))


def test_a_name_is_wanted_and_a_list(tmp_path, detections):
    with pytest.raises(VettingError, match="your name"):
        VettingSession(tmp_path / "a.sqlite", detections, "  ")
    with pytest.raises(VettingError, match="no list"):
        VettingSession(tmp_path / "a.sqlite", None, "Ada")


acts = st.lists(st.sampled_from(["real", "not", "undo", "redo"]), max_size=30)


@given(acts)
def test_a_log_read_again_says_what_it_said_at_once(words):
    live, log, done, undone = Standing(), [], [], []
    for number, word in enumerate(words):
        if word in ("undo", "redo"):
            meant = live.last if word == "undo" else live.undone
            if meant is None:
                continue
            entry = Entry(meant.detection, "Ada", act=word, of=meant.uid)
            (undone if word == "undo" else done).append((done if word == "undo" else undone).pop())
        else:
            entry = Entry(f"D{number % 3}", "Ada", verdict=word)
            done.append(entry)
            undone.clear()
        log.append(entry)
        live.take(entry)
    expected = {entry.detection: entry.uid for entry in done}
    for standing in (live, Standing(Entry.from_json(entry.to_json()) for entry in log)):
        assert {name: entry.uid for name, entry in standing.verdicts.items()} == expected
