"""A thousand broken downloads: each ends in the right files or in a sentence, never in half a model.

    python -m tests.benchmarks.broken_downloads --count 1000

Each draws its own faults: cut, corrupted, redirected, slowed, refused, answered with a page, with other bytes
than asked, with more than there is. Everything stays on 127.0.0.1.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from huggingface_hub import try_to_load_from_cache

from inference.downloads import transfer
from inference.downloads.connection import Connection
from inference.downloads.download import download
from inference.errors import EditorError
from tests.helpers.breaking_hub import Fault, Hub, breaking_hub

ID = "someone/small"
PARTS = {
    "unet/diffusion_pytorch_model.safetensors": 60_000,
    "vae/diffusion_pytorch_model.safetensors": 20_000,
    "text_encoder/model.safetensors": 30_000,
}
SMALL = (
    "unet/config.json", "vae/config.json", "text_encoder/config.json", "scheduler/scheduler_config.json",
    "tokenizer/vocab.json", "tokenizer/merges.txt",
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    transfer._FIRST_WAIT_S = 0.0
    ends: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    wrong = 0
    started = time.monotonic()
    with breaking_hub() as hub, breaking_hub() as elsewhere, tempfile.TemporaryDirectory() as folder:
        for number in range(arguments.count):
            chance = random.Random(arguments.seed * 1_000_003 + number)
            hub.files[ID] = elsewhere.files[ID] = _files(chance)
            hub.faults = [_fault(chance, elsewhere) for _ in range(chance.choice((1, 2, 4, 8, 16)))]
            hub.always = Fault("slow", at=20_000) if chance.random() < 0.05 else None
            hub.lies = {next(iter(PARTS)): "0" * 64} if chance.random() < 0.1 else {}
            kinds.update(fault.kind for fault in hub.faults)
            cache = Path(folder) / str(number)
            end, right = _one(hub, cache, chance)
            ends[end] += 1
            wrong += not right
            if number % 100 == 99:
                print(f"{number + 1}: {wrong} ended wrong, {dict(ends)}", flush=True)
    print(f"{arguments.count} downloads in {time.monotonic() - started:.0f} s, {sum(kinds.values())} faults")
    for name, count in (*kinds.most_common(), *ends.most_common()):
        print(f"{count:6} {name}")
    print(f"{wrong} ended wrong")
    return 1 if wrong else 0


def _one(hub: Hub, cache: Path, chance: random.Random) -> tuple[str, bool]:
    """How it ended, and whether that is right. Some are started a second time, without faults."""
    connection = Connection(endpoint=hub.address, timeout_s=2.0)
    end = ""
    for attempt in range(2):
        try:
            download(ID, connection=connection, cache=cache)
        except EditorError as error:
            end = f"said: {error.sentence.text}"
            if _shown(cache) is not None:  # a half model would be found
                return f"HALF A MODEL: {end}", False
            if attempt == 0 and not hub.lies and chance.random() < 0.5:
                hub.faults, hub.always = [], None
                continue
            return end, bool(str(error.advice))
        else:
            shown = _shown(cache)
            right = shown is not None and all(
                (shown / name).read_bytes() == content for name, content in hub.files[ID].items()
            )
            return ("right at once" if not end else "right the second time") if right else "WRONG", right
    return end, True


def _shown(cache: Path) -> Path | None:
    found = try_to_load_from_cache(ID, "model_index.json", cache_dir=cache)
    return Path(found).parent if isinstance(found, str) else None


def _files(chance: random.Random) -> dict[str, bytes]:
    files = {name: chance.randbytes(chance.randrange(1, size)) for name, size in PARTS.items()}
    files |= {name: chance.randbytes(chance.randrange(0, 2000)) for name in SMALL}
    files["model_index.json"] = (
        b'{"_class_name": "StableDiffusionPipeline", "number": %d}' % chance.randrange(10**9)
    )
    return files


def _fault(chance: random.Random, elsewhere: Hub) -> Fault:
    kind = chance.choice(
        (
            "",
            "cut",
            "cut",
            "cut",
            "corrupt",
            "redirect",
            "no-range",
            "wrong-range",
            "long",
            "page",
            "status",
            "slow",
        )
    )
    return Fault(
        kind,
        at=chance.choice((0, 1, 100, 5000, 20_000)) if kind != "slow" else 5000,
        code=chance.choice((429, 500, 502, 503, 504, 403, 404)),
        to=elsewhere.address,
    )


if __name__ == "__main__":
    sys.exit(main())
