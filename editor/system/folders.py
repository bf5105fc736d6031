"""Where Attune keeps what belongs to the user."""

from pathlib import Path


def config_folder() -> Path:
    """Settings and the list of models (XDG_CONFIG_HOME on Linux)."""
    import platformdirs

    return Path(platformdirs.user_config_dir("attune", appauthor=False))


def data_folder() -> Path:
    """Deltas and concepts (XDG_DATA_HOME on Linux)."""
    import platformdirs

    return Path(platformdirs.user_data_dir("attune", appauthor=False))


def deltas_folder() -> Path:
    return data_folder() / "deltas"


def concepts_folder() -> Path:
    return data_folder() / "concepts"


def cache_folder() -> Path:
    """What can be computed again: encoded pictures, inversions (XDG_CACHE_HOME on Linux)."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("attune", appauthor=False)) / "computed"


def recent_pictures_folder() -> Path:
    """Small pictures of the files that were opened lately (XDG_CACHE_HOME on Linux)."""
    return cache_folder().parent / "recent"


def recovery_folder() -> Path:
    """Unsaved work of running and crashed sessions (XDG_STATE_HOME on Linux)."""
    import platformdirs

    return Path(platformdirs.user_state_dir("attune", appauthor=False)) / "recovery"


def checkpoints_folder() -> Path:
    """Long jobs that are not finished (XDG_STATE_HOME on Linux)."""
    import platformdirs

    return Path(platformdirs.user_state_dir("attune", appauthor=False)) / "checkpoints"
