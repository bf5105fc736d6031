"""The command line: arguments are made from the declarations of the operations.

What each command does is in the modules beside this one.

Importing this module loads neither Qt, torch nor NumPy, so that the window opens quickly.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from editor.cli.boundary import WrongArgumentsError
from editor.cli.output import write
from inference.kinds import Argument, kind_of
from inference.methods.gsn.procedures import METHODS
from inference.operations import INVERSIONS, OPERATIONS, Operation
from inference.parameters import ParameterField
from inference.process.hub import stay_offline
from inference.weights.modes import STORAGES, MemoryMode

DEFAULT_MODEL = "mini-sdxl"
DEVICES = ("auto", "cpu", "cuda", "mps")
ORIGINAL = "original"
"""In place of a quality: that of the JPEG that is opened."""
_QUALITY_HELP = f"1 to 100, default: 92; {ORIGINAL}: as the JPEG that is opened was encoded"
DTYPES = ("auto", "float32", "bfloat16", "float16")
MEMORY_MODES = ("auto", *(mode.value for mode in MemoryMode))


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, and where to read more."""

    def error(self, message: str) -> NoReturn:
        raise WrongArgumentsError(self.prog, message)

    def _print_message(self, message: str, file: Any = None) -> None:
        # Pythons differ in what they do where help cannot be written; of a closed output `file` is None
        if file is sys.stderr:
            super()._print_message(message, file)
        else:
            write(message)


def make_parser(**keywords: Any) -> argparse.ArgumentParser:
    return Parser(allow_abbrev=False, **keywords)


def is_command(arguments: Sequence[str]) -> bool:
    """Whether these arguments are for the command line, not for the window."""
    return bool(arguments) and arguments[0] in COMMANDS


def main(arguments: Sequence[str]) -> int:
    """Run one command; its exit status.

    Raises:
        EditorError: the arguments are wrong, or the command failed in a way that can be told.
    """
    parsed = build_parser().parse_args(arguments)
    if parsed.function != "library:add_model":  # only there the user asks for a download
        stay_offline()
    return _resolved(parsed.function)(parsed)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = make_parser(prog="attune", description="Pictures with sliders for meaning.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for operation in _operations().values():
        _add_operation(commands, operation)
    for add in _OTHERS.values():
        add(commands)
    return parser


def _operations() -> dict[str, Operation]:
    """The operations that are commands."""
    return {name: operation for name, operation in OPERATIONS.items() if operation.interactive}


def flag(item: ParameterField) -> str:
    """The flag of a parameter: guidance_scale → --guidance-scale."""
    return item.declaration.flag or "--" + item.name.replace("_", "-")


def _add_operation(commands: Any, operation: Operation) -> None:
    function = "artifacts:make_artifact" if operation.artifact else "operations:run_operation"
    parser = _command(commands, operation.name, operation.label, function)
    for declared in operation.parameters.declared():
        if not declared.declaration.hidden:
            _add_parameter(parser, declared, "the preset's" if operation.artifact else "the model's own")
    if any(declared.name == "loras" for declared in operation.parameters.declared()):
        parser.add_argument(
            "--lora",
            action="append",
            default=[],
            metavar="NAME:STRENGTH",
            help="one that `attune loras list` shows, such as pixel-art:0.8; 1 without a number; repeatable",
        )
    if operation.name == "attribute":
        parser.add_argument("--image", type=Path, metavar="IN", help="a picture to edit, as “edit” does")
    if operation.name in ("attribute", "edit"):
        _add_attribute_flags(parser)
    if operation.name == "refine":
        parser.add_argument(
            "--subjects",
            nargs="+",
            default=[],
            metavar="WORDS",
            help='phrases of the prompt that have to be seen, such as cat "red car"; man#2 is the second man',
        )
    if operation.artifact:
        if operation.artifact == "delta":
            parser.formatter_class = argparse.RawDescriptionHelpFormatter
            parser.epilog = _LEARN_EXAMPLE
        _add_artifact_flags(parser, operation.artifact)
    else:
        parser.add_argument(
            "-o",
            "--output",
            type=Path,
            required=True,
            metavar="OUT",
            help="png, jpeg, webp, tiff, avif or ora file",
        )
    _add_model_flags(parser)
    _add_json(parser)
    parser.set_defaults(operation=operation.name)


def _add_artifact_flags(parser: argparse.ArgumentParser, artifact: str) -> None:
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar=f"{artifact.upper()}.safetensors",
        help="default: the user's own library, where the window finds it",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on where the same command was stopped or ended"
    )


