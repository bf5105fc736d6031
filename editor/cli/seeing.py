"""`attune see`: what a model sees in a picture, by place and step, as one picture."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from editor.cli.operations import check_folder, costs, runner_of
from editor.cli.output import ProgressPrinter, print_json, say
from editor.formats import format_for_writing
from editor.formats.files import ExportOptions, export_picture
from editor.generating.contents import read_content
from editor.generating.seen import seen_pictures, sheet
from editor.layers.layer import Layer
from editor.layers.state import DocumentState, SourceMetadata
from editor.pixels.arithmetic import to_rgba
from editor.system.errors import DONE
from inference.content import Picture, content_hash
from inference.operations import See
from inference.progress import Progress
from inference.request import Request


def see(arguments: argparse.Namespace) -> int:
    """One picture: places of the network down, steps of the run across."""
    started, path = time.perf_counter(), arguments.output
    assert isinstance(path, Path), "the parser makes it"
    check_folder(path)
    format_for_writing(path)
    picture = read_content(Picture, arguments.image)
    name = content_hash(picture)
    given: dict[str, Any] = {"image": Picture(name), "prompt": arguments.prompt, "seed": arguments.seed}
    left_open = {"looks": arguments.looks, "steps": arguments.steps}
    parameters = See(**given, **{item: value for item, value in left_open.items() if value is not None})
    printer = ProgressPrinter(quiet=arguments.json)
    try:
        request = Request(operation="see", parameters=parameters, model=arguments.model)
        result = runner_of(arguments).run(request, {name: picture}, Progress(printer))
    finally:
        printer.close()
    seen = seen_pictures(result.maps)
    layer = Layer.of_pixels(to_rgba(sheet(seen)), name="seen")
    export_picture(DocumentState.of_layer(layer), SourceMetadata(), path, ExportOptions())
    seconds = time.perf_counter() - started
    if arguments.json:
        places = list(dict.fromkeys(place for pictures in seen.values() for place in pictures))
        found = {"steps": list(seen), "places": places, "outputs": [str(path.absolute())]}
        print_json(
            {"parameters": result.request.parameters.to_json(), **found, **costs(result.measured, seconds)}
        )
    else:
        say(f"{path}  ({seconds:.1f} s)")
    return DONE
