"""Files behind a network: the same values, few bytes and few requests, or one sentence."""

from __future__ import annotations

import gzip
import io
import multiprocessing
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from loopback import Site, serving
from numpy.typing import NDArray

from napari_astroseg.errors import ImageError, SetupError
from napari_astroseg.sky.files.address import Address, spoken
from napari_astroseg.sky.files.far import blocks, fsspecstore, patience
from napari_astroseg.sky.files.far.blocks import BLOCK, KEPT, SPAN, Blocks
from napari_astroseg.sky.files.far.patience import Version
from napari_astroseg.sky.files.far.remote import RemoteHandle
from napari_astroseg.sky.files.far.signed import unsigned
from napari_astroseg.sky.files.handle import open_handle
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.pyramids import pyramid

SIDE = 2048


def bytes_of(*hdus: Any) -> bytes:
    file = io.BytesIO()
    fits.HDUList(list(hdus)).writeto(file)
    return file.getvalue()


@pytest.fixture(scope="module")
def values() -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(SIDE, SIDE)).astype(np.float32)


@pytest.fixture(scope="module")
def plain(values: NDArray[np.float32]) -> bytes:
    return bytes_of(fits.PrimaryHDU(values))


@pytest.fixture
def site(plain: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(patience, "PAUSES_S", (0.01, 0.02, 0.03))
    with serving(m17__fits=plain) as site:
        yield site


def read(handle: Any, count: int, offset: int) -> bytes:
    into = np.empty(count, np.uint8)
    handle.read(into, offset)
    return into.tobytes()


# --- what comes, and how much of it -------------------------------------------------------


def test_an_image_opens_with_one_request_for_the_start_of_the_file(site: Site) -> None:
    image = open_image(site.url("m17.fits"))
    assert image.shape == (SIDE, SIDE)
    assert image.name == "m17"
    assert site.requests == [f"GET m17.fits bytes=0-{BLOCK - 1}"]
    assert site.sent == BLOCK


def test_a_window_is_a_few_requests_and_the_values_are_the_file_s(
    site: Site, values: NDArray[np.float32]
) -> None:
    image = open_image(site.url("m17.fits"))
    site.forget()
    window = image.pixels[700:956, 512:1024]
    np.testing.assert_array_equal(window, values[700:956, 512:1024])
    assert len(site.requests) <= 2  # 256 rows, neighbours in the file
    assert site.sent < 3 * 2**20 < SIDE * SIDE * 4 / 5
    site.forget()
    np.testing.assert_array_equal(image.pixels[700:900, 0:64], values[700:900, 0:64])
    assert site.requests == []  # the same blocks


def test_rows_with_steps_are_asked_for_side_by_side(
    site: Site, values: NDArray[np.float32]
) -> None:
    image = open_image(site.url("m17.fits"))
    site.forget()
    np.testing.assert_array_equal(image.pixels[0:2048:256, :], values[0:2048:256])
    assert len(site.requests) <= 8
    assert site.sent <= 8 * 2 * BLOCK


def test_a_coarse_level_is_few_requests_and_the_same_as_of_a_copy(
    site: Site, tmp_path: Path
) -> None:
    tall = np.random.default_rng(2).normal(size=(4097, 500)).astype(np.float32)
    site.files["tall.fits"] = bytes_of(fits.PrimaryHDU(tall))
    copy = tmp_path / "tall.fits"
    copy.write_bytes(site.files["tall.fits"])
    far = pyramid.levels(open_image(site.url("tall.fits")))
    near = pyramid.levels(open_image(copy))
    assert len(far) == 3
    site.forget()
    for ours, theirs in zip(far[::-1], near[::-1], strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))
    assert len(site.requests) <= 32  # of some thousand reads; threads share them as they come
    assert site.sent <= len(site.files["tall.fits"])


def test_reading_on_asks_for_more_each_time(site: Site, plain: bytes) -> None:
    handle = RemoteHandle(site.url("m17.fits"))
    site.forget()
    got = b"".join(read(handle, 2880, at) for at in range(0, len(plain), 2880))
    assert got == plain
    assert len(site.requests) <= 10
    assert site.sent == len(plain) - BLOCK


