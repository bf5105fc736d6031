"""Damaging files: bytes, structure and meaning."""

import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence

EXTREMES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 30_000, 65_500)
NUMBERS = ("0", "-1", "1e9", "99999999999999999999", "nan", "inf", "", "1.5", "\u0663", "0x10")
NAMES = (
    "../../evil.png",
    "/tmp/evil.png",
    "data/../../../evil",
    "C:\\evil.png",
    "data/layer000.png",
    "stack.xml",
)
BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(
        f'<!ENTITY {b} "&{a};&{a};&{a};&{a};&{a};&{a};&{a};&{a};">' for a, b in zip("abcdefgh", "bcdefghi")
    )
    + ']><image w="8" h="8"><stack name="&i;"/></image>'
)


def mutated(files: dict[str, tuple[bytes, ...]], count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """(format, file) so many times, spread evenly over the formats; the same for the same seed."""
    dice = random.Random(seed)
    names = [name for name, samples in files.items() if samples]
    for index in range(count):
        name = names[index % len(names)]
        data = dice.choice(files[name])
        for _ in range(dice.choice((1, 1, 1, 2, 3))):
            data = _mutation(name, dice)(data, files[name], dice)
        yield name, data


Mutation = Callable[[bytes, Sequence[bytes], random.Random], bytes]


def _mutation(name: str, dice: random.Random) -> Mutation:
    if name == "openraster" and dice.random() < 0.75:
        return dice.choice((_entries, _entries, _xml, _json, _inner, _inner))
    if name == "png" and dice.random() < 0.4:
        return _chunk
    return dice.choice((_flips, _flips, _cut, _splice, _number, _number, _grow, _remove, _repeat))


def _place(data: bytes, dice: random.Random) -> int:
    """Headers are hit more often than what follows."""
    return dice.randrange(min(len(data), 300) if dice.random() < 0.6 else len(data)) if data else 0


def _flips(data: bytes, _others: Sequence[bytes], dice: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4, 16)) if changed else 0):
        changed[_place(data, dice)] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _cut(data: bytes, _others: Sequence[bytes], dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data) + 1)]


def _splice(data: bytes, others: Sequence[bytes], dice: random.Random) -> bytes:
    other = dice.choice(others)
    return data[: _place(data, dice)] + other[_place(other, dice) :]


def _number(data: bytes, _others: Sequence[bytes], dice: random.Random) -> bytes:
    value, size, order = dice.choice(EXTREMES), dice.choice((1, 2, 4)), dice.choice("<>")
    packed = struct.pack(f"{order}I", value)
    packed = packed[:size] if order == "<" else packed[-size:]
    place = _place(data, dice)
    return data[:place] + packed + data[place + size :]


def _grow(data: bytes, _others: Sequence[bytes], dice: random.Random) -> bytes:
    place = _place(data, dice)
    return data[:place] + dice.randbytes(dice.choice((1, 4, 100, 5000))) + data[place:]


def _remove(data: bytes, _others: Sequence[bytes], dice: random.Random) -> bytes:
    place = _place(data, dice)
    return data[:place] + data[place + dice.choice((1, 4, 100)) :]


def _repeat(data: bytes, _others: Sequence[bytes], dice: random.Random) -> bytes:
    place = _place(data, dice)
    part = data[place : place + dice.choice((4, 50, 500))]
    return data[:place] + part * dice.choice((2, 20)) + data[place:]


def _chunk(data: bytes, _others: Sequence[bytes], dice: random.Random) -> bytes:
    """Change a chunk of a PNG and give it a right checksum again."""
    chunks: list[tuple[bytes, bytes]] = []
    place = 8
    while place + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, place)
        chunks.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + size]))
        place += 12 + size
    if not chunks:
        return data
    index = 0 if dice.random() < 0.4 else dice.randrange(len(chunks))
    name, content = chunks[index]
    if name == b"IDAT" and dice.random() < 0.5:
        content = zlib.compress(bytes(dice.choice((10, 10**5, 3 * 10**7))))
    else:
        content = dice.choice((_flips, _number, _cut, _grow))(content, (), dice)
    chunks[index] = (name, content)
    if dice.random() < 0.2:
        chunks.insert(dice.randrange(len(chunks)), dice.choice(chunks))
    return data[:8] + b"".join(
        struct.pack(">I", len(body)) + key + body + struct.pack(">I", zlib.crc32(key + body))
        for key, body in chunks
    )


