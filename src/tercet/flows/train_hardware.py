"""What a run was trained on and what it took: processor, GPU, time, energy where readable."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tercet.flows.pool import processor_count
from tercet.studio.training_record import NOT_READABLE

_POWERCAP = Path("/sys/class/powercap")


def hardware_entry(device: str, ranks: int) -> dict[str, Any]:
    """Return the machine as the record tells it."""
    return {
        "processor": _processor_name(),
        "cores": processor_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "device": device,
        "gpu": _gpu_name() if device == "cuda" else "",
        "ranks": ranks,
    }


def _processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), platform.processor() or platform.machine())


def _gpu_name() -> str:
    from tercet.studio.training_ranks import gpu_name

    return gpu_name()


@dataclass(slots=True)
class Meter:
    """Counts what a session takes, on top of what earlier sessions of the run took.

    ``wall_s`` and ``cpu_s`` are seconds; ``joules`` are those of the processor package (RAPL) and
    of the GPU (NVML), None where the system does not let them be read.
    """

    device: str
    wall_s: float = 0.0
    cpu_s: float = 0.0
    processor_joules: float | None = 0.0
    gpu_joules: float | None = 0.0
    sessions: int = 0
    _start: tuple[float, float, float | None, float | None] = field(default=(0.0, 0.0, None, None))

    @classmethod
    def going_on(cls, device: str, kept: dict[str, Any]) -> Meter:
        """Return a meter that begins now; ``kept`` is the state of the session before, or {}."""
        meter = cls(device, **kept)
        meter.sessions += 1
        meter._start = _readings(device)
        return meter

    def state(self) -> dict[str, Any]:
        """Return what was taken until now, to be kept in a checkpoint."""
        wall, cpu, processor, gpu = _readings(self.device)
        return {
            "wall_s": self.wall_s + wall - self._start[0],
            "cpu_s": self.cpu_s + cpu - self._start[1],
            "processor_joules": _added(self.processor_joules, self._start[2], processor),
            "gpu_joules": _added(self.gpu_joules, self._start[3], gpu),
            "sessions": self.sessions,
        }

    def entry(self) -> dict[str, Any]:
        """Return the cost as the record tells it: whole seconds and joules."""
        state = self.state()
        return {
            "wall_s": round(state["wall_s"]),
            "cpu_s": round(state["cpu_s"]),
            "processor_joules": _told(state["processor_joules"]),
            "gpu_joules": _told(state["gpu_joules"]) if self.device == "cuda" else 0,
            "sessions": self.sessions,
        }


def _told(joules: float | None) -> int | str:
    return NOT_READABLE if joules is None else round(joules)


def _added(before: float | None, start: float | None, now: float | None) -> float | None:
    if before is None or start is None or now is None or now < start:  # a counter ran over
        return None
    return before + now - start


def _readings(device: str) -> tuple[float, float, float | None, float | None]:
    times = os.times()
    cpu_s = times.user + times.system + times.children_user + times.children_system
    return time.monotonic(), cpu_s, _processor_joules(), _gpu_joules() if device == "cuda" else 0.0


def _processor_joules() -> float | None:
    """Return the energy counters of all processor packages, in joules; None if unreadable."""
    zones = [zone for zone in _POWERCAP.glob("intel-rapl:*") if zone.name.count(":") == 1]
    try:
        micros = [int((zone / "energy_uj").read_text()) for zone in zones]
    except (OSError, ValueError):
        return None
    return sum(micros) / 1e6 if micros else None


def _gpu_joules() -> float | None:
    """Return the energy counter of the GPU in joules (nvmlDeviceGetTotalEnergyConsumption)."""
    import ctypes

    try:
        library = ctypes.CDLL("libnvidia-ml.so.1")
        handle, millijoules = ctypes.c_void_p(), ctypes.c_ulonglong()
        calls = (
            library.nvmlInit_v2(),
            library.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(handle)),
            library.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(millijoules)),
        )
    except (OSError, AttributeError):
        return None
    return None if any(calls) else millijoules.value / 1000