def test_tile_compressed_images_are_read_tile_by_tile(site: Site) -> None:
    counts = np.random.default_rng(1).poisson(1000, (SIDE, SIDE)).astype(np.int32)
    packed = fits.CompImageHDU(counts, compression_type="RICE_1", tile_shape=(64, 64))
    site.files["tiles.fits"] = bytes_of(fits.PrimaryHDU(), packed)
    image = open_image(site.url("tiles.fits[1]"))
    site.forget()
    np.testing.assert_array_equal(image.pixels[900:964, 900:964], counts[900:964, 900:964])
    assert 0 < site.sent < len(site.files["tiles.fits"]) / 3


def test_a_packed_file_is_fetched_and_unpacked_once(
    site: Site, plain: bytes, values: NDArray[np.float32]
) -> None:
    site.files["m17.fits.gz"] = gzip.compress(plain, 1)
    image = open_image(site.url("m17.fits.gz"))
    np.testing.assert_array_equal(image.pixels[5:9, 7:11], values[5:9, 7:11])
    assert any("unpacked" in note for note in image.notes)
    assert site.sent <= len(site.files["m17.fits.gz"])
    assert len(site.requests) <= 10
    site.forget()
    open_image(site.url("m17.fits.gz"))
    assert site.sent == BLOCK


def test_memory_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    most = 0

    def fetch(spans: list[range]) -> list[bytes]:
        nonlocal most
        most = max(most, sum(map(len, spans)))
        assert all(len(span) <= SPAN for span in spans)
        return [bytes(len(span)) for span in spans]

    parts = Blocks(200 * 2**20 + 5, fetch)
    whole = np.ones(200 * 2**20 + 5, np.uint8)
    parts.fill([(memoryview(whole), 0)])
    assert not whole.any()
    assert parts.held <= KEPT
    assert most <= blocks.GROUP


# --- one file, several readers ------------------------------------------------------------


def test_threads_share_what_one_of_them_fetches(site: Site, plain: bytes) -> None:
    handle = RemoteHandle(site.url("m17.fits"))
    site.forget()
    site.stall_s = 0.2
    with ThreadPoolExecutor(8) as pool:
        got = set(pool.map(lambda _: read(handle, 3000, 5 * BLOCK + 7), range(8)))
    assert got == {plain[5 * BLOCK + 7 : 5 * BLOCK + 3007]}
    assert len(site.requests) == 1


def test_threads_read_different_places_at_once(site: Site, values: NDArray[np.float32]) -> None:
    image = open_image(site.url("m17.fits"))

    def check(row: int) -> bool:
        return bool(np.array_equal(image.pixels[row : row + 9, 3:99], values[row : row + 9, 3:99]))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(check, range(0, SIDE - 9, 61)))


def test_a_failure_reaches_every_thread_that_waits_and_the_next_try_succeeds() -> None:
    begun, failing = threading.Event(), threading.Event()

    def fetch(spans: list[range]) -> list[bytes]:
        begun.set()
        if not failing.wait(10):
            raise AssertionError
        if not failing.recovered:  # type: ignore[attr-defined]
            raise ImageError("gone")
        return [bytes(len(span)) for span in spans]

    failing.recovered = False  # type: ignore[attr-defined]
    parts = Blocks(BLOCK, fetch)

    def ask() -> str:
        try:
            parts.fill([(memoryview(np.ones(9, np.uint8)), 0)])
        except ImageError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(ask), pool.submit(ask)]
        assert begun.wait(10)
        failing.set()
        assert [answer.result() for answer in answers] == ["gone", "gone"]
    failing.recovered = True  # type: ignore[attr-defined]
    assert ask() == ""


def _corner(image: Any) -> float:
    return float(image.pixels[SIDE - 1 : SIDE, SIDE - 1 : SIDE][0, 0])


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_connects_anew(site: Site, values: NDArray[np.float32]) -> None:
    image = open_image(site.url("m17.fits"))
    image.pixels[0:1, 0:1]
    context = multiprocessing.get_context("fork")
    with context.Pool(1) as pool:
        assert pool.apply_async(_corner, (image,)).get(30) == values[-1, -1]
        # By inheritance, not by pickle:
    inherited = context.Queue()
    child = context.Process(target=lambda: inherited.put(_corner(image)))
    child.start()
    assert inherited.get(timeout=60) == values[-1, -1]
    child.join(30)
    assert child.exitcode == 0