def _add_attribute_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        dest="edits",
        action="append",
        required=True,
        metavar="SUBJECT:ATTRIBUTE=VALUE",
        help="such as man:age=1.5; SUBJECT is a phrase of the prompt, man#2 the second man in it; repeatable",
    )


def _add_parameter(parser: argparse.ArgumentParser, declared: ParameterField, left_open: str) -> None:
    """One flag; `left_open` is whose value is taken where an optional one is not given."""
    about = declared.declaration
    text = about.help or about.label
    if about.min is not None or about.max is not None:
        text += f" ({_bound(about.min)} to {_bound(about.max)})"
    kind = kind_of(declared)
    if declared.optional:  # where there is no file, no model has one either
        text += "" if kind.argument in (Argument.FILE, Argument.FILES) else f", default: {left_open}"
    elif not declared.required and declared.default not in ("", ()):
        text += f", default: {declared.default}"
    keywords: dict[str, Any] = {"dest": declared.name, "default": None, "help": text.replace("%", "%%")}
    if kind.argument is Argument.SWITCH:
        parser.add_argument(flag(declared), action=argparse.BooleanOptionalAction, **keywords)
        return
    keywords["required"] = declared.required or (declared.name == "prompt" and not about.may_be_empty)
    if about.choices:
        keywords["choices"] = about.choices
    else:
        keywords["metavar"] = kind.metavar
    if kind.argument is Argument.FILES:
        keywords |= {"nargs": "+", "action": "extend"}
    keywords["type"] = declared.type if kind.argument is Argument.VALUE else Path
    parser.add_argument(flag(declared), **keywords)


def _bound(value: float | None) -> str:
    if value is None:
        return "any"
    return str(int(value)) if value == int(value) else f"{value:g}"


def _add_convert(commands: Any) -> None:
    from editor.document.export_options import ExportOptions  # with NumPy, which the window's start waits for

    parser = _command(
        commands, "convert", "Write pictures in another format, size or depth", "convert:convert"
    )
    parser.add_argument("inputs", nargs="+", type=Path, metavar="IN", help="pictures or projects")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT", help="a file, or a folder for several"
    )
    for declared in ExportOptions.declared():
        if declared.name == "quality":
            parser.add_argument("--quality", type=_quality, metavar=f"N|{ORIGINAL}", help=_QUALITY_HELP)
        elif declared.name != "like_original":  # a word for the quality
            _add_parameter(parser, declared, "the picture's own")
    parser.add_argument("--overwrite", action="store_true", help="even if OUT is IN itself")
    _add_json(parser)


def _quality(text: str) -> int | str:
    return text if text == ORIGINAL else int(text)


def _add_deltas(commands: Any) -> None:
    parser = _command(commands, "deltas", "List, import, export and delete attribute deltas")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = _command(actions, "list", "What attributes there are", "library:list_deltas")
    listing.add_argument("--model", metavar="NAME|PATH|HUB-ID", help="only those that this model can use")
    _add_json(listing)
    importing = _command(actions, "import", "Add published deltas", "library:import_deltas")
    importing.add_argument("files", nargs="+", type=Path, metavar="FILE", help=".pt or .safetensors")
    _add_json(importing)
    exporting = _command(actions, "export", "Write a delta to a file", "library:export_delta")
    exporting.add_argument("name", metavar="NAME", help="a key that `attune deltas list` shows")
    exporting.add_argument(
        "-o", "--output", type=Path, metavar="DELTA.safetensors", help="default: NAME.safetensors"
    )
    _add_json(exporting)
    removing = _command(actions, "remove", "Delete a delta of your own", "library:remove_delta")
    removing.add_argument("name", metavar="NAME", help="a key that `attune deltas list` shows")
    _add_json(removing)
    _add_compare(actions)


