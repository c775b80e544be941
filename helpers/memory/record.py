"""The record of one child process: its reports, its output, and its memory over time."""

import json
from dataclasses import dataclass, field

import numpy as np

from helpers.memory.process import peak_of


class ChildError(RuntimeError):
    """An error inside the child process; its text holds the child's own traceback."""

    def _render_traceback_(self) -> list[str]:
        # IPython asks for this: the frames of the code that started the child help nobody.
        return str(self).splitlines()


@dataclass
class ChildRun:
    """What was seen of one child process, in bytes and in seconds since its base was read."""

    exit_code: int | None = None
    ready: dict | None = None
    done: dict | None = None
    ended_at_bytes: int | None = None
    output: list[str] = field(default_factory=list)
    unfinished_line: str = ""
    samples: list[tuple[float, int]] = field(default_factory=list)
    marks: list[tuple[float, str]] = field(default_factory=list)

    @property
    def base_bytes(self) -> int:
        """RSS after the imports, before the code."""
        return self.ready["base_bytes"] if self.ready else 0

    @property
    def peak_bytes(self) -> int:
        """The child's own high-water mark, if it has risen since the base; else of the samples."""
        sampled = max((rss for _, rss in self.samples), default=self.base_bytes)
        if not (self.ready and self.done):
            return sampled
        return peak_of(self.done["high_water"], self.ready["high_water"], sampled)

    def timeline(self) -> dict:
        """Return ``times`` (float64) and ``rss_bytes`` (int64), and ``marks`` as (time, label)."""
        points, start = [], 0.0
        if self.ready:
            start = self.ready["time"]
            last = [(self.done["time"], self.done["rss"])] if self.done else []
            end = last[0][0] if last else float("inf")
            points = [(start, self.base_bytes)]
            points += [point for point in self.samples if start < point[0] < end] + last
        return {
            "times": np.array([when - start for when, _ in points], dtype="float64"),
            "rss_bytes": np.array([rss for _, rss in points], dtype="int64"),
            "marks": tuple((when - start, label) for when, label in self.marks),
        }

    def take_reports(self, text: str) -> None:
        """Note what the child reports; `text` is a piece of its stream of JSON lines."""
        *lines, self.unfinished_line = (self.unfinished_line + text).split("\n")
        for line in lines:
            try:
                facts = json.loads(line)
            except ValueError:  # the interpreter's own words before the pipes were connected
                self.output.append(line + "\n")
                continue
            if facts["event"] == "mark":
                self.marks.append((facts["time"], facts["label"]))
            elif facts["event"] == "ready":
                self.ready = facts
            else:
                self.done = facts
