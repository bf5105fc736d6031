"""Headers whose first bytes are also those of other kinds of files."""

import json
import pickle
import struct
import zipfile
from pathlib import Path

import pytest

from inference.errors import EditorError
from inference.weights import headers
from inference.weights.headers import read_header


def with_header(path: Path, length: int) -> Path:
    """A file with one tensor of two numbers, its header padded to `length` bytes."""
    header = json.dumps({"one": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    path.write_bytes(struct.pack("<Q", length) + header.ljust(length) + struct.pack("<2f", 1, 2))
    return path


@pytest.mark.parametrize("length", [0x80, 0x280, 0x380, 0x480, 0x580])
def test_a_header_as_long_as_a_pickle_begins(length: int, tmp_path: Path) -> None:
    start, tensors = read_header(with_header(tmp_path / "one.safetensors", length))
    assert start == 8 + length
    assert (tensors["one"].shape, tensors["one"].begin, tensors["one"].end) == ((2,), 0, 8)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pickles_are_told(protocol: int, tmp_path: Path) -> None:
    path = tmp_path / "one.safetensors"
    path.write_bytes(pickle.dumps({"one": [1.0, 2.0]}, protocol))
    with pytest.raises(EditorError, match="is a PyTorch file"):
        read_header(path)


def test_zipped_pickles_are_told(tmp_path: Path) -> None:
    path = tmp_path / "one.safetensors"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"one": 1.0}, 2))
    with pytest.raises(EditorError, match="is a PyTorch file"):
        read_header(path)


@pytest.mark.parametrize("content", [b"", b"\x80\x02", b"\x10\0\0\0\0\0\0\0", b"\x01\0\0\0\0\0\0\0{"])
def test_short_files_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "one.safetensors"
    path.write_bytes(content)
    with pytest.raises(EditorError):
        read_header(path)


@pytest.mark.parametrize("shape", [[0, 2**62], [2**40, 0, 2**40], [0, 10**40], [2**24, 2**25]])
def test_sizes_that_no_tensor_can_have(shape: list[int], tmp_path: Path) -> None:
    header = json.dumps({"one": {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]}}).encode()
    path = tmp_path / "one.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    with pytest.raises(EditorError, match="what cannot be"):
        read_header(path)


def test_a_tensor_without_numbers_is_read(tmp_path: Path) -> None:
    header = json.dumps({"one": {"dtype": "F32", "shape": [0, 8], "data_offsets": [0, 0]}}).encode()
    path = tmp_path / "one.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    assert read_header(path)[1]["one"].shape == (0, 8)


def test_too_many_tensors_are_refused_before_the_header_is_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    header = json.dumps({str(number): place for number in range(headers.MOST_TENSORS + 1)}).encode()
    path = tmp_path / "one.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    monkeypatch.setattr(headers, "parsed_json", lambda content: pytest.fail("parsed"))
    with pytest.raises(EditorError, match="holds 20001 tensors: at most 20000"):
        read_header(path)


def test_too_many_tensors_are_counted_whatever_their_places_are_called(tmp_path: Path) -> None:
    one = r'{"dtype": "F32", "shape": [0], "data\u005foffsets": [0, 0]}'
    header = ("{" + ", ".join(f'"{n}": {one}' for n in range(headers.MOST_TENSORS + 1)) + "}").encode()
    path = tmp_path / "one.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    with pytest.raises(EditorError, match="holds 20001 tensors"):
        read_header(path)


def test_a_tensor_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    one = '"one": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}'
    header = f"{{{one}, {one}}}".encode()
    path = tmp_path / "one.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    with pytest.raises(EditorError, match="is damaged: it says “one” twice"):
        read_header(path)
