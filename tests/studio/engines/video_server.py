"""A small server that speaks /v1/videos, in this process, with faults on request."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response

from tercet.studio.media.encode import encode


class VideoServer:
    """What it was asked, and how it is to behave: ``faults`` name what goes wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.faults: dict[str, Any] = {}
        self.created: list[dict[str, Any]] = []
        self.pictures: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.deleted: list[str] = []
        self.polled = 0
        self.app = self._app()

    def _app(self) -> FastAPI:
        app = FastAPI()
        app.post("/v1/videos")(self.create)
        app.get("/v1/videos/{job_id}")(self.retrieve)
        app.get("/v1/videos/{job_id}/content")(self.content)
        app.delete("/v1/videos/{job_id}")(self.delete)
        app.get("/elsewhere/{job_id}")(self.file)
        return app

    async def create(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        if "status" in self.faults:
            body = {"error": {"message": "no \x1b[31mred"}}
            return JSONResponse(body, status_code=self.faults["status"])
        if request.headers["content-type"].startswith("multipart/"):
            form = await request.form()
            upload = form["input_reference"]
            assert not isinstance(upload, str)
            self.pictures.append(await upload.read())
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
        else:
            fields = await request.json()
        self.created.append(fields)
        if "raw" in self.faults:
            return Response(self.faults["raw"], media_type="application/json")
        return self._job(f"video_{len(self.created)}", "queued", 0)

    async def retrieve(self, job_id: str) -> Response:
        self.polled += 1
        if "stuck" in self.faults:
            return self._job(job_id, "in_progress", 10)
        if "failed" in self.faults:
            error = {"code": "x", "message": "out of paint"}
            return self._job(job_id, "failed", 50, error=error)
        done = self.polled % 3 == 0
        return self._job(job_id, "completed" if done else "in_progress", 100 if done else 40)

    async def content(self, job_id: str) -> Response:
        if "redirect" in self.faults:
            return RedirectResponse(self.faults["redirect"].format(job_id=job_id))
        if "content" in self.faults:
            return Response(self.faults["content"], media_type="video/mp4")
        return await self.file(job_id)

    async def file(self, job_id: str) -> Response:
        fields = self.created[int(job_id.rpartition("_")[2]) - 1]
        seconds = self.faults.get("seconds", int(fields["seconds"]))
        width, height = (int(side) for side in fields["size"].split("x"))
        rate = 12  # of its own
        path = self.folder / f"{job_id}.mp4"
        shades = np.linspace(0, 255, seconds * rate)
        grey = (np.full((height, width, 3), shade, np.uint8) for shade in shades)
        encode(grey, path, frames_per_second=rate)
        return FileResponse(path, media_type="video/mp4")

    async def delete(self, job_id: str) -> Response:
        self.deleted.append(job_id)
        if "delete" in self.faults:
            return JSONResponse({}, status_code=self.faults["delete"])
        return JSONResponse({"id": job_id, "object": "video.deleted", "deleted": True})

    @staticmethod
    def _job(job_id: str, status: str, progress: int, **more: Any) -> Response:
        job = {"id": job_id, "object": "video", "model": "wan2.1", "status": status}
        raw = json.dumps(job | {"progress": progress} | more)
        headers = {"openai-poll-after-ms": "50"}
        return Response(raw, media_type="application/json", headers=headers)


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an app on a free port of this machine, and give its address."""
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="on")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            thread.join(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.should_exit = True
        thread.join(10)