def _add_compare(actions: Any) -> None:
    parser = _command(actions, "compare", "Compare deltas on a sheet", "comparing:compare")
    parser.add_argument(
        "deltas", nargs="+", metavar="DELTA", help="files, or names that `attune deltas list` shows"
    )
    parser.add_argument(
        "--prompt", action="append", required=True, metavar="TEXT", help="with the subject in it; repeatable"
    )
    parser.add_argument("--subject", required=True, metavar="WORDS", help="a phrase of every prompt")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], metavar="N", help="default: 0")
    parser.add_argument(
        "--scales", nargs="+", type=float, metavar="A", help="positions; default: -2 -1 0 1 2"
    )
    parser.add_argument(
        "--only-subject",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="keep everything else as it is, default: no, to see what a delta does to it",
    )
    parser.add_argument("--steps", type=int, metavar="N", help="of each run; default: the model's own")
    parser.add_argument(
        "--attribute", metavar="NAME", help="read it with the built-in detector as well, such as age"
    )
    parser.add_argument(
        "--definition",
        type=Path,
        metavar="FILE.toml",
        help="tell as well what each misses of what these words do, at points that nothing learns from",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="SHEET.png", help="default: no sheet")
    _add_model_flags(parser)
    _add_json(parser)


def _add_concepts(commands: Any) -> None:
    parser = _command(commands, "concepts", "List, import, export and remove learnt words")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    _add_json(_command(actions, "list", "What concepts there are", "library:list_concepts"))
    importing = _command(actions, "import", "Add textual inversions", "library:import_concepts")
    importing.add_argument("files", nargs="+", type=Path, metavar="FILE", help=".safetensors")
    importing.add_argument("--token", default="", metavar="TEXT", help="the word; default: as the file says")
    _add_json(importing)
    exporting = _command(actions, "export", "Write a concept to a file", "library:export_concept")
    exporting.add_argument("word", metavar="WORD", help="as `attune concepts list` shows it")
    exporting.add_argument(
        "-o", "--output", type=Path, metavar="CONCEPT.safetensors", help="default: called as the word"
    )
    _add_json(exporting)
    removing = _command(actions, "remove", "Delete a concept", "library:remove_concept")
    removing.add_argument("word", metavar="WORD", help="as `attune concepts list` shows it")
    _add_json(removing)


def _add_loras(commands: Any) -> None:
    parser = _command(commands, "loras", "List, add and remove LoRAs, small additions to models")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    _add_json(_command(actions, "list", "What LoRAs there are", "loras:list_loras"))
    adding = _command(actions, "add", "Add LoRAs; the files stay where they are", "loras:add_loras")
    adding.add_argument(
        "files", nargs="+", type=Path, metavar="FILE-OR-FOLDER", help=".safetensors; of a folder all"
    )
    adding.add_argument("--name", default="", metavar="TEXT", help="default: as the file")
    _add_json(adding)
    words = _command(actions, "words", "Say which words a LoRA wants in the prompt", "loras:set_words")
    words.add_argument("name", metavar="NAME", help="as `attune loras list` shows it")
    words.add_argument("words", nargs="*", metavar="WORDS", help="none: it wants none")
    _add_json(words)
    removing = _command(actions, "remove", "Forget a LoRA; its file stays", "loras:remove_lora")
    removing.add_argument("name", metavar="NAME", help="as `attune loras list` shows it")
    _add_json(removing)


def _add_models(commands: Any) -> None:
    parser = _command(commands, "models", "List, add, remove and check models")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    _add_json(_command(actions, "list", "What models there are", "library:list_models"))
    recommended = _command(
        actions, "recommended", "A short list of models to download", "library:recommended_models"
    )
    _add_json(recommended)
    for name, text, metavar in (
        ("add", "Add a model, or all in a folder; a hub id is downloaded", "PATH-OR-HUB-ID"),
        ("download", "Download a model and add it; goes on where it stopped", "OWNER/NAME"),
        ("remove", "Forget a model; its files stay", "NAME"),
        ("check", "Say whether a model is complete", "NAME"),
    ):
        function = "add" if name == "download" else name
        action = _command(actions, name, text, f"library:{function}_model")
        action.add_argument("model", metavar=metavar)
        if function == "add":
            action.add_argument(
                "--token", metavar="TOKEN", help="for models that are open only to some; default: HF_TOKEN"
            )
            action.add_argument(
                "--vae",
                type=Path,
                metavar="FILE-OR-FOLDER",
                help="an autoencoder to use in the place of the model's own",
            )
        _add_json(action)


