"""Batches as they run: what is refused, what comes out, stopped and gone on with, several at once."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
from PIL import Image

from editor.batch.leases import FOLDER, Leases
from editor.batch.manifest import Manifest
from editor.batch.plan import Selection, make_plan
from editor.batch.running import State
from editor.formats.files import open_file
from inference.errors import EditorError
from tests.editor.batch.pictures import (
    REDRAW,
    WARMER,
    Inverter,
    batch,
    damage,
    folder_of,
    picture,
    recipe,
    results,
)


def lines(target: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (target / "manifest.jsonl").read_bytes().splitlines()]


class TestBefore:
    """What is said before anything is computed."""

    def refused(self, source: Path, target: Path, **keywords: Any) -> str:
        with pytest.raises(EditorError) as caught:
            batch(source, target, **keywords)
        return str(caught.value)

    def test_folders_that_cannot_be(self, tmp_path: Path) -> None:
        source = folder_of(tmp_path / "in")
        (tmp_path / "empty").mkdir()
        (tmp_path / "file").write_text("x")
        (tmp_path / "link").symlink_to(source)
        assert "no folder" in self.refused(tmp_path / "nowhere", tmp_path / "out")
        assert "no pictures" in self.refused(tmp_path / "empty", tmp_path / "out")
        assert "itself" in self.refused(source, source)
        assert "itself" in self.refused(source, tmp_path / "link")
        assert "inside" in self.refused(source, tmp_path)
        assert "inside" in self.refused(source, source / "out")
        assert "no folder" in self.refused(source, tmp_path / "file")
        assert not (tmp_path / "out").exists()

    def test_a_folder_of_results_that_leads_to_the_originals(self, tmp_path: Path) -> None:
        source, target = folder_of(tmp_path / "in"), tmp_path / "out"
        folder_of(source / "walk")
        target.mkdir()
        (target / "walk").symlink_to(source / "walk")
        before = results(source)
        both = Selection(recursive=True)
        assert "inside" in self.refused(source, target, selection=both, overwrite=True)
        assert results(source) == before
        assert batch(source, target).run().is_complete

    def test_two_files_of_one_name(self, tmp_path: Path) -> None:
        source = folder_of(tmp_path / "in")
        picture(9).save(source / "000.JPG")
        batch(source, tmp_path / "own formats")
        look = recipe(export={"format": "png"})
        assert "“000.JPG” and “000.png”" in self.refused(source, tmp_path / "out", look=look)
        assert make_plan(source, tmp_path / "out", look, pattern="{name}-{original}")

    @pytest.mark.parametrize("pattern", ["{date}", "a/b", "{name", "", "..", "x}"])
    def test_patterns(self, pattern: str, tmp_path: Path) -> None:
        source = folder_of(tmp_path / "in")
        assert "pattern" in self.refused(source, tmp_path / "out", pattern=pattern)

    def test_something_in_the_way(self, tmp_path: Path) -> None:
        source, target = folder_of(tmp_path / "in"), tmp_path / "out"
        target.mkdir()
        (target / "001.jpg").write_text("mine")
        assert "001.jpg" in self.refused(source, target)
        assert (target / "001.jpg").read_text() == "mine"
        assert not (target / "manifest.jsonl").exists()
        assert batch(source, target, overwrite=True).run().is_complete
        assert (target / "001.jpg").read_bytes()[:3] == b"\xff\xd8\xff"

    def test_another_recipe_names_both(self, tmp_path: Path) -> None:
        source, target = folder_of(tmp_path / "in"), tmp_path / "out"
        batch(source, target).run()
        said = self.refused(source, target, look=recipe(REDRAW, name="Painted"))
        assert "Look" in said
        assert "Painted" in said
        assert "names" in self.refused(source, target, pattern="{name}-x")


class TestResults:
    def test_names_as_long_as_names_can_be(self, tmp_path: Path) -> None:
        source, target = folder_of(tmp_path / "in", 1), tmp_path / "out"
        longest = "n" * 251 + ".png"
        picture(1).save(source / longest)
        assert batch(source, target).run().is_complete
        assert (target / longest).exists()

    def test_what_is_no_longer_true_is_not_done(self, tmp_path: Path) -> None:
        source, target = folder_of(tmp_path / "in", 3), tmp_path / "out"
        batch(source, target).run()
        picture(9).save(source / "000.png")
        (target / FOLDER).write_text("in the way")
        summary = batch(source, target).run()
        assert (summary.done, summary.left, summary.is_complete) == (2, 1, False)
        assert summary.problem is not None
        (target / FOLDER).unlink()
        run = batch(source, target)
        assert run.summary().done == 2
        summary = run.run()
        assert (summary.made_here, summary.is_complete) == (1, True)

    def test_every_file_is_done_and_the_bad_ones_are_told(self, tmp_path: Path) -> None:
        source, target = folder_of(tmp_path / "in", 8), tmp_path / "out"
        damage(source / "bad.png")
        (source / "gone.jpg").symlink_to("nowhere")
        (source / "notes.txt").write_text("no picture")
        (source / ".hidden.png").write_bytes(b"x")
        seen: list[Any] = []
        summary = batch(source, target, on_event=seen.append, cores=2).run()
        assert (summary.total, summary.done, summary.failed) == (10, 8, 2)
        assert {line.path.name for line in summary.failures} == {"bad.png", "gone.jpg"}
        assert all(line.error is not None and line.error[1] for line in summary.failures)
        assert set(results(target)) == {
            f"{n:03}.{e}" for n, e in enumerate(["png", "jpg", "tif", "webp"] * 2)
        }
        assert sum(event.state is State.DONE for event in seen) == 8
        for number in (0, 2):
            path = f"{number:03}.{('png', 'jpg', 'tif', 'webp')[number % 4]}"
            before, after = np.asarray(Image.open(source / path)), np.asarray(Image.open(target / path))
            assert after[..., 0].mean() > before[..., 0].mean() > after[..., 2].mean()

    def test_names_that_are_no_text(self, tmp_path: Path) -> None:
        source, target = folder_of(tmp_path / "in", 1), tmp_path / "out"
        odd = os.fsdecode(b"caf\xe9.png")
        for name in (odd, "日本 語.png", "a\nb.png", "{name}.png"):
            picture(1).save(source / name, "PNG")
        summary = batch(source, target).run()
        assert summary.is_complete
        assert (target / odd).exists()
        again = batch(source, target)
        assert again.run().made_here == 0
        assert PurePosixPath(odd) in again.manifest.lines
        (target / "manifest.jsonl").read_bytes().decode()  # is text in spite of it

    def test_metadata_profile_and_depth_survive(self, tmp_path: Path) -> None:
        from editor.colour.conversion import built_in_profile

        source, target = folder_of(tmp_path / "in", 0), tmp_path / "out"
        exif = Image.Exif()
        exif[0x010F] = "Camera"
        profile = built_in_profile("display-p3")
        picture(1).save(source / "photo.jpg", exif=exif, icc_profile=profile, quality=95)
        deep = (np.arange(24 * 16, dtype=np.uint16) * 160).reshape(16, 24)
        Image.fromarray(deep).save(source / "deep.png")
        assert batch(source, target, recipe(WARMER, REDRAW)).run().is_complete
        with Image.open(target / "photo.jpg") as photo:
            assert photo.getexif()[0x010F] == "Camera"
            assert photo.info["icc_profile"] == profile
        assert b"compositeWithTrainedAlgorithmicMedia" in (target / "photo.jpg").read_bytes()
        found = open_file(target / "deep.png").state
        assert found.depth == 16
        assert len(np.unique(found.layers[0].raster.array()[..., 0])) > 300  # type: ignore[union-attr]

    def test_sub_folders_and_patterns_of_files(self, tmp_path: Path) -> None:
        source, target = folder_of(tmp_path / "in", 2), tmp_path / "out"
        (source / "day 2").mkdir()
        picture(5).save(source / "day 2" / "000.png")
        chosen = Selection(recursive=True, without=("*.jpg",))
        assert batch(source, target, selection=chosen).run().is_complete
        assert set(results(target)) == {"000.png", "day 2/000.png"}
        only = Selection(recursive=True, only=("day*/*",))
        assert [str(i.path) for i in make_plan(source, target, recipe(), only).items] == ["day 2/000.png"]

    def test_a_seed_from_the_path_reaches_the_model(self, tmp_path: Path) -> None:
        source = folder_of(tmp_path / "in", 3)
        look, model = recipe(REDRAW, seed="path"), Inverter()
        run = batch(source, tmp_path / "out", look, model, model_hash="h")
        summary = run.run()
        assert sorted(r.parameters.seed for r in model.requests) == sorted(  # type: ignore[attr-defined]
            look.seed_of(item.path) for item in run.plan.items
        )
        assert {r.model_hash for r in model.requests} == {"h"}
        assert summary.evaluations == 6
        assert {line["seed"] for line in lines(tmp_path / "out")[1:]} == {i.seed for i in run.plan.items}


class TestGoingOn:
    def test_nothing_is_done_twice(self, tmp_path: Path) -> None:
        source, target = folder_of(tmp_path / "in"), tmp_path / "out"
        first = batch(source, target, recipe(REDRAW), model := Inverter()).run()
        assert (first.made_here, len(model.requests)) == (6, 6)
        again = batch(source, target, recipe(REDRAW), model).run()
        assert (again.made_here, again.done, len(model.requests)) == (0, 6, 6)

    def test_what_is_missing_changed_or_new_is_done(self, tmp_path: Path) -> None:
        source, target = folder_of(tmp_path / "in"), tmp_path / "out"
        batch(source, target).run()
        (target / "000.png").unlink()
        picture(77).save(source / "001.jpg")
        picture(78).save(source / "new.png")
        os.utime(source / "002.tif")  # touched, not changed
        model = Inverter()
        found = batch(source, target, None, model).run()
        assert (found.made_here, found.total) == (3, 7)
        assert found.is_complete

    def test_failed_files_are_tried_again_when_asked(self, tmp_path: Path) -> None:
        source, target = folder_of(tmp_path / "in", 2), tmp_path / "out"
        damage(source / "bad.png")
        assert batch(source, target).run().failed == 1
        picture(3).save(source / "bad.png")
        assert batch(source, target).run().failed == 1
        assert batch(source, target, retry_failed=True).run().is_complete

    def test_a_broken_last_line_is_dropped(self, tmp_path: Path) -> None:
        source, target = folder_of(tmp_path / "in"), tmp_path / "out"
        batch(source, target).run()
        whole = results(target)
        manifest = target / "manifest.jsonl"
        data = manifest.read_bytes()
        for cut in (len(data) - 1, len(data) - 40):
            manifest.write_bytes(data[:cut])
            found = batch(source, target).run()
            assert (found.made_here, found.done) == (1, 6)
            assert results(target) == whole
            assert len([json.loads(line) for line in manifest.read_bytes().splitlines()]) == 7

    def test_what_lies_in_the_place_of_a_new_file_is_not_replaced(self, tmp_path: Path) -> None:
        source, target = folder_of(tmp_path / "in"), tmp_path / "out"
        batch(source, target).run()
        picture(9).save(source / "new.png")
        (target / "new.png").write_text("mine")
        found = batch(source, target).run()
        assert (found.done, found.failed) == (6, 1)
        assert (target / "new.png").read_text() == "mine"
        assert batch(source, target, overwrite=True, retry_failed=True).run().is_complete

    def test_damaged_manifests(self, tmp_path: Path) -> None:
        source, target = folder_of(tmp_path / "in"), tmp_path / "out"
        batch(source, target).run()
        manifest = target / "manifest.jsonl"
        good = manifest.read_bytes().splitlines(keepends=True)
        manifest.write_bytes(good[0] + b'{"path": 3}\n[]\n\xff\n' + b"".join(good[1:]))
        run = batch(source, target)
        assert run.manifest.dropped == 3
        assert run.run().made_here == 0
        manifest.write_bytes(b"something else\n")
        with pytest.raises(EditorError, match="no manifest"):
            batch(source, target)
        assert manifest.read_bytes() == b"something else\n"

    def test_a_stop_leaves_what_is_done_and_nothing_else(self, tmp_path: Path) -> None:
        source, target = folder_of(tmp_path / "in"), tmp_path / "out"
        holder: list[Any] = []

        def stop_after_two(event: Any) -> None:
            if event.state is State.DONE and holder[0].summary().done == 2:
                holder[0].stop()

        holder.append(batch(source, target, on_event=stop_after_two))
        found = holder[0].run()
        assert (found.stopped, found.done) == (True, 2)
        assert len(results(target)) == 2
        assert batch(source, target).run().is_complete

    def test_a_pause_begins_nothing(self, tmp_path: Path) -> None:
        source, target = folder_of(tmp_path / "in"), tmp_path / "out"
        run = batch(source, target)
        run.pause(True)
        thread = threading.Thread(target=run.run)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        assert run.summary().done == 0
        run.pause(False)
        thread.join(20)
        assert run.summary().is_complete


class TestTrouble:
    """What is no file's fault stops the batch with a sentence; when it is mended it goes on."""

    def test_a_full_disk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        source, target = folder_of(tmp_path / "in"), tmp_path / "out"
        writes = 0

        def sync(descriptor: int) -> None:
            nonlocal writes
            writes += 1
            if writes > 12:
                raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", sync)
        found = batch(source, target).run()
        monkeypatch.undo()
        assert found.problem is not None
        assert "no space" in str(found.problem)
        assert 0 < found.done < 6
        assert found.failed == 0
        assert batch(source, target).run().is_complete
        assert len(results(target)) == 6

    def test_a_vanished_source(self, tmp_path: Path) -> None:
        source, target = folder_of(tmp_path / "in"), tmp_path / "out"
        run = batch(source, target)
        source.rename(tmp_path / "away")
        found = run.run()
        assert found.problem is not None
        assert "is gone" in str(found.problem)
        assert found.failed == 0
        (tmp_path / "away").rename(source)
        assert batch(source, target).run().is_complete

    def test_a_vanished_target(self, tmp_path: Path) -> None:
        source, target = folder_of(tmp_path / "in"), tmp_path / "out"
        run = batch(source, target)
        target.rename(tmp_path / "away")
        target.write_text("in the way")
        found = run.run()
        assert found.problem is not None
        target.unlink()
        (tmp_path / "away").rename(target)
        assert batch(source, target).run().is_complete

    def test_a_defect_costs_one_file(self, tmp_path: Path) -> None:
        source, target = folder_of(tmp_path / "in"), tmp_path / "out"

        def broken(request: Any, contents: Any) -> Any:
            raise ZeroDivisionError("a bug")

        found = batch(source, target, recipe(REDRAW), broken).run()
        assert (found.failed, found.problem) == (6, None)
        assert found.failures[0].error is not None
        assert found.failures[0].error[0] == "ZeroDivisionError"


