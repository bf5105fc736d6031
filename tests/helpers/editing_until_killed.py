"""A process that edits, saves and autosaves until it is killed, and one that looks at what that left.

Both run in forks of a process that has imported everything and started nothing: a cycle takes a fraction of a
second. What the editing process did is in a journal, one line an event, that survives it.
"""

import hashlib
import json
import os
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from PySide6.QtCore import QCoreApplication, QTimer

from editor import commands
from editor.adjustments.invert import Invert
from editor.document.document import Document
from editor.document.state_json import state_to_json
from editor.formats import files
from editor.layers.layer import Adjustment, Group, Layer, Mask
from editor.layers.state import DocumentState, Guide
from editor.pixels.raster import Raster
from editor.recovery.instances import DAMAGED
from editor.recovery.leftovers import find
from editor.recovery.tiles import Keys
from editor.system.folders import recovery_folder
from tests.helpers.fake_application import make_application

WIDTH, HEIGHT = 420, 300
MOST_LAYERS = 6
PLENTY = 2**33
SAVES_A_STEP = 0.1

Event: TypeAlias = tuple[str, float, str]  # what, when (monotonic), the state's digest


class Digests:
    """Content of whole states as short text; what was met before is not hashed again."""

    def __init__(self) -> None:
        self._keys = Keys()

    def keep_raster(self, raster: Raster) -> str:
        tiles = (raster.tile(c, r) for r in range(raster.rows) for c in range(raster.columns))
        return b"".join(self._keys.of(tile) for tile in tiles).hex()

    def keep_map(self, values: Any) -> str:
        return self._keys.of(values).hex()

    def keep_content(self, name: str, blob: Any) -> str:
        return name

    def of(self, state: DocumentState) -> str:
        values = state_to_json(replace(state, active="", chosen=frozenset()), self)
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:20]


class Editing:
    """Random commands, undo, redo and saves on one document, as fast as the event loop turns."""

    def __init__(self, folder: Path, seed: int, interval_s: float) -> None:
        self.random = random.Random(seed)
        self.folder = folder
        self.digests = Digests()
        self.journal = os.open(folder / "journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.application = make_application(folder / "config")
        self.document: Document | None = None
        self.requested: list[str] = []
        autosave = self.application.recovery.autosave
        autosave._bound_s = lambda: interval_s
        autosave.start(tick_s=interval_s / 10)
        self.application.document_opened.connect(self._begin)
        self.application.saved.connect(lambda *_: self.note("saved", self.requested.pop(0)))
        self.application.message.connect(lambda text, hint, level: self.note("message", f"{level}: {text}"))
        self.application.recovery.leftovers.look()
        QTimer.singleShot(0, self.application, self._open)

    def note(self, event: str, digest: str) -> None:
        os.write(self.journal, f"{event}\t{time.monotonic():.6f}\t{digest}\n".encode())

    def _open(self) -> None:
        """Restore what is there, else open the project, else begin anew."""
        application = self.application
        if application.recovery.autosave.background.busy:
            QTimer.singleShot(1, application, self._open)
            return
        newest, *others = application.recovery.leftovers.all or (None,)
        for other in others:
            application.recovery.leftovers.discard(other)
        if newest is not None and self.random.random() < 0.9:
            application.recovery.leftovers.restore(newest)
        elif project(self.folder).exists():
            application.open_file(project(self.folder))
        else:
            application.add_document(Document(first_state(), title="killed"))

    def _begin(self, document: Document) -> None:
        self.document = document
        self.note("opened", self.digests.of(document.state))
        self.timer = QTimer(self.application, interval=15)
        self.timer.timeout.connect(self._step)
        self.timer.start()

    def _step(self) -> None:
        document, chance = self.document, self.random.random()
        assert document is not None
        if chance < 0.1:
            document.undo_stack.undo()
        elif chance < 0.15:
            document.undo_stack.redo()
        else:
            state = changed(document.state, self.random)
            commands.push(document, commands.ReplaceState(document, state, "Random"))
        digest = self.digests.of(document.state)
        self.note("edit", digest)
        if self.random.random() < SAVES_A_STEP and len(self.requested) < 2:
            self.requested.append(digest)
            self.note("save", digest)
            self.application.save(document, project(self.folder))


def project(folder: Path) -> Path:
    return folder / "out" / "killed.ora"


def edit_until_killed(folder: Path, seed: int, interval_s: float) -> None:
    """Never returns."""
    qt = QCoreApplication([])
    editing = Editing(folder, seed, interval_s)
    qt.exec()
    del editing


def first_state() -> DocumentState:
    noise = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 4), np.uint8)
    background = Layer.of_pixels(name="Background", pixels=noise)
    mask = Mask(raster=Raster.filled(WIDTH, HEIGHT, 200, channels=1))
    group = Group(
        name="Group",
        children=(
            Layer(name="Painted", raster=Raster.filled(WIDTH, HEIGHT), mask=mask),
            Adjustment(name="Invert", settings=Invert(), opacity=0.5),
        ),
    )
    return DocumentState(width=WIDTH, height=HEIGHT, layers=(background, group), active=background.id)