def test_a_pickled_image_reads_in_a_fresh_process(site: Site, values: NDArray[np.float32]) -> None:
    image = open_image(site.url("m17.fits"))
    code = (
        "import pickle, sys; image = pickle.load(sys.stdin.buffer); "
        "print(repr(float(image.pixels[2047:2048, 2047:2048][0, 0])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(image), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert float(done.stdout) == values[-1, -1]


@pytest.mark.parametrize(
    ("query", "bare"),
    [
        ("?X-Amz-Credential=a&X-Amz-Signature=b&X-Amz-Date=c&versionId=d", "?versionId=d"),
        ("?sv=2022&sig=a&se=b&sp=r#c", "#c"),
        ("?a=1&X-Goog-Signature=b&X-Goog-Expires=9&c=2", "?a=1&c=2"),
        ("?Expires=1&Signature=b&Key-Pair-Id=c", ""),
        ("?st=1", "?st=1"),
        ("?token=m17&expires=no&policy=a", "?token=m17&expires=no&policy=a"),
        ("?sig=3&se=4", "?sig=3&se=4"),
        ("?X-Amz-Date=now", "?X-Amz-Date=now"),
    ],
)
def test_only_a_whole_signature_is_no_part_of_a_name(query: str, bare: str) -> None:
    assert unsigned(f"https://a.org/m17.fits{query}") == f"https://a.org/m17.fits{bare}"


def test_a_file_without_a_version_is_known_by_its_ends(site: Site, plain: bytes) -> None:
    site.tag = site.modified = ""
    first = RemoteHandle(site.url("m17.fits")).identity
    assert RemoteHandle(site.url("m17.fits")).identity == first
    site.files["m17.fits"] = plain[:100_000] + b"?" + plain[100_001:]
    second = RemoteHandle(site.url("m17.fits")).identity
    site.files["m17.fits"] = plain[:-1] + b"?"
    third = RemoteHandle(site.url("m17.fits")).identity
    assert len({first, second, third}) == 3


def test_the_identity_is_the_file_s_version(site: Site) -> None:
    first = RemoteHandle(site.url("m17.fits")).identity
    assert RemoteHandle(site.url("m17.fits")).identity == first
    signed = site.url("m17.fits?X-Amz-Credential=me&X-Amz-Signature=secret&X-Amz-Date=now")
    assert RemoteHandle(signed).identity == first
    assert RemoteHandle(site.url("m17.fits?plane=2")).identity != first
    site.tag = '"two"'
    assert RemoteHandle(site.url("m17.fits")).identity != first


# --- servers that misbehave ---------------------------------------------------------------


def test_busy_servers_are_asked_again(site: Site, plain: bytes) -> None:
    site.status = lambda number: 503 if number < 2 else 200
    handle = RemoteHandle(site.url("m17.fits"))
    assert read(handle, 80, 0) == plain[:80]
    assert len(site.requests) == 3


def test_answers_that_break_off_are_asked_for_again(site: Site, plain: bytes) -> None:
    handle = RemoteHandle(site.url("m17.fits"))
    site.short = lambda number: number == 1
    assert read(handle, BLOCK, 3 * BLOCK) == plain[3 * BLOCK : 4 * BLOCK]
    assert len(site.requests) == 3


def test_a_server_that_always_breaks_off_gets_its_sentence(site: Site) -> None:
    handle = RemoteHandle(site.url("m17.fits"))
    site.short = lambda number: True
    with pytest.raises(ImageError, match=r"m17\.fits cannot be read .*try again later"):
        read(handle, BLOCK, 3 * BLOCK)
    assert len(site.requests) == 1 + 4


def test_a_silent_server_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PATIENCE_S", 0.6)
    site.stall_s = 5.0
    begun = time.monotonic()
    with pytest.raises(ImageError, match=r"m17\.fits cannot be read \(no answer within 0\.6 s\)"):
        open_image(site.url("m17.fits"))
    assert time.monotonic() - begun < 4


def test_a_server_that_is_not_there_gets_its_sentence(site: Site) -> None:
    with pytest.raises(ImageError, match=r"^http://127\.0\.0\.1:9/a\.fits cannot be read .*again"):
        open_image("http://127.0.0.1:9/a.fits")


@pytest.mark.parametrize(
    ("status", "words"),
    [(404, "not there.*check the address"), (403, "not open to everyone.*netrc"), (400, "refused")],
)
def test_refusals_are_not_asked_again(site: Site, status: int, words: str) -> None:
    site.status = lambda number: status
    with pytest.raises(ImageError, match=f"m17.fits is {words}"):
        open_image(site.url("m17.fits"))
    assert len(site.requests) == 1


def test_redirects_are_followed(site: Site, values: NDArray[np.float32]) -> None:
    site.redirects["old/m17.fits"] = site.url("m17.fits")
    image = open_image(site.url("old/m17.fits"))
    np.testing.assert_array_equal(image.pixels[9:12, :], values[9:12])


def test_a_circle_of_redirects_ends(site: Site) -> None:
    site.redirects["a.fits"] = site.url("a.fits")
    with pytest.raises(ImageError, match=r"a\.fits cannot be read"):
        open_image(site.url("a.fits"))
    assert len(site.requests) <= 12


def test_without_parts_a_small_file_is_fetched_whole(
    site: Site, values: NDArray[np.float32]
) -> None:
    site.ranges = False
    for site.length_told in (True, False):
        image = open_image(site.url("m17.fits"))
        site.forget()
        np.testing.assert_array_equal(image.pixels[:, 5:9], values[:, 5:9])
        assert site.requests == []


def test_without_parts_a_large_file_is_not(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_astroseg.sky.files.far.httpstore.KEPT", 2**20)
    site.ranges = False
    for site.length_told in (True, False):
        with pytest.raises(ImageError, match=r"m17\.fits: its server gives no parts.*download it"):
            open_image(site.url("m17.fits"))


def test_an_empty_file_is_called_empty(site: Site) -> None:
    site.files["none.fits"] = b""
    with pytest.raises(ImageError, match=r"none\.fits is empty"):
        open_image(site.url("none.fits"))


def test_a_web_page_in_place_of_a_file_is_called_one(site: Site) -> None:
    site.files["login.fits"] = b"<!DOCTYPE html><html>please sign in</html>"
    with pytest.raises(ImageError, match=r"login\.fits is a web page"):
        open_image(site.url("login.fits"))


def test_a_cut_file_is_told(site: Site, plain: bytes) -> None:
    site.files["cut.fits"] = plain[: len(plain) // 2]
    with pytest.raises(ImageError, match=r"cut\.fits.*cut short"):
        image = open_image(site.url("cut.fits"))
        image.pixels[:, :]


@pytest.mark.parametrize("how", ["rewritten", "shorter", "gone"])
def test_a_file_that_changes_while_open_is_told(site: Site, plain: bytes, how: str) -> None:
    image = open_image(site.url("m17.fits"))
    if how == "rewritten":
        site.tag, site.modified = '"two"', "Fri, 20 Nov 2026 11:00:00 GMT"
    elif how == "shorter":
        site.files["m17.fits"] = plain[: len(plain) // 2]
    else:
        del site.files["m17.fits"]
    words = "is not there" if how == "gone" else r"was changed while it was open; open it again"
    with pytest.raises(ImageError, match=f"m17.fits {words}"):
        image.pixels[SIDE - 1 : SIDE, :]


def test_mirrors_with_tags_of_their_own_are_one_file(site: Site) -> None:
    image = open_image(site.url("m17.fits"))
    site.tag = '"the other mirror"'
    image.pixels[SIDE - 1 : SIDE, :]


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        (Version(5, "a", "t"), Version(5, "a", "t"), False),
        (Version(5, "a", "t"), Version(6, "a", "t"), True),
        (Version(5, "a", ""), Version(5, "b", ""), True),
        (Version(5, "a", "t"), Version(5, "", "t"), False),
        (Version(5, "a", "t"), Version(5, "b", "u"), True),
        (Version(5), Version(-1), False),
    ],
)
def test_versions(one: Version, other: Version, differ: bool) -> None:
    assert one.differs(other) is differ


# --- secrets ------------------------------------------------------------------------------


def test_what_is_not_read_as_an_address_is_told_without_its_secrets() -> None:
    secret = "https://me:hush@a.org/m17.fits?sig=hush"
    for written, hdu in ((f"{secret}[]", None), (f"{secret}[1]", 2)):
        with pytest.raises(ImageError, match=r"https://a\.org/m17\.fits\[1?\]") as told:
            Address.of(written, hdu)
        assert "hush" not in str(told.value)


def test_passwords_and_signatures_are_never_said(site: Site) -> None:
    secret = site.address.replace("//", "//me:swordfish@") + "/lost.fits?X-Amz-Signature=swordfish"
    for status in (404, 403, 418, 500):
        site.status = lambda number, status=status: status
        with pytest.raises(ImageError) as raised:
            open_image(secret)
        assert "swordfish" not in str(raised.value)
        assert "lost.fits" in str(raised.value)
        assert raised.value.__cause__ is None
    assert Address.of(secret).name == "lost.fits"
    assert spoken(secret) == site.url("lost.fits")
    assert any("Authorization" in told for told in site.agents)  # but it was used
    words = patience.reason(OSError("no https://me:swordfish@x/y?sig=swordfish here"))
    assert words == "no https://x/y here"


# --- other stores -------------------------------------------------------------------------


@pytest.fixture
def memory(plain: bytes) -> Iterator[Any]:
    import fsspec

    store = fsspec.filesystem("memory")
    store.pipe_file("/far/m17.fits", plain)
    yield store
    store.rm("/far", recursive=True)


def test_any_store_of_fsspec_will_do(memory: Any, values: NDArray[np.float32]) -> None:
    image = open_image("memory://far/m17.fits")
    np.testing.assert_array_equal(image.pixels[700:800, 5:50], values[700:800, 5:50])


def test_a_store_s_file_that_changes_is_told(
    memory: Any, plain: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fsspecstore, "RECHECK_S", 0.0)
    image = open_image("memory://far/m17.fits")
    memory.pipe_file("/far/m17.fits", plain[: len(plain) // 2])
    with pytest.raises(ImageError, match=r"m17\.fits was changed while it was open"):
        image.pixels[SIDE - 1 : SIDE, :]


def test_what_a_store_does_not_have_is_told(memory: Any) -> None:
    with pytest.raises(ImageError, match=r"^memory://far/none\.fits is not there"):
        open_handle("memory://far/none.fits")
    with pytest.raises(ImageError, match=r"^memory://far is a folder"):
        open_handle("memory://far")
    with pytest.raises(ImageError, match=r"cannot be read .*nosuch"):
        open_handle("nosuch://far/m17.fits")


def test_a_bucket_is_read_by_ranges_and_as_anyone_where_there_are_no_keys(
    site: Site, monkeypatch: pytest.MonkeyPatch, values: NDArray[np.float32]
) -> None:
    pytest.importorskip("s3fs")
    import fsspec

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setitem(fsspec.config.conf, "s3", {"endpoint_url": site.address})
    site.files["survey/m17.fits"] = site.files["m17.fits"]
    image = open_image("s3://survey/m17.fits")
    site.forget()
    np.testing.assert_array_equal(image.pixels[700:800, 5:50], values[700:800, 5:50])
    assert all("bytes=" in asked for asked in site.requests if asked.startswith("GET"))
    assert 0 < site.sent < SIDE * SIDE
    with pytest.raises(ImageError, match=r"^s3://survey/none\.fits is not there"):
        open_handle("s3://survey/none.fits")


def test_a_bucket_that_does_not_answer_is_given_up(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("s3fs")
    import fsspec

    monkeypatch.setattr(patience, "PATIENCE_S", 1.5)
    settings = {"endpoint_url": site.address, "anon": True, "skip_instance_cache": True}
    monkeypatch.setitem(fsspec.config.conf, "s3", settings)
    site.stall_s = 6.0
    begun = time.monotonic()
    with pytest.raises(ImageError, match=r"^s3://survey/m17\.fits cannot be read \(no answer"):
        open_handle("s3://survey/m17.fits")
    assert time.monotonic() - begun < 5


def test_without_the_store_s_package_the_sentence_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import fsspec  # whose name `registry` hides the module of that name

    monkeypatch.setitem(sys.modules, "s3fs", None)
    known = sys.modules["fsspec.registry"]._registry
    for protocol in [each for each in fsspec.registry if each in {"s3", "s3a"}]:
        monkeypatch.delitem(known, protocol)
    with pytest.raises(SetupError, match=r'`pip install "napari-astroseg\[s3\]"`'):
        open_handle("s3://survey/m17.fits")
