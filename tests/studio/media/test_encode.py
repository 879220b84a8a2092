"""The encoder: what is written is what was given, plays, is the same again, and is whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tercet.core.errors import InputError, StoppedError, StorageError, UndecodableError
from tercet.studio.media.decode import coded_sha256, facts_of, pictures_of
from tercet.studio.media.encode import Container, encode

CHILD = """
    import resource, sys
    from pathlib import Path
    import numpy as np
    from tercet.core.errors import StorageError
    from tercet.studio.media.encode import Container, encode

    def noise(count):
        generator = np.random.default_rng(1)
        for _ in range(count):
            yield generator.integers(0, 256, (128, 128, 3), np.uint8)
"""


def drifting(count: int, height: int = 64, width: int = 96) -> Iterator[np.ndarray]:
    """A bright square over a slope of colours."""
    y, x = np.mgrid[:height, :width]
    for at in range(count):
        picture = np.stack([x * 2, y * 3, np.full_like(x, 60)], -1).astype(np.uint8)
        picture[20:40, 2 * at : 2 * at + 20] = (240, 200, 40)
        yield picture


def child(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run ``code`` after CHILD in a process of its own."""
    text = textwrap.dedent(CHILD) + textwrap.dedent(code)
    return subprocess.run(
        [sys.executable, "-c", text, *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("container", Container)
def test_what_goes_in_comes_out(tmp_path: Path, container: Container) -> None:
    made = encode(drifting(20), tmp_path / "a", frames_per_second=10, container=container)
    back = list(pictures_of(made.path))
    errors = [
        np.abs(a.astype(int) - b.astype(int)).mean()
        for a, b in zip(drifting(20), back, strict=True)
    ]
    assert max(errors) < 5, "colours differ: range or matrix is wrong"
    facts = facts_of(made.path)
    assert (facts.width_px, facts.height_px, facts.frames_per_second) == (96, 64, 10)
    assert facts.media_type == container.media_type
    assert abs(facts.duration_s - made.duration_s) < 0.01
    assert made.frame_count == 20
    assert made.byte_count == made.path.stat().st_size


@pytest.mark.parametrize("container", Container)
def test_the_same_pictures_give_the_same_bytes(tmp_path: Path, container: Container) -> None:
    """Also a second later: no date and no random id is written.

    x264 gives now and then other bytes for widths that are no multiple of 64 (96: 4 of 24 times).
    """
    first = encode(drifting(12, 64, 128), tmp_path / "a", frames_per_second=8, container=container)
    time.sleep(1.1)
    second = encode(drifting(12, 64, 128), tmp_path / "b", frames_per_second=8, container=container)
    assert first.path.read_bytes() == second.path.read_bytes()


def test_players_are_told_the_colours_and_find_the_index_first(tmp_path: Path) -> None:
    import av

    path = encode(drifting(8), tmp_path / "a.mp4", frames_per_second=8).path
    raw = path.read_bytes()
    assert 0 < raw.find(b"moov") < raw.find(b"mdat")
    with av.open(str(path)) as file:
        context = file.streams.video[0].codec_context
        tags = (context.colorspace, context.color_primaries, context.color_trc)
        assert [int(tag) for tag in tags] == [1, 1, 1]  # ITU-T H.273: BT.709
        assert int(context.color_range) == 1  # limited
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")


@pytest.mark.parametrize(
    ("pictures", "said"),
    [
        ([], "at least one frame"),
        ([np.zeros((64, 63, 3), np.uint8)], "even sides"),
        ([np.zeros((8, 64, 3), np.uint8)], "even sides"),
        ([np.zeros((64, 5000, 3), np.uint8)], "even sides"),
        ([np.zeros((64, 64, 3), np.float32)], "uint8"),
        ([np.zeros((64, 64), np.uint8)], "uint8"),
        ([np.zeros((64, 64, 4), np.uint8)], "uint8"),
        ([np.zeros((64, 64, 3), np.uint8), np.zeros((64, 66, 3), np.uint8)], "every picture"),
    ],
)
def test_pictures_that_will_not_do(tmp_path: Path, pictures: list[np.ndarray], said: str) -> None:
    with pytest.raises(InputError, match=said):
        encode(pictures, tmp_path / "a.mp4", frames_per_second=8)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rate", [0, -1, 121])
def test_frame_rates_that_will_not_do(tmp_path: Path, rate: int) -> None:
    with pytest.raises(InputError, match="frames a second"):
        encode(drifting(2), tmp_path / "a.mp4", frames_per_second=rate)


def test_a_stop_in_the_middle_leaves_nothing_and_the_old_file_stands(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"the old one")

    def stopped() -> Iterator[np.ndarray]:
        yield from drifting(5)
        raise StoppedError("stopped")

    with pytest.raises(StoppedError):
        encode(stopped(), path, frames_per_second=8)
    assert path.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("container", Container)
def test_a_full_disk_while_encoding(tmp_path: Path, container: Container) -> None:
    """The kernel refuses to let a file grow: what a full disk does, for real."""
    done = child(
        """
        import signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            encode(noise(40), Path(sys.argv[1]), frames_per_second=8,
                   container=Container(sys.argv[2]))
        except StorageError as error:
            print("refused:", error.message)
        """,
        tmp_path / "a.bin", container,
    )  # fmt: skip
    assert "refused: cannot write" in done.stdout, done.stderr
    assert "File too large" in done.stdout
    assert not list(tmp_path.iterdir())


def test_a_full_device_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot write"):
        encode(drifting(2), tmp_path / "file" / "a.mp4", frames_per_second=8)
    with pytest.raises(StorageError, match="cannot write"):
        encode(drifting(2), tmp_path / "no" / "a.mp4", frames_per_second=8)


def test_killed_while_encoding(tmp_path: Path) -> None:
    """Nothing stands under the name, and the next run takes over what the killed one left."""
    path = tmp_path / "a.mp4"
    code = textwrap.dedent(CHILD) + textwrap.dedent(
        """
        def endless():
            for picture in noise(10**9):
                yield picture
                print("more", flush=True)
        encode(endless(), Path(sys.argv[1]), frames_per_second=8)
        """
    )
    running = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    for _ in range(60):
        running.stdout.readline()
    with pytest.raises(StorageError, match="another process"):
        encode(drifting(2), path, frames_per_second=8)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    running.stdout.close()
    assert not path.exists()
    assert encode(drifting(10), path, frames_per_second=8).frame_count == 10
    assert list(tmp_path.iterdir()) == [path]
    assert len(list(pictures_of(path))) == 10


MEMORY = """
    plain = (np.full((128, 128, 3), at % 250, np.uint8) for at in range(int(sys.argv[2])))
    encode(plain, Path(sys.argv[1]), frames_per_second=8)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_kib(folder: Path, count: int) -> int:
    done = child(MEMORY, folder / f"{count}.mp4", count)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    """300 pictures more would be 14 MiB if they were kept; the encoder looks 40 ahead."""
    assert peak_kib(tmp_path, 400) - peak_kib(tmp_path, 100) < 8 * 1024


@pytest.mark.slow
def test_memory_does_not_grow_with_length_by_far(tmp_path: Path) -> None:
    assert peak_kib(tmp_path, 3000) - peak_kib(tmp_path, 100) < 10 * 1024


@pytest.mark.parametrize("raw", [b"", b"no video", b"\0\0\0\x18ftypisom" + bytes(100)])
def test_what_is_no_video(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(raw)
    for read in (facts_of, coded_sha256, lambda path: list(pictures_of(path))):
        with pytest.raises(UndecodableError):
            read(path)


def test_a_list_of_other_files_is_not_followed(tmp_path: Path) -> None:
    """A playlist names files and addresses: a reader that follows it leaks them."""
    encode(drifting(4), tmp_path / "a.mp4", frames_per_second=8)
    path = tmp_path / "list.mp4"
    path.write_text(f"ffconcat version 1.0\nfile '{tmp_path / 'a.mp4'}'\n")
    with pytest.raises(UndecodableError):
        facts_of(path)


def test_only_so_many_pictures_are_read(tmp_path: Path) -> None:
    path = encode(drifting(12), tmp_path / "a.mp4", frames_per_second=8).path
    assert len(list(pictures_of(path, count_max=5))) == 5
    assert len(list(pictures_of(path, count_max=0))) == 0


def test_a_change_of_container_keeps_the_coded_pictures(tmp_path: Path) -> None:
    import av

    path = encode(drifting(12), tmp_path / "a.mp4", frames_per_second=8).path
    other = tmp_path / "b.mp4"
    with av.open(str(path)) as source, av.open(str(other), "w") as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
    assert other.read_bytes() != path.read_bytes()
    assert coded_sha256(other) == coded_sha256(path)
