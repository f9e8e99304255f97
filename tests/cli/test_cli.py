"""The command line as a person types it: exit status, one-line errors, files, JSON."""

import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits
from layouts import write_galaxies
from loopback import serving
from skies import write_four_maps

from napari_astroseg.cli.main import VERBS, main
from napari_astroseg.cli.predict import _counted, _folders
from napari_astroseg.engine.runlock import RunLock
from napari_astroseg.errors import OutputError
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.files.address import Address
from napari_astroseg.sky.simulate.kinds import KINDS

TRAIN = ("family.channels=[4,8]", "family.bottleneck=8", "data.patch_px=32", "data.min_mask=0.05",
         "data.allow_missing=true", "schedule.epochs=1", "normalisation.kind=log")  # fmt: skip


def astroseg(*words):
    return main([str(word) for word in words])


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps")
    write_four_maps(folder)
    return folder


@pytest.fixture(scope="module")
def run(maps, tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    assert astroseg("train", "filaments", "--data", maps, "--out", out, "--set", *TRAIN) == 0
    return out


def test_no_two_images_share_a_folder_where_case_is_ignored(tmp_path):
    images = [Address.of(tmp_path / "a" / "M16.fits"), Address.of(tmp_path / "b" / "m16.fits")]
    with pytest.raises(OutputError, match="2 images are called 'M16'"):
        _folders(images, tmp_path)


def test_help_lists_every_verb_that_works(capsys):
    with pytest.raises(SystemExit) as leaving:
        astroseg("--help")
    assert leaving.value.code == 0
    told = capsys.readouterr().out
    assert all(verb in told for verb in VERBS)


@pytest.mark.parametrize(
    "words", [["predict"], ["train", "filaments"], ["simulate", "cows"], ["predct", "a.fits"]]
)
def test_bad_usage_is_status_two(words):
    with pytest.raises(SystemExit) as leaving:
        astroseg(*words)
    assert leaving.value.code == 2


def test_info_in_words_and_json(maps, capsys):
    image = maps / "000_image.fits"
    assert astroseg("info", image) == 0
    told = capsys.readouterr().out
    assert "256 × 192 px" in told and "GLON-CAR/GLAT-CAR" in told and "11.5″/px" in told
    assert astroseg("info", image, maps / "nothing.fits", "--json") == 1
    out, err = capsys.readouterr()
    first, second = json.loads(out)
    assert first["images"][0]["pixel_scale_arcsec"] == 11.5
    assert second["kind"] == "none"
    assert err.startswith("error: ") and err.count("\n") == 1


def test_info_of_stacks_families_and_tables(tmp_path, capsys):
    header = fits.Header({"CTYPE3": "VRAD", "CRVAL3": 1e3, "CDELT3": 5e2, "CUNIT3": "m/s"})
    science = fits.ImageHDU(np.zeros((20, 4, 5)), header, name="SCI")
    error = fits.ImageHDU(np.zeros((20, 4, 5)), name="ERR")
    table = fits.BinTableHDU.from_columns([fits.Column("a", "J", array=[1])], name="LIST")
    fits.HDUList([fits.PrimaryHDU(), science, error, table]).writeto(tmp_path / "a.fits")
    (tmp_path / "b.fits").write_text("no FITS")
    assert astroseg("info", tmp_path / "b.fits", tmp_path / "a.fits") == 1
    out, err = capsys.readouterr()
    assert err.startswith("error: b.fits is not a FITS file") and err.count("\n") == 1
    assert "a.fits: cube" in out and "b.fits" not in out
    assert "20 planes of VRAD (1.50 km/s to 11.00 km/s) of 5 × 4 px" in out
    assert "uncertainty in HDU 2" in out
    assert "HDU 3 “LIST”: table, 1 row, 1 column" in out
    assert astroseg("info", f"{tmp_path}/a.fits[ERR,1]") == 0
    assert "HDU 1" not in capsys.readouterr().out


def test_training_tells_losses_and_leaves_a_model(run, capsys):
    assert {"model.safetensors", "last.safetensors", "recipe.yaml", "history.jsonl"} <= {
        path.name for path in run.iterdir()
    }
    assert astroseg("models", run) == 0
    told = capsys.readouterr().out
    assert "astroseg train filaments" in told and "trained on" in told
    assert astroseg("models", run, "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["recipe"] == "filaments"


def test_predict_leaves_the_promised_files(run, maps, tmp_path, capsys):
    image = maps / "000_image.fits"
    words = ("predict", image, "--model", run, "--threshold", 0.4, "--json", "--quiet")
    assert astroseg(*words, "--out", tmp_path) == 0
    out, err = capsys.readouterr()
    (told,) = json.loads(out)
    assert err == ""
    assert {"probability.fits", "regions.fits", "catalogue.ecsv", "catalogue.reg", "preview.png",
            "provenance.json"} == set(told["files"])  # fmt: skip
    assert astroseg("info", tmp_path / "prediction.zarr", "--json") == 0
    (store,) = json.loads(capsys.readouterr().out)
    assert [each["projection"] for each in store["images"]] == ["GLON-CAR/GLAT-CAR"]
    again = json.loads((tmp_path / "provenance.json").read_text())["command"]
    assert again["threshold"] == 0.4 and again["line"].startswith("astroseg predict")


def test_another_answer_is_replaced_only_when_told(run, maps, tmp_path, capsys):
    words = ("predict", maps / "000_image.fits", "--model", run, "--out", tmp_path, "--quiet")
    assert astroseg(*words, "--window", "0,0,64,64", "--threshold", 0.4) == 0
    assert astroseg(*words, "--window", "0,0,64,64", "--threshold", 0.4, "--device", "cpu") == 0
    other = (*words, "--window", "0,0,64,64", "--threshold", 0.6)
    assert astroseg(*other) == 1
    err = capsys.readouterr().err
    assert "000_image.fits, asked for otherwise; give another --out" in err
    assert json.loads((tmp_path / "provenance.json").read_text())["command"]["threshold"] == 0.4
    assert astroseg(*other, "--resume") == 0
    (tmp_path / "provenance.json").unlink()
    assert astroseg(*other) == 1
    assert "holds files of a prediction" in capsys.readouterr().err
    assert astroseg(*words, "--window", "0,0,48,64", "--overwrite") == 0


def test_a_folder_is_trained_in_by_one(run, maps, capsys):
    with RunLock(run):
        assert astroseg("train", "filaments", "--data", maps, "--out", run, "--resume") == 1
    assert "another process trains in" in capsys.readouterr().err


def test_an_answer_is_made_again_from_its_provenance(run, maps, tmp_path, capsys):
    then = tmp_path / "then"
    image = tmp_path / "map.fits"
    image.write_bytes((maps / "000_image.fits").read_bytes())
    words = ("--model", run, "--out", then, "--threshold", 0.4, "--sky", "29.9,0.15,6'")
    assert astroseg("predict", image, *words, "--quiet") == 0
    assert astroseg("rerun", then, "--json") == 0
    told = json.loads(capsys.readouterr().out.partition("\n")[2])
    assert told["same"] and told["differences"] == [] and told["changed"] == []
    with fits.open(image.rename(tmp_path / "moved.fits"), mode="update") as file:
        file[0].data = file[0].data[::-1].copy()
    assert astroseg("rerun", then) == 1
    out, err = capsys.readouterr()
    assert f"{image} is not there any more" in err and err.splitlines()[-1].startswith("error:")
    assert astroseg("rerun", then, "--image", tmp_path / "moved.fits") == 0
    out, err = capsys.readouterr()
    assert "probability.fits: " in out and "The answer differs; see" in out
    assert str(tmp_path / "then-rerun2") in out


def test_predict_on_part_of_the_sky_and_on_several_images(run, maps, tmp_path):
    image = maps / "000_image.fits"
    out = tmp_path / "sky"
    assert astroseg("predict", image, "--model", run, "--out", out, "--sky", "29.9,0.15,6'") == 0
    from napari_astroseg.sky.opening import open_image

    assert open_image(out / "regions.fits").shape == (31, 31)
    write_four_maps(tmp_path, "second", seed=3)
    out = tmp_path / "two"
    words = ("predict", image, tmp_path / "second_image.fits", "--model", run, "--out", out)
    assert astroseg(*words, "--window", "0,0,64,64") == 0
    assert {path.name for path in out.iterdir()} == {"000_image", "second_image"}


def test_predict_on_a_plane_of_a_stack(run, maps, tmp_path, capsys):
    image = maps / "000_image.fits"
    values, header = fits.getdata(image, header=True)
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(np.stack([values * 0 + 1, values]), header, "SCI")]
    fits.HDUList(hdus).writeto(tmp_path / "stack.fits")
    words = ("--model", run, "--window", "0,0,64,64", "--threshold", 0.4)
    stack = f"{tmp_path}/stack.fits[SCI,1]"
    assert astroseg("predict", stack, *words, "--out", tmp_path / "no") == 1
    err = capsys.readouterr().err
    assert "holds 2 planes (1 to 2)" in err and "--plane" in err and err.count("\n") == 1
    assert astroseg("predict", stack, *words, "--plane", 2, "--out", tmp_path / "no") == 1
    assert "no plane 2; give one from 0 to 1" in capsys.readouterr().err
    assert astroseg("predict", stack, *words, "--plane", 1, "--out", tmp_path / "1") == 0
    assert astroseg("predict", image, *words, "--out", tmp_path / "flat") == 0
    ours, theirs = (fits.getdata(tmp_path / name / "probability.fits") for name in ("1", "flat"))
    np.testing.assert_array_equal(ours, theirs)
    command = json.loads((tmp_path / "1" / "provenance.json").read_text())["command"]
    assert (command["hdu"], command["plane"]) == (1, 1)


def test_spiral_arms_are_trained_measured_and_predicted(tmp_path, capsys):
    write_galaxies(tmp_path, 8)
    small = ("family.channels=[4]", "family.bottleneck=4", "data.stamp_px=16", "schedule.epochs=1")
    out = tmp_path / "run"
    assert astroseg("train", "spiral_arms", "--data", tmp_path, "--out", out, "--set", *small) == 0
    told = capsys.readouterr().out
    assert "best epoch 1, validation Jaccard" in told
    assert astroseg("evaluate", out, tmp_path, "--json") == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert {"accuracy", "precision", "jaccard"} <= set(figures)
    picture = tmp_path / "gz3d_1-0_37_1000.fits.gz"
    assert astroseg("predict", picture, "--model", out, "--out", tmp_path / "answer") == 0
    assert fits.getdata(tmp_path / "answer" / "probability.fits").shape == (24, 30)
    capsys.readouterr()
    asked = ("--model", out, "--out", tmp_path / "other", "--plane", "0")
    assert astroseg("predict", picture, *asked) == 1
    assert "holds one plane" in capsys.readouterr().err


def test_hdus_of_one_file_get_folders_of_their_own(run, maps, tmp_path):
    values, header = fits.getdata(maps / "000_image.fits", header=True)
    hdus = [fits.ImageHDU(values[:64, :64], header, name, ver=v) for name, v in
            (("SCI", 1), ("SCI", 2))]  # fmt: skip
    path = tmp_path / "two.fits"
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path)
    out = tmp_path / "out"
    both = (f"{path}[SCI,1]", f"{path}[SCI,2]")
    assert astroseg("predict", *both, "--model", run, "--out", out, "--threshold", 0.4) == 0
    assert {folder.name for folder in out.iterdir()} == {"two_SCI_1", "two_SCI_2"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["predict", "none.fits", "--model", "RUN", "--out", "D"], "check the name"),
        (["predict", "IMAGE", "--model", "nothing", "--out", "D"], "no model 'nothing'"),
        (["predict", "IMAGE", "--model", "RUN", "--out", "D", "--window", "1,2"], "takes 4 finite"),
        (["predict", "IMAGE", "--model", "RUN", "--out", "D", "--sky", "9,9,1"], "outside"),
        (["predict", "IMAGE", "--model", "RUN", "--out", "D", "--hdu", "7"], "no HDU 7"),
        (["train", "nothing", "--data", "D", "--out", "D"], "no preset is called"),
        (["train", "filaments", "--data", "D", "--out", "D", "--set", "epochs"], "KEY=VALUE"),
        (["train", "filaments", "--data", "D", "--out", "D", "--set", "a=["], "not YAML"),
        (["train", "none.yaml", "--data", "D", "--out", "D"], "cannot be read"),
        (["simulate", "filaments", "--out", "D", "--size", "8"], "at least 64 pixels"),
        (["simulate", "filaments", "--out", "D", "--seed", "-1"], "give 0 or more"),
        (["simulate", "filaments", "--out", "IMAGE", "--size", "64"], "choose another folder"),
        (["train", "filaments", "--data", "MAPS", "--out", "IMAGE"], "choose another folder"),
        (["train", "filaments", "--data", "D", "--out", "D", "--set", "a=2023-13-45"], "not YAML"),
        (["predict", "IMAGE", "--model", "RUN", "--out", "D", "--window", "nan,0,1,1"], "finite"),
        (["predict", "IMAGE", "--model", "RUN", "--out", "D", "--sky", "30,95,1"], "latitude"),
        (["predict", "IMAGE", "--model", "RUN", "--out", "D", "--sky", "30,0,-1"], "side above 0"),
        (["predict", "IMAGE", "--model", "RUN", "--out", "D", "--threshold", "nan"], "0 and 1"),
        (["predict", "IMAGE", "IMAGE", "--model", "RUN", "--out", "D"], "one by one"),
    ],
)
def test_an_error_is_one_line_with_the_remedy(words, says, run, maps, tmp_path, capsys):
    places = {"RUN": run, "IMAGE": maps / "000_image.fits", "MAPS": maps, "D": tmp_path}
    assert astroseg(*(places.get(word, word) for word in words)) == 1
    err = capsys.readouterr().err
    assert err.startswith("error: ") and says in err and "Traceback" not in err
    assert "unexpected" not in err


