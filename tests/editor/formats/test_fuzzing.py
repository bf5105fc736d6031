"""A slice of the fuzzing that `tests.benchmarks.fuzzing` does at length."""

from collections import Counter
from pathlib import Path

import pytest

from editor.formats.files import open_file
from tests.benchmarks.fuzzing import GOOD, run
from tests.helpers.corpus import corpus


def test_sound_files_of_every_format_open(tmp_path: Path) -> None:
    for name, files in corpus().items():
        if not files:
            assert name == "heif"  # its library is optional
        for index, data in enumerate(files):
            path = tmp_path / f"{name}{index}"
            path.write_bytes(data)
            assert open_file(path).state.layers, path.name


@pytest.mark.parametrize("seed", [11, 12])
def test_damaged_files_are_errors_for_people_or_documents(tmp_path: Path, seed: int) -> None:
    counts: Counter[str] = Counter()
    for name, _, outcome in run(180, seed, 1, tmp_path):
        assert outcome.kind in GOOD, f"{name}: {outcome.kind}: {outcome.details}"
        counts[outcome.kind] += 1
    assert min(counts["document"], counts["error"]) > 20  # both happen
    assert list(tmp_path.iterdir()) == []
