"""What somebody wrote beside a list is taken once, as theirs, or not at all."""

from __future__ import annotations

import pytest

from napari_astroseg.cli.main import main
from napari_astroseg.review.standing import Standing
from napari_astroseg.review.store import Store

LIST = "id,l,b,score,verdict,note,same_as,kind,rating\n"
ROWS = ("A,30.1,0.1,0.9,real,,,,4\n", "B,30.2,0.0,0.6,Duplicate,the same,A,,\n",
        "C,30.3,-0.1,0.4,,,,,\n", "D,30.4,0.2,0.5,reclassify,,,remnant,\n")  # fmt: skip


def test_verdicts_of_a_table_stand_as_its_writers(tmp_path, capsys):
    store, table = tmp_path / "v.sqlite", tmp_path / "list.csv"
    table.write_text(LIST + "".join(ROWS))
    words = ["vet", "import", str(store), str(table)]
    assert main(words) == 0
    told = capsys.readouterr()
    assert told.out == "list 1: list.csv, 4 detections\n"
    assert "say whose they are with --vetter" in told.err
    assert main([*words, "--vetter", "Ada"]) == 0
    assert "4 detections; 3 new verdicts of Ada" in capsys.readouterr().out
    table.write_text(LIST + ROWS[0] + ROWS[2].replace("0.4,", "0.4,not"))  # some rows, one anew
    assert main([*words, "--vetter", "Ada", "--list", "1"]) == 0
    assert "1 new verdict of Ada" in capsys.readouterr().out
    place = Store(store)
    standing = Standing(place.entries(1, "Ada"))
    place.close()
    assert {name: entry.verdict for name, entry in standing.verdicts.items()} == {
        "A": "real", "B": "duplicate", "C": "not", "D": "reclassify",
    }  # fmt: skip
    entry = standing.of("B")
    assert (entry.same_as, entry.note) == ("A", "the same")
    assert (standing.of("A").rating, standing.of("D").kind) == (4, "remnant")


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("E,30.1,0.1,0.9,real,,,,\n", "E is none of list 1"),
        ("A,30.1,0.1,0.9,maybe,,,,\n", "row 2: 'maybe' is no verdict; use one of real, not"),
        ("A,30.1,0.1,0.9,revise,,,,\n", "nothing can be revised in it; write real"),
        ("A,30.1,0.1,0.9,duplicate,,,,\n", "row 2: duplicate says of what"),
        ("A,30.1,0.1,0.9,real,,,,9\n", "a rating of 9 is none"),
    ],
)
def test_what_is_no_verdict_is_told_and_nothing_is_kept(tmp_path, capsys, row, why):
    store, table = tmp_path / "v.sqlite", tmp_path / "list.csv"
    table.write_text(LIST + "".join(ROWS))
    assert main(["vet", "import", str(store), str(table)]) == 0
    table.write_text(LIST + ROWS[0] + row)
    words = ["vet", "import", str(store), str(table), "--vetter", "Ada", "--list", "1"]
    assert main(words) == 1
    assert why in capsys.readouterr().err
    place = Store(store)
    assert place.entries(1) == []
    place.close()


def test_who_comes_next_wants_a_list_a_vetter_and_scores(tmp_path, capsys):
    store, table = tmp_path / "v.sqlite", tmp_path / "list.csv"
    table.write_text(LIST + "".join(ROWS))
    words = ["vet", "rescore", str(store), str(table)]
    assert main(words) == 1
    assert "begin one with astroseg vet import" in capsys.readouterr().err
    assert main(["vet", "import", str(store), str(table)]) == 0
    assert main(words) == 1
    assert "nobody judged this list yet; say whose" in capsys.readouterr().err
    assert main(["vet", "import", str(store), str(table), "--vetter", "Ada"]) == 0
    capsys.readouterr()
    assert main([*words, "--out", str(tmp_path / "q.csv")]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[:2] == ["the newer model finds 4 of 4; 1 waits for Ada", "next: C"]
    plain = tmp_path / "plain.csv"
    plain.write_text("id,l,b,verdict\nA,30.1,0.1,real\n")
    assert main(["vet", "rescore", str(store), str(plain)]) == 1
    assert "tells no scores; predict anew" in capsys.readouterr().err
    plain.write_text("id,l,b\nA,30.1,0.1\n")
    assert main(["vet", "import", str(store), str(plain), "--vetter", "Ada"]) == 1
    assert "has no column verdict; write one" in capsys.readouterr().err