def test_debug_shows_where(tmp_path):
    from napari_astroseg.errors import ModelError

    with pytest.raises(ModelError):
        astroseg("models", "nothing", "--debug")


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_what_is_said_to_come_next_suits_what_was_simulated(kind):
    program, verb, preset, *_ = kind.then.split()
    assert (program, verb) == ("astroseg", "train")
    assert Recipe.preset(preset).data.layout == kind.layout


def test_simulated_skies_can_be_trained_on(tmp_path, capsys):
    assert astroseg("simulate", "filaments", "--out", tmp_path, "--n", 1, "--size", 192) == 0
    assert "astroseg train filaments" in capsys.readouterr().err
    out = tmp_path / "run"
    assert astroseg("train", "filaments", "--data", tmp_path, "--out", out, "--set", *TRAIN,
                    "data.anywhere=20") == 0  # fmt: skip


def test_one_region_is_no_regions():
    assert _counted(1, "regions") == "1 region"
    assert [_counted(n, "objects") for n in (0, 1, 2)] == ["0 objects", "1 object", "2 objects"]


def test_evaluate_prints_figures_and_writes_them(run, maps, tmp_path, capsys):
    words = ("evaluate", run, maps, "--out", tmp_path, "--window", "0,0,128,128")
    assert astroseg(*words, "--ensemble", 2) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("dice ") and said[-1] == f"see {tmp_path / 'evaluation.html'}"
    assert astroseg("evaluate", run, maps, "--json") == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert {"dice", "recovery", "missed", "new"} <= figures.keys()
    assert json.loads((tmp_path / "evaluation.json").read_text())["recipe"] == "filaments"
    line = f"astroseg evaluate {run} {maps} --window 0,0,128,128 --ensemble 2"
    assert line in (tmp_path / "evaluation.html").read_text(encoding="utf-8")
    assert astroseg(*words, "--ensemble", 2, "--calibrate", tmp_path / "warm.safetensors") == 1
    assert "leave out --ensemble or --calibrate" in capsys.readouterr().err