def changed(state: DocumentState, chance: random.Random) -> DocumentState:
    """Another state: mostly strokes, sometimes the tree, the selection or the guides."""
    kind = chance.random()
    layer = chance.choice(list(state.rasters()))
    if kind < 0.7:
        side = chance.randrange(5, 200)
        patch = np.full((side, side, 4), [chance.randrange(256) for _ in range(4)], np.uint8)
        raster = layer.raster.written(chance.randrange(WIDTH), chance.randrange(HEIGHT), patch)
        return state.with_node(layer.changed(raster=raster))
    if kind < 0.8:
        return state.with_node(layer.changed(name=str(chance.random()), opacity=chance.random()))
    if kind < 0.85:
        return replace(state, guides=(Guide(vertical=True, position=chance.uniform(0, WIDTH)),))
    if kind < 0.9:
        raster = Raster.filled(50, 50, chance.randrange(256), channels=1)
        return replace(state, selection=Mask(raster=raster, x=chance.randrange(WIDTH)))
    if len(state.layers) >= MOST_LAYERS:
        return state.without([state.layers[chance.randrange(1, len(state.layers))].id])
    return state.inserted([layer.copy(f"Copy {chance.random()}")])


def judge(folder: Path, killed_at: float) -> dict[str, Any]:
    """What a kill left, as a record; "wrong" holds sentences on what must not be."""
    events = list(_events(folder / "journal"))
    digests, wrong = Digests(), list[str]()
    states = [(event, moment, digest) for event, moment, digest in events if event in ("opened", "edit")]
    wrong += [digest for event, _, digest in events if event == "message" and digest.startswith("error")]
    last_of = {digest: index for index, (_, _, digest) in enumerate(states)}
    in_project = _in_project(folder, events, digests, wrong)
    in_recovery, note = _in_recovery(digests, wrong)
    for name, digest in (("project", in_project), ("recovery", in_recovery)):
        if digest and digest not in last_of:
            wrong.append(f"{name} holds a state that never was")
    best = max((last_of.get(digest, -1) for digest in (in_project, in_recovery) if digest), default=-1)
    begun = max((index for index, state in enumerate(states) if state[0] == "opened"), default=0)
    lost = [moment for event, moment, _ in states[max(best, begun) + 1 :] if event == "edit"]
    return {
        "edits": sum(event == "edit" for event, _, _ in states),
        "saves": sum(event == "saved" for event, _, _ in events),
        "recovered": bool(in_recovery),
        "lost_s": max(killed_at - lost[0], 0.0) if lost else 0.0,
        "strays": len(list((folder / "out").iterdir())) - project(folder).exists(),
        "recovery_bytes": sum(p.stat().st_size for p in recovery_folder().rglob("*") if p.is_file()),
        "note": note,
        "wrong": wrong,
    }


def _in_project(folder: Path, events: Sequence[Event], digests: Digests, wrong: list[str]) -> str:
    """The digest of the project file: one that was saved, and none before the last finished save."""
    path = project(folder)
    finished = [digest for event, _, digest in events if event == "saved"]
    if not path.exists():
        if finished:
            wrong.append("the project is gone")
        return ""
    opened = files.open_file(path)
    if opened.notes:
        wrong.append(f"the project opens with notes: {opened.notes}")
    digest = digests.of(opened.state)
    requests = [digest for event, _, digest in events if event == "save"]
    if digest not in requests:
        wrong.append("the project holds a state that was never saved")
    elif finished:
        last = len(requests) - 1 - requests[::-1].index(finished[-1])
        if digest not in requests[last:]:
            wrong.append("the project is older than the last save that was reported done")
    return digest


def _in_recovery(digests: Digests, wrong: list[str]) -> tuple[str, str]:
    """The digest of the newest leftover, and how many there are."""
    found = find(recovery_folder(), PLENTY)
    try:
        wrong += found.problems
        if (recovery_folder() / DAMAGED).exists():
            wrong.append("something was set aside as damaged")
        if not found.leftovers:
            return "", "0"
        snapshot, notes = found.leftovers[0].store.load()
        wrong += notes
        return digests.of(snapshot.state), str(len(found.leftovers))
    finally:
        for instance in found.instances:
            instance.end()


def _events(path: Path) -> Iterator[Event]:
    """The journal's whole lines."""
    if not path.exists():
        return
    for line in path.read_bytes().split(b"\n")[:-1]:
        event, moment, digest = line.decode().split("\t", 2)
        yield event, float(moment), digest
