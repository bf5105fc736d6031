"""Loading judges that the user has: from a folder on this machine, with no code of theirs and no network."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

from inference.errors import EditorError
from inference.messages import Message
from inference.process.hub import local_folder
from inference.reasons import reason_of

LOCAL: Final[dict[str, Any]] = {"local_files_only": True, "trust_remote_code": False}


def judge_folder(model: str, kind: str | Message) -> str:
    """Where a judge is: a folder, or a hub id that is in the hub's cache.

    Raises:
        EditorError: it is not on this machine.
    """
    folder = local_folder(model)
    if folder is None:
        raise EditorError(
            "“{model}” cannot be used as a {kind} model: it is not on this machine.",
            "Name a folder with a config.json, or a model of the hub that is in its cache.",
            model=model,
            kind=kind,
        )
    return str(folder)


def judge_network(made: Any, folder: str) -> Any:
    """A network of the class `made` with the weights in `folder`, complete.

    Raises:
        EditorError: tensors are missing or of another shape; the library would fill them at random.
    """
    network, found = made.from_pretrained(folder, use_safetensors=True, output_loading_info=True, **LOCAL)
    wrong = sorted(map(str, (*found.get("missing_keys", ()), *found.get("mismatched_keys", ()))))
    if wrong:
        raise EditorError(
            "“{model}” is incomplete: {count} tensors are missing or of another shape, such as {name}.",
            "Copy or download it again.",
            model=folder,
            count=len(wrong),
            name=wrong[0],
        )
    return network


@contextmanager
def refused_as(model: str, kind: str | Message) -> Generator[None]:
    """One boundary for whatever a library meets in a folder that holds something else.

    Raises:
        EditorError: instead of every exception.
    """
    try:
        yield
    except EditorError:
        raise
    except Exception as error:
        raise EditorError(
            "“{model}” cannot be used as a {kind} model: {reason}",
            "Name a folder, or a model of the hub that is on this machine.",
            model=model,
            kind=kind,
            reason=reason_of(error),
        ) from error
