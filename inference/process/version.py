"""Which Attune this is."""

from importlib import metadata


def version() -> str:
    """Attune's version; "0.0.0" where it is not installed."""
    try:
        return metadata.version("attune")
    except metadata.PackageNotFoundError:
        return "0.0.0"