def _contents(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except (
        zipfile.BadZipFile,
        zlib.error,
        ValueError,
        OSError,
        KeyError,
        NotImplementedError,
        RuntimeError,
        EOFError,
    ):
        return {}


def _packed(contents: dict[str, bytes], dice: random.Random) -> bytes:
    buffer = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if dice.random() < 0.3 else zipfile.ZIP_STORED
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else method)
    return buffer.getvalue()


def _entries(data: bytes, _others: Sequence[bytes], dice: random.Random) -> bytes:
    """Leave out, rename, swap or blow up entries of an archive."""
    contents = _contents(data)
    names = [name for name in contents if name != "mimetype"]
    if not names:
        return data
    name = dice.choice(names)
    kind = dice.randrange(4)
    if kind == 0:
        del contents[name]
    elif kind == 1:
        contents[dice.choice(NAMES)] = contents.pop(name)
    elif kind == 2:
        contents[name] = contents[dice.choice(names)]
    else:
        contents[name] = bytes(30_000_000)
    return _packed(contents, dice)


def _xml(data: bytes, _others: Sequence[bytes], dice: random.Random) -> bytes:
    contents = _contents(data)
    if "stack.xml" not in contents:
        return data
    text = contents["stack.xml"].decode("utf-8", errors="replace")
    kind = dice.randrange(5)
    if kind == 0:
        text = BOMB
    elif kind == 1:
        text = '<image w="8" h="8">' + "<stack>" * dice.choice((50, 200, 5000)) + "</image>"
    elif kind == 2:
        text = text.replace("data/", dice.choice(("../", "/etc/", "attune/", "data//", "")), 1)
    elif kind == 3:
        parts = text.split('"')
        if len(parts) > 2:
            parts[dice.randrange(len(parts) // 2) * 2 + 1] = dice.choice((*NUMBERS, *NAMES))
        text = '"'.join(parts)
    else:
        text = _flips(text.encode(), (), dice).decode("utf-8", errors="replace")
    contents["stack.xml"] = text.encode("utf-8", errors="replace")
    if dice.random() < 0.5:
        contents.pop("attune/document.json", None)
    return _packed(contents, dice)


def _json(data: bytes, _others: Sequence[bytes], dice: random.Random) -> bytes:
    """Replace a value of our own document, whatever it is."""
    contents = _contents(data)
    try:
        values = json.loads(contents["attune/document.json"])
    except (KeyError, ValueError):
        return data
    inside = values
    while True:
        keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
        if not keys:
            break
        key = dice.choice(keys)
        if isinstance(inside[key], dict | list) and inside[key] and dice.random() < 0.85:
            inside = inside[key]
            continue
        inside[key] = dice.choice(
            (None, -1, 1e300, 10**30, "x", "../x", [], {}, True, float("nan"), [[]], "stack.xml")
        )
        break
    contents["attune/document.json"] = json.dumps(values).encode()
    return _packed(contents, dice)


def _inner(data: bytes, _others: Sequence[bytes], dice: random.Random) -> bytes:
    """Damage one file of an archive that is itself sound."""
    contents = _contents(data)
    names = [name for name in contents if name != "mimetype"]
    if not names:
        return data
    name = dice.choice(names)
    damage = (
        _chunk
        if name.endswith(".png") and dice.random() < 0.5
        else dice.choice((_flips, _cut, _number, _grow))
    )
    contents[name] = damage(contents[name], (), dice)
    return _packed(contents, dice)