def _add_evaluate(commands: Any) -> None:
    parser = _command(commands, "evaluate", "Measure a model", "measuring:evaluate")
    parser.add_argument(
        "suite",
        metavar="SUITE",
        help="attribute, concept, insert, leakage, picture, refine, translate or two (attributes at once)",
    )
    parser.add_argument(
        "--json", dest="report", type=Path, required=True, metavar="OUT.json", help="the figures"
    )
    _add_model_flags(parser)
    parser.add_argument(
        "--pairs", type=int, metavar="N", help="prompts and seeds, or subjects; default: the suite's own"
    )
    parser.add_argument(
        "--attributes", nargs="+", default=["age"], metavar="NAME", help="attributes to measure; default: age"
    )
    parser.add_argument(
        "--methods",
        nargs="+",
        metavar="NAME",
        help=f"refine: of {', '.join(METHODS)}; picture: of {', '.join(INVERSIONS)}, and rows that its "
        "summary names; two: generated, real, true; insert: of its rows; concept: directional, plain, and "
        "rows of insert that put the subjects into pictures; default: the main ones",
    )
    parser.add_argument(
        "--part",
        default="1/1",
        metavar="I/N",
        help="measure the I-th of N parts, so that several processes share",
    )
    parser.add_argument(
        "--gather", nargs="+", type=Path, metavar="PART.json", help="go on from the files of all these parts"
    )
    parser.add_argument("--sets", nargs="+", metavar="SET", help="refine: of 2, 3, 2-colours, 3-colours")
    parser.add_argument(
        "--seeds",
        type=int,
        metavar="N",
        help="refine: seeds of each prompt, default 8; concept: pictures each subject is put into, default 2",
    )
    parser.add_argument(
        "--steps", type=int, metavar="N", help="refine: of each run; default: the model's own"
    )
    _add_judges(parser)


def _add_see(commands: Any) -> None:
    parser = _command(commands, "see", "Show what a model sees in a picture, by place and step", "seeing:see")
    parser.add_argument("--image", type=Path, required=True, metavar="IN", help="the picture")
    parser.add_argument("--prompt", default="", metavar="TEXT", help="what it shows; default: nothing")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the noise; default: 0")
    parser.add_argument("--steps", type=int, metavar="N", help="of the run; default: the model's own")
    parser.add_argument("--looks", type=int, metavar="N", help="how many steps to look at; default: 6")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.png", help="the sheet")
    _add_model_flags(parser)
    _add_json(parser)


def _add_choose_step(commands: Any) -> None:
    parser = _command(
        commands, "choose-step", "Find the step a model is best refined at", "measuring:choose_step"
    )
    _add_model_flags(parser)
    parser.add_argument("--method", choices=METHODS, default="ours", help="default: ours")
    parser.add_argument("--steps", type=int, metavar="N", help="of each run; default: the model's own")
    parser.add_argument("--pairs", type=int, metavar="N", help="prompts of each set; default: 10")
    parser.add_argument("--seeds", type=int, metavar="N", help="seeds of each prompt; default: 16")
    parser.add_argument(
        "--sets", nargs="+", metavar="SET", help="of 2, 3, 2-colours, 3-colours; default: 2 3"
    )
    parser.add_argument("--record", type=Path, metavar="FILE.json", help="measurements, to go on from")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="the curve as a picture")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE.json",
        help="where the step is kept; default: for this user",
    )
    _add_detector(parser)
    _add_json(parser)