class TestSeveral:
    def test_runs_at_once_share_the_work(self, tmp_path: Path) -> None:
        source, target = folder_of(tmp_path / "in", 12), tmp_path / "out"
        models = [Inverter(), Inverter(), Inverter()]
        runs = [batch(source, target, recipe(REDRAW), model) for model in models]
        threads = [threading.Thread(target=run.run) for run in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        paths = [line["path"] for line in lines(target)[1:]]
        assert sorted(paths) == sorted(set(paths))
        assert len(paths) == 12
        assert sum(len(model.requests) for model in models) == 12
        alone = tmp_path / "alone"
        batch(source, alone, recipe(REDRAW)).run()
        assert results(target) == results(alone)

    @pytest.mark.parametrize("content", [None, b"", b'{"host": "her'])
    def test_what_a_kill_at_the_very_start_leaves_is_tidied_up(
        self, content: bytes | None, tmp_path: Path
    ) -> None:
        source, target = folder_of(tmp_path / "in", 2), tmp_path / "out"
        begun = target / FOLDER / "0123456789abcdef.worker"
        run = batch(source, target)
        begun.mkdir(parents=True)
        if content is not None:
            (begun / "lock").write_bytes(content)
        assert run.run().is_complete
        assert not (target / FOLDER).exists()

    def test_a_lease_of_another_machine_runs_out(self, tmp_path: Path) -> None:
        source, target = folder_of(tmp_path / "in", 2), tmp_path / "out"
        batch(source, target).run()
        (target / "000.png").unlink()
        elsewhere = Leases(target, Manifest(target).locked, host="elsewhere")
        elsewhere.begin()
        lease = elsewhere.take(PurePosixPath("000.png"))
        assert lease is not None
        mine = Leases(target, Manifest(target).locked)
        mine.begin()
        assert mine.take(PurePosixPath("000.png")) is None
        past = lease.file.stat().st_mtime - 1000
        os.utime(lease.file, (past, past))
        taken = mine.take(PurePosixPath("000.png"))
        assert taken is not None
        assert taken.again
        assert not elsewhere.holds(lease)
        elsewhere.give_back(lease)  # is not its own any more
        assert mine.holds(taken)
        mine.give_back(taken)
        elsewhere.close(finished=True)
        mine.close(finished=True)
        assert not (target / FOLDER).exists()
