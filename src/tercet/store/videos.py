"""The files of videos: one folder a video, there as a whole or not at all.

DATA/videos/VIDEO_ID/video.mp4, thumbnail.jpg, spritesheet.jpg, credits.json, record.json
DATA/work/VIDEO_ID/...              while it is made; preview.jpg beside what is unfinished
DATA/references/VIDEO_ID.png, .mp4  the picture that a video begins with, the video it continues
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from tercet.core.errors import MissingError, StorageError
from tercet.store.files import sync_folder, write_atomically

_VIDEO_ID = re.compile(r"video_[0-9a-f]{32}\Z")
PREVIEW = "preview.jpg"


class VideoFiles:
    """Where the files of all videos lie, under one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("videos", "work", "references"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def begin(self, video_id: str) -> Path:
        """Return an empty folder to make a video in; what an earlier attempt left is removed.

        Raises StorageError.
        """
        work = self._place("work", video_id)
        shutil.rmtree(work, ignore_errors=True)
        try:
            work.mkdir()
        except OSError as error:
            raise StorageError(f"cannot make a folder for {video_id}: {error.strerror}") from error
        return work

    def finish(self, video_id: str) -> None:
        """Make what was made in the work folder the video's files. Raises StorageError.

        To ask for it again does nothing.
        """
        work, made = self._place("work", video_id), self._place("videos", video_id)
        if made.is_dir() and not work.exists():
            return
        try:
            (work / PREVIEW).unlink(missing_ok=True)
            shutil.rmtree(made, ignore_errors=True)
            work.replace(made)
            sync_folder(made.parent)
        except OSError as error:
            raise StorageError(f"cannot keep the files of {video_id}: {error}") from error

    def drop_work(self, video_id: str) -> None:
        """Remove what is unfinished of a video."""
        shutil.rmtree(self._place("work", video_id), ignore_errors=True)

    def drop_all_work(self) -> None:
        """Remove everything unfinished: nobody works on it when a server starts."""
        for left in (self.folder / "work").iterdir():
            shutil.rmtree(left, ignore_errors=True)

    def file(self, video_id: str, name: str) -> Path:
        """Return the path of one file of a finished video. Raises MissingError."""
        path = self._place("videos", video_id) / name
        if not path.is_file():
            raise MissingError(f"{video_id} has no {name}", hint="it may not have been made")
        return path

    def preview(self, video_id: str) -> bytes:
        """Return the newest preview of a video that is being made, empty when there is none."""
        try:
            return (self._place("work", video_id) / PREVIEW).read_bytes()
        except OSError:
            return b""

    def keep_reference(self, video_id: str, png: bytes) -> None:
        """Keep the picture that a video begins with. Raises StorageError."""
        try:
            write_atomically(self.reference(video_id), png)
        except OSError as error:
            raise StorageError(f"cannot keep a reference picture: {error}") from error

    def reference(self, video_id: str) -> Path:
        """Return where that picture lies or would lie."""
        return self._place("references", video_id).with_suffix(".png")

    def keep_source(self, video_id: str, video: Path) -> None:
        """Keep the video that another one continues, also when it is deleted meanwhile.

        Raises StorageError.
        """
        try:
            os.link(video, self.source(video_id))
        except OSError as error:
            raise StorageError(f"cannot keep a video to continue: {error}") from error

    def source(self, video_id: str) -> Path:
        """Return where that video lies or would lie."""
        return self._place("references", video_id).with_suffix(".mp4")

    def drop_inputs(self, video_id: str) -> None:
        """Remove what a video was to begin with."""
        self.reference(video_id).unlink(missing_ok=True)
        self.source(video_id).unlink(missing_ok=True)

    def remove(self, video_id: str) -> None:
        """Remove every file of a video. Raises StorageError."""
        try:
            for place in (self._place("videos", video_id), self._place("work", video_id)):
                if place.exists():
                    shutil.rmtree(place)
            self.drop_inputs(video_id)
        except OSError as error:
            raise StorageError(f"cannot remove the files of {video_id}: {error}") from error

    def _place(self, part: str, video_id: str) -> Path:
        if not _VIDEO_ID.match(video_id):
            raise MissingError(f"there is no video {video_id[:80]!r}")
        return self.folder / part / video_id