def _add_batch(commands: Any) -> None:
    parser = _command(commands, "batch", "Edit a folder of pictures by a recipe", "batch:batch")
    parser.add_argument("input", type=Path, metavar="IN-FOLDER", help="the pictures")
    parser.add_argument(
        "--recipe", type=Path, required=True, metavar="RECIPE.json", help="what is done to each"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="OUT-FOLDER",
        help="for the results; the same command goes on where it ended",
    )
    parser.add_argument("--recursive", action="store_true", help="sub-folders as well")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="PATTERN", help='what is taken, such as "*.jpg" or "trip/*"'
    )
    parser.add_argument("--without", nargs="+", default=[], metavar="PATTERN", help="what is not")
    parser.add_argument(
        "--names",
        default="{name}",
        metavar="PATTERN",
        help="names of the results, of {name} {original} {recipe} {seed}; default: {name}",
    )
    parser.add_argument(
        "--format",
        default="",
        metavar="FORMAT",
        help="png, jpeg, webp, tiff or avif; default: the recipe's, or each picture's own",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what is in the results' places")
    parser.add_argument("--retry-failed", action="store_true", help="do again what failed before")
    parser.add_argument("--cores", type=int, metavar="N", help="cores at most; default: all")
    parser.add_argument("--report", type=Path, metavar="FILE.html", help="a page on what came of it")
    parser.add_argument("--sheet", type=Path, metavar="FILE.png", help="small pictures of all results on one")
    parser.add_argument("--on", default="", metavar="ray://ADDRESS", help="a cluster; needs attune[ray]")
    parser.add_argument("--verbose", action="store_true", help="say what could not be kept of each picture")
    parser.add_argument("--device", choices=DEVICES, default="auto", help="default: auto")
    parser.add_argument("--dtype", choices=DTYPES, default="auto", help="default: auto")
    _add_memory_flags(parser)
    _add_json(parser)


def _add_judges(parser: argparse.ArgumentParser) -> None:
    _add_detector(parser)
    parser.add_argument(
        "--dino",
        metavar="PATH|HUB-ID",
        help="translate: a vision transformer for the structure distance; default: the detector's features",
    )
    parser.add_argument(
        "--clip",
        metavar="PATH|HUB-ID",
        help="a CLIP model for the similarity scores; default: the detector's",
    )


def _add_detector(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--detector",
        metavar="PATH|HUB-ID",
        help="a detection model of transformers, for models of photos; default: the built-in world's",
    )


_LEARN_EXAMPLE = """
A definition is a TOML file, such as

    attribute = "age"
    subject = "person"
    label = "Age"
    prefixes = ["{,a photo of,a portrait of} a"]

    [[pairs]]
    target = "man"
    positive = "old man"
    negative = "young man"

Learning from pictures takes the target alone:

    attune learn-delta --definition smile.toml --method picture --images smiling.png
    attune learn-delta --definition beard.toml --method pair --images before.png after.png
"""


def _command(commands: Any, name: str, text: str, function: str = "") -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=f"{text}.", allow_abbrev=False
    )
    if function:
        parser.set_defaults(function=function)
    return parser


def _add_model_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", default=DEFAULT_MODEL, metavar="NAME|PATH|HUB-ID", help=f"default: {DEFAULT_MODEL}"
    )
    parser.add_argument("--device", choices=DEVICES, default="auto", help="default: auto")
    parser.add_argument("--dtype", choices=DTYPES, default="auto", help="default: auto")
    _add_memory_flags(parser)


def _add_memory_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--memory-mode",
        choices=MEMORY_MODES,
        default="auto",
        help="what is on the device at once: all, or one network, block or layer; default: what fits",
    )
    parser.add_argument(
        "--storage",
        choices=STORAGES,
        default="auto",
        help="of weights: exact, or 8 bits; default: 8 bits where memory is short",
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")


def _resolved(function: str) -> Callable[[argparse.Namespace], int]:
    module, _, name = function.partition(":")
    return getattr(import_module(f"editor.cli.{module}"), name)


_OTHERS: dict[str, Callable[[Any], None]] = {
    "convert": _add_convert,
    "batch": _add_batch,
    "deltas": _add_deltas,
    "concepts": _add_concepts,
    "loras": _add_loras,
    "models": _add_models,
    "evaluate": _add_evaluate,
    "see": _add_see,
    "choose-step": _add_choose_step,
}
"""The commands that are no operations."""

COMMANDS = (*_operations(), *_OTHERS)