def test_nothing_that_predict_leaves_holds_a_password(run, maps, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    out = tmp_path / "out"
    with serving(m17__fits=(maps / "000_image.fits").read_bytes()) as site:
        url = site.url("m17.fits?sv=1&sig=hush[0]").replace("://", "://me:hush@")
        words = (url, "--model", run, "--out", out, "--window", "0,0,64,64", "--force", "--json")
        assert astroseg("predict", *words) == 0
        told = json.loads((out / "provenance.json").read_text())["command"]
        assert told["image"] == site.url("m17.fits")
        assert f"'{site.url('m17.fits[0]')}'" in told["line"]
        assert astroseg("predict", *words, "--resume") == 0
    assert "hush" not in "".join(capsys.readouterr())
    kept = [path for path in out.rglob("*") if path.is_file()]
    assert [path for path in kept if b"hush" in path.read_bytes()] == []


def test_an_interrupt_says_how_to_go_on(monkeypatch, run, maps, tmp_path, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr("napari_astroseg.engine.outputs.predict_to_folder", interrupted)
    words = ("predict", maps / "000_image.fits", "--model", run, "--out", tmp_path)
    assert astroseg(*words) == 130
    assert "--resume" in capsys.readouterr().err


def test_without_a_display_the_window_is_refused(monkeypatch, capsys):
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert astroseg() == 1
    assert "demo --headless" in capsys.readouterr().err


def test_output_into_a_closed_pipe_is_no_error(maps):
    info = f"{sys.executable} -m napari_astroseg info {maps}/*.fits"
    shell = f"{info} | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stderr == ""


def test_the_demo_runs_headless_on_the_model_in_the_box(tmp_path, capsys):
    assert astroseg("demo", "--headless", "--out", tmp_path) == 0
    told = capsys.readouterr().out
    assert str(tmp_path / "preview.png") in told and str(tmp_path / "catalogue.ecsv") in told
    dice = float(told.split("Dice ")[1].split()[0])
    assert dice > 0.6


def test_an_error_that_nobody_foresaw_is_one_line_too(monkeypatch, capsys):
    def broken(*_):
        raise ZeroDivisionError("by\nzero")

    monkeypatch.setattr("napari_astroseg.cli.models.run", broken)
    assert astroseg("models") == 1
    err = capsys.readouterr().err
    assert err.startswith("error: unexpected ZeroDivisionError: by zero; ")
    assert err.count("\n") == 1 and "--debug" in err
    with pytest.raises(ZeroDivisionError):
        astroseg("models", "--debug")


def test_folders_named_as_models_and_presets_are_not_in_their_way(monkeypatch, tmp_path):
    from napari_astroseg.cli.train import recipe_named
    from napari_astroseg.engine.card import find_model

    (tmp_path / "filaments").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_model("filaments").suffix == ".safetensors"
    assert recipe_named("filaments").name == "filaments"


def test_figures_that_do_not_exist_are_null(run, maps, tmp_path, capsys, monkeypatch):
    figures = {"figures": {"new": float("nan"), "dice": 0.5}, "errors": {"dice": 0.1}}
    monkeypatch.setattr("napari_astroseg.engine.evaluate.evaluate", lambda *_, **__: figures)
    assert astroseg("evaluate", run, maps, "--json") == 0
    assert json.loads(capsys.readouterr().out)["figures"] == {"new": None, "dice": 0.5}


def test_a_run_is_not_trained_over(run, maps, capsys):
    assert astroseg("train", "filaments", "--data", maps, "--out", run, "--set", *TRAIN) == 1
    assert "--resume" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_said_on_the_terminal(tmp_path, capsys):
    assert astroseg(tmp_path / "HIGAL.fits") == 1
    assert "HIGAL.fits is not there" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["map[SCI,1]", "none.fits[1]", "folder/none[2]"])
def test_an_hdu_of_a_file_that_is_not_there_is_said_too(word, capsys):
    assert astroseg(word) == 1
    assert f"{word.partition('[')[0]} is not there" in capsys.readouterr().err


def test_a_url_or_an_hdu_opens_the_window(monkeypatch, maps):
    opened = []
    monkeypatch.setattr("napari_astroseg.cli.display.require_display", lambda: None)
    monkeypatch.setitem(
        sys.modules, "napari_astroseg.gui.workspace", SimpleNamespace(run_window=opened.extend)
    )
    words = (f"{maps}/000_image.fits[0]", "https://example.org/map", "s3://bucket/map.fits")
    assert astroseg(*words) == 0
    assert astroseg(*words[1:]) == 0
    assert opened == [*words, *words[1:]]


def test_a_sky_position_off_the_map_is_said_in_degrees(run, maps, tmp_path, capsys):
    words = ("predict", maps / "000_image.fits", "--model", run, "--out", tmp_path)
    assert astroseg(*words, "--sky", "40,0,0.1") == 1
    assert "is outside 000_image, which is centred at 29." in capsys.readouterr().err
