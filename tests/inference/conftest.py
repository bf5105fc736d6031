"""Tiny models, made once for all tests of inference."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of the tiny models by name."""
    from tests.helpers.tiny_models import save_tiny_models

    return save_tiny_models(tmp_path_factory.mktemp("tiny-models"))


@pytest.fixture(scope="session")
def tiny_backbones(tiny_folders: dict[str, Path]) -> dict[str, object]:
    """The tiny models, loaded; tests leave them as they are."""
    from inference.models import Catalogue
    from inference.weights.loading import load_backbone

    catalogue = Catalogue(Path("unused"), built_in=next(iter(tiny_folders.values())).parent)
    return {name: load_backbone(catalogue.find(name), device="cpu") for name in tiny_folders}
