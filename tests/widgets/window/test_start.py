"""The window comes up without what it does not need."""

from pathlib import Path

from tests.benchmarks.start import OURS, environment_of, measured


def test_the_window_starts_without_heavy_modules(tmp_path: Path) -> None:
    """Neither torch, nor what opens and edits pictures: loaded when they are first used."""
    assert measured(OURS, environment_of(tmp_path, "offscreen"))["heavy"] == []
