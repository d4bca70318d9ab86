"""The programs of a plan, and lanes placed for them."""

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from itertools import groupby, islice
from threading import Lock

import jax
import numpy as np
from jaxtyping import Array, Int

from lab.blocks import Part
from lab.plan import Plan
from lab.program import Placed, Program
from lab.starts import Starts

Ids = Int[np.ndarray, "lane 3"]
Group = list[tuple[int, Part]]
"""Parts, one a device, that run together, each with a number."""


class Programs:
    """One program for each combination of what cannot differ within one, made when it is needed.

    Attributes:
        plan: what they are for.
        devices: one part runs on each.
        inputs: what all of them are run with.
    """

    def __init__(self, plan: Plan, devices: Sequence[jax.Device]):
        self.plan, self.devices = plan, devices
        self._starts, self._lock = plan.starts, Lock()
        self._made: dict[tuple, Program] = {}
        self._places: dict[tuple, Array] = {}
        with plan.precision():
            self.inputs = plan.inputs()

    def elsewhere(self, starts: Starts) -> "Programs":
        """The same programs from other starts."""
        other = copy(self)
        other._made = {key: program.elsewhere(starts) for key, program in self._made.items()}
        other._starts = starts
        return other

    def groups(self, parts: Iterable[tuple[int, Part]]) -> Iterator[Group]:
        """Parts for as many devices as there are, all with one program."""
        for _, alike in groupby(parts, key=lambda pair: self._key(pair[1])):
            while group := list(islice(alike, len(self.devices))):
                yield group

    def shares(self, ids: Ids) -> list[Int[np.ndarray, " place"]]:
        """Where in `ids` the lanes of each program stand, at most a block of them together."""
        settings, of_lane = np.unique(ids[:, 0], return_inverse=True)
        keys = [self._key_of(setting) for setting in settings]
        program = np.array([keys.index(key) for key in keys])[of_lane]
        places = [np.flatnonzero(program == number) for number in np.unique(program)]
        size = self.plan.layout.capacity
        return [place[i : i + size] for place in places for i in range(0, len(place), size)]

    def _key(self, part: Part) -> tuple:
        """What tells the program of a part's settings from others."""
        return self._key_of(part.places[0, 0] + part.corner[0])

    def _key_of(self, setting: int) -> tuple:
        return tuple(self.plan.fixed(int(setting)).items())

    def _program(self, key: tuple) -> Program:
        """The program of that key."""
        with self._lock:
            if key not in self._made:
                rows = int(np.prod(self.plan.layout.chunk[:-1]))
                problem = replace(self.plan.problem(dict(key)), starts=self._starts)
                made = Program(problem, self.plan.choice.backend, self.devices, rows)
                self._made[key], self.inputs = made, made.place(self.inputs)
            return self._made[key]

    def placed(self, parts: Sequence[Part]) -> tuple[Program, Placed]:
        """The program of some parts, one a device, and their ids there.

        Devices for which there is none get padding.
        """
        program = self._program(self._key(parts[0]))
        count, shapes = len(self.devices), tuple(part.shape for part in parts)
        places: Array | np.ndarray | None = self._places.get(shapes)
        if places is None:
            places = self.plan.layout.padded([part.places for part in parts], count)
        corners, counts = np.zeros((count, 3), np.int32), np.zeros(count, np.int32)
        corners[: len(parts)] = [part.corner for part in parts]
        counts[: len(parts)] = [len(part.places) for part in parts]
        placed = program.place_ids(places, corners, counts)
        if None not in shapes:
            self._places[shapes] = placed.places
        return program, placed

    def rows(self, parts: Sequence[Part]) -> Int[np.ndarray, "device lane"]:
        """Which row of its block's reduction each lane adds to; past the last for padding."""
        layout = self.plan.layout
        none = int(np.prod(layout.chunk[:-1]))
        rows = np.full((len(self.devices), layout.capacity), none, np.int32)
        for row, part in zip(rows, parts, strict=False):
            new = np.any(np.diff(part.places[:, :2], axis=0) != 0, axis=1)
            row[: len(part.places)] = np.concatenate([[0], np.cumsum(new)])
        return rows
