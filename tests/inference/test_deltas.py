"""Reading, finding, importing and refusing deltas."""

import json
import os
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from inference.definitions import shipped_folder
from inference.deltas import (
    DEFAULT_RANGE,
    Delta,
    DeltaInfo,
    DeltaLibrary,
    delta_file,
    delta_from_bytes,
    read_delta_file,
    write_delta,
)
from inference.errors import EditorError
from inference.operations import Family

L, G = "tokenwise_delta.oai_clip_vit_l", "tokenwise_delta.openclip_g"


@dataclass(frozen=True)
class Model:
    name: str = "big-sdxl"
    family: Family = Family.SDXL
    sandbox: bool = False


SDXL, SD1, SD3 = Model(), Model("sd-v1", Family.SD1), Model("sd3-medium", Family.SD3)
MINI = Model("mini-sdxl", Family.SDXL, sandbox=True)


def make_delta(
    key: str = "person-age",
    model: str = "",
    family: str = "sdxl",
    subjects: tuple[str, ...] = ("man", "woman"),
    **widths: int,
) -> Delta:
    widths = widths or {"clip_l": 768, "clip_g": 1280}
    generator = np.random.default_rng(0)
    vectors = {e: generator.normal(size=width).astype(np.float32) for e, width in widths.items()}
    info = DeltaInfo(
        key=key,
        attribute=key.rpartition("-")[2],
        label="Age",
        subjects=subjects,
        model=model,
        family=family,
        widths=widths,
    )
    return Delta(info=info, vectors=vectors)


def save_pt(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


@pytest.fixture
def library(tmp_path: Path) -> DeltaLibrary:
    return DeltaLibrary((tmp_path / "shipped", tmp_path / "user"), shipped_folder() / "definitions")


@pytest.fixture
def plain_library(tmp_path: Path) -> DeltaLibrary:
    return DeltaLibrary((tmp_path / "shipped", tmp_path / "user"))


class TestFiles:
    def test_written_delta_reads_back(self, plain_library: DeltaLibrary, tmp_path: Path) -> None:
        delta = make_delta(model="big-sdxl")
        write_delta(delta, tmp_path / "user" / "big-sdxl" / "person-age.safetensors")
        (info,) = plain_library.list()
        assert (info.key, info.attribute, info.subjects) == ("big-sdxl/person-age", "age", ("man", "woman"))
        assert (info.model, info.family, dict(info.widths)) == (
            "big-sdxl",
            "sdxl",
            {"clip_l": 768, "clip_g": 1280},
        )
        loaded = plain_library.load(info)
        for encoder, vector in delta.vectors.items():
            np.testing.assert_array_equal(loaded.vectors[encoder], vector)

    def test_keys_are_those_of_published_deltas(self, tmp_path: Path) -> None:
        write_delta(make_delta(), tmp_path / "x.safetensors")
        assert set(load_file(tmp_path / "x.safetensors")) == {L, G}

    def test_a_damaged_file_is_left_out_of_the_list(
        self, plain_library: DeltaLibrary, tmp_path: Path
    ) -> None:
        folder = tmp_path / "user"
        folder.mkdir()
        (folder / "broken.safetensors").write_bytes(b"\x00" * 40)
        save_file({"weight": np.zeros(3, np.float32)}, folder / "lora.safetensors")
        assert plain_library.list() == ()

    def test_a_changed_file_is_read_again(self, plain_library: DeltaLibrary, tmp_path: Path) -> None:
        path = tmp_path / "user" / "x.safetensors"
        write_delta(make_delta("person-age"), path)
        assert plain_library.list()[0].attribute == "age"
        write_delta(make_delta("person-smile", subjects=("man",)), path)
        os.utime(path, ns=(1, 1))
        assert plain_library.list()[0].attribute == "smile"


class TestImport:
    @pytest.mark.parametrize(
        ("stem", "attribute"),
        [("person_", "person"), ("person__age", "age"), ("___", "delta"), (" ", "delta")],
    )
    def test_every_attribute_has_a_name(
        self, stem: str, attribute: str, plain_library: DeltaLibrary, tmp_path: Path
    ) -> None:
        """A slider without one could not be told from its neighbours, nor set in the terminal."""
        path = save_pt(tmp_path / f"{stem}.pt", {L: torch.ones(768)})
        info = plain_library.import_delta(path)
        assert (info.attribute, info.label) == (attribute, attribute.capitalize())
        blank = {"attribute": " ", "label": "\n"}
        named = tmp_path / f"{stem}.safetensors"
        save_file({L: np.ones(768, np.float32)}, named, metadata=blank)
        info = plain_library.import_delta(named)
        assert info.attribute.removesuffix("-2") == attribute

    @pytest.mark.parametrize("ends", ["[-1e-320, 1e-320]", "[0, 0.001]", "[1, 1]", "[2, -2]", "[NaN, 1]"])
    def test_a_range_without_a_position_is_the_usual_one(
        self, ends: str, plain_library: DeltaLibrary, tmp_path: Path
    ) -> None:
        path = tmp_path / "person-age.safetensors"
        save_file({L: np.ones(768, np.float32)}, path, metadata={"range": ends})
        assert plain_library.import_delta(path).range == DEFAULT_RANGE

    @pytest.mark.parametrize(
        ("stem", "kept"),
        [
            ("CON", "con_"),
            ("nul", "nul_"),
            ("aux_y", "aux-y"),
            ("x" * 240, "x" * 80),
            ("\u0149" * 120, "\u02bcn" * 40),
            ("a:b?", "a-b"),
            ("..hidden", "hidden"),
            ("trailing.", "trailing"),
            ("…", "delta"),
        ],
    )
    def test_its_file_has_a_name_that_every_system_allows(
        self, stem: str, kept: str, plain_library: DeltaLibrary, tmp_path: Path
    ) -> None:
        """Without capitals a name may be longer than it was, and be that of a device."""
        path = tmp_path / f"{stem}.safetensors"
        for number in (1.0, 2.0):  # the second one gets a number
            save_file({L: np.full(768, number, np.float32)}, path)
            info = plain_library.import_delta(path)
            assert info.path is not None
            assert info.path.stem == (kept if number == 1 else f"{kept}-2")

    def test_of_foreign_keys_little_is_told(self, plain_library: DeltaLibrary, tmp_path: Path) -> None:
        path = tmp_path / "lora.safetensors"
        save_file({f"{'x' * 10_000}{number}": np.ones(3, np.float32) for number in range(9)}, path)
        with pytest.raises(EditorError) as caught:
            plain_library.import_delta(path)
        assert len(str(caught.value)) < 500

    def test_published_pt_is_converted(self, plain_library: DeltaLibrary, tmp_path: Path) -> None:
        tensors = {L: torch.randn(768), G: torch.randn(1280)}
        info = plain_library.import_delta(save_pt(tmp_path / "person_age.pt", tensors))
        assert (info.key, info.attribute, info.family) == ("imported/person-age", "age", "sdxl")
        assert "woman" in info.subjects
        found = plain_library.find(SDXL, "the old woman", "age")
        np.testing.assert_array_equal(found.vectors["clip_g"], tensors[G].numpy())

    def test_a_pt_of_another_protocol_is_refused_with_one_sentence(
        self, plain_library: DeltaLibrary, tmp_path: Path
    ) -> None:
        """A warning of PyTorch's went to the terminal before it."""
        path = tmp_path / "person_age.pt"
        torch.save({L: torch.randn(768), G: torch.randn(1280)}, path, pickle_protocol=4)
        with pytest.raises(EditorError, match="was refused"):
            plain_library.import_delta(path)

    def test_state_under_delta_and_extra_axes(self, plain_library: DeltaLibrary, tmp_path: Path) -> None:
        tensors = {"delta": {L: torch.randn(1, 768).half(), G: torch.nn.Parameter(torch.randn(1, 1280))}}
        info = plain_library.import_delta(save_pt(tmp_path / "vehicle_price.pt", tensors))
        assert "car" in info.subjects
        assert plain_library.load(info).vectors["clip_l"].shape == (768,)

    def test_a_name_without_subject_is_for_any(self, plain_library: DeltaLibrary, tmp_path: Path) -> None:
        info = plain_library.import_delta(
            save_pt(tmp_path / "glossy_look.pt", {L: torch.randn(768), G: torch.randn(1280)})
        )
        assert (info.name, info.subjects) == ("glossy-look", ())
        assert plain_library.find(SDXL, "teapot", "glossy-look").info == info

    def test_safetensors_without_metadata(self, plain_library: DeltaLibrary, tmp_path: Path) -> None:
        path = tmp_path / "person_width.safetensors"
        save_file({L: np.ones(768, np.float32), G: np.ones(1280, np.float32)}, path)
        assert plain_library.import_delta(path).name == "person-width"

    def test_code_in_a_pickle_is_refused_and_not_run(
        self, plain_library: DeltaLibrary, tmp_path: Path
    ) -> None:
        proof = tmp_path / "pwned"

        class Evil:
            def __reduce__(self) -> tuple[Any, ...]:
                return (os.system, (f"touch {proof}",))

        for number, content in enumerate(({L: Evil(), G: torch.zeros(1280)}, Evil())):
            path = save_pt(tmp_path / f"person_evil{number}.pt", content)
            with pytest.raises(EditorError) as caught:
                plain_library.import_delta(path)
            assert "would run code" in caught.value.message
        assert not proof.exists()
        assert plain_library.list() == ()

    def test_an_old_style_pickle_is_refused_as_well(
        self, plain_library: DeltaLibrary, tmp_path: Path
    ) -> None:
        proof = tmp_path / "pwned"
        path = tmp_path / "person_evil.pt"
        path.write_bytes(b"cposix\nsystem\n(S'touch " + str(proof).encode() + b"'\ntR.")
        with pytest.raises(EditorError):
            plain_library.import_delta(path)
        assert not proof.exists()

    @pytest.mark.parametrize(
        ("content", "part"),
        [
            ({"weight": torch.zeros(768)}, "has the keys weight"),
            ({}, "is empty"),
            ({L: torch.zeros(3, 256)}, "shape [3, 256]"),
            ({L: torch.full((768,), float("nan"))}, "not finite"),
            ({L: [1.0, 2.0]}, "is no vector"),
            ({L: torch.zeros(768, dtype=torch.long)}, "is no vector"),
            ([torch.zeros(768)], "holds a list"),
        ],
    )
    def test_what_is_no_delta_is_refused(
        self, plain_library: DeltaLibrary, tmp_path: Path, content: Any, part: str
    ) -> None:
        with pytest.raises(EditorError) as caught:
            plain_library.import_delta(save_pt(tmp_path / "x.pt", content))
        assert part in caught.value.message
        assert plain_library.list() == ()

    def test_files_of_other_kinds(self, plain_library: DeltaLibrary, tmp_path: Path) -> None:
        for name, data in (
            ("a.pt", b"PK\x03\x04 not a zip"),
            ("b.pt", b""),
            ("c.safetensors", b"x"),
            ("d.png", b"x"),
        ):
            (tmp_path / name).write_bytes(data)
            with pytest.raises(EditorError):
                plain_library.import_delta(tmp_path / name)
        with pytest.raises(EditorError, match="no file"):
            plain_library.import_delta(tmp_path / "missing.pt")

    @pytest.mark.parametrize(
        "content",
        [
            {L: torch.ones(768).to_sparse()},
            {L: torch.ones(768, device="meta")},
            {L: torch.ones(1).expand(2**40)},
            {L: torch.ones(1).half().expand(2**40)},
            {L: torch.ones(0)},
            {L: torch.zeros(768)},
        ],
    )
    def test_tensors_that_are_no_vectors(
        self, content: Any, plain_library: DeltaLibrary, tmp_path: Path
    ) -> None:
        with pytest.raises(EditorError, match=r"no vector|not one vector|all zero"):
            plain_library.import_delta(save_pt(tmp_path / "a.pt", content))

    @pytest.mark.parametrize("content", [b".", b"X", b"K", b"(", b"\x85.", b"](K\x01e.", b"h\x00.", b"c"])
    def test_pickles_that_end_too_early(
        self, content: bytes, plain_library: DeltaLibrary, tmp_path: Path
    ) -> None:
        path = tmp_path / "a.pt"
        path.write_bytes(b"\x80\x02" + content)
        with pytest.raises(EditorError, match="damaged"):
            plain_library.import_delta(path)

    def test_another_one_of_the_same_name_replaces_nothing(
        self, plain_library: DeltaLibrary, tmp_path: Path
    ) -> None:
        path = tmp_path / "person_age.safetensors"
        found: list[DeltaInfo] = []
        for number in (1, 2, 1, 2):
            save_file({L: np.full(768, number, np.float32)}, path)
            found.append(plain_library.import_delta(path))
        assert [one.key for one in found] == ["imported/person-age", "imported/person-age-2"] * 2
        assert [one.attribute for one in found[:2]] == ["age", "age-2"]
        assert [plain_library.load(one).vectors["clip_l"][0] for one in found[:2]] == [1, 2]

    def test_a_file_whose_name_is_no_text(self, plain_library: DeltaLibrary, tmp_path: Path) -> None:
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/person_\xff.pt"))
        info = plain_library.import_delta(save_pt(path, {L: torch.ones(768)}))
        assert (info.attribute, plain_library.list()) == ("\ufffd", (info,))

    def test_a_checkpoint_is_refused_unread(self, plain_library: DeltaLibrary, tmp_path: Path) -> None:
        path = tmp_path / "model.safetensors"
        with path.open("wb") as file:
            file.truncate(64 * 2**20)
        with pytest.raises(EditorError, match="64 MiB"):
            plain_library.import_delta(path)

    def test_export(self, plain_library: DeltaLibrary, tmp_path: Path) -> None:
        plain_library.import_delta(
            save_pt(tmp_path / "person_age.pt", {L: torch.ones(768), G: torch.ones(1280)})
        )
        plain_library.export_delta("person-age", tmp_path / "out" / "age.safetensors")
        assert set(load_file(tmp_path / "out" / "age.safetensors")) == {L, G}
        with pytest.raises(EditorError, match="imported/person-age"):
            plain_library.export_delta("person-agee", tmp_path / "y.safetensors")

    def test_a_unique_attribute_is_name_enough(self, plain_library: DeltaLibrary, tmp_path: Path) -> None:
        for model in ("a", "b"):
            write_delta(make_delta(model=model), tmp_path / "user" / model / "person-age.safetensors")
        with pytest.raises(EditorError, match="more than one"):
            plain_library.export_delta("age", tmp_path / "x.safetensors")
        (tmp_path / "user" / "b" / "person-age.safetensors").unlink()
        plain_library.export_delta("age", tmp_path / "x.safetensors")
        assert (tmp_path / "x.safetensors").is_file()
        assert plain_library.own("age").key == "a/person-age"


class TestFinding:
    def test_by_the_noun_of_the_phrase(self, library: DeltaLibrary) -> None:
        assert library.find(SDXL, "the Young MAN,", "age").info.name == "person-age"
        assert library.find(SDXL, "man's old car", "colour").info.name == "thing-colour"

    def test_by_name_for_any_subject(self, library: DeltaLibrary) -> None:
        assert library.find(SDXL, "Alice", "person-age").info.attribute == "age"

    def test_capitals_do_not_matter(self, plain_library: DeltaLibrary) -> None:
        info = DeltaInfo(key="", attribute="Age", label="Age", subjects=("Man",), model="Jugger-XL")
        vectors = {"clip_l": np.ones(768, np.float32)}
        added = plain_library.add(delta_file(Delta(info=info, vectors=vectors)), "person-Age")
        model = Model("Jugger-XL", Family.SDXL)
        assert plain_library.find(model, "a man", "age").info == added
        assert plain_library.find(model, "a dog", added.key).info == added
        assert plain_library.find(model, "a dog", added.name).info == added

    def test_unknown_attribute_names_what_there_is(self, library: DeltaLibrary) -> None:
        with pytest.raises(EditorError) as caught:
            library.find(SDXL, "man", "agee")
        assert "“agee”" in caught.value.message
        assert "age, hair-colour, shirt-colour, smile" in caught.value.hint

    def test_unknown_subject_names_words_there_are(self, library: DeltaLibrary) -> None:
        with pytest.raises(EditorError) as caught:
            library.find(SDXL, "sky", "age")
        assert "“sky”" in caught.value.message
        assert "man" in caught.value.hint

    def test_own_file_before_family_before_definition(self, library: DeltaLibrary, tmp_path: Path) -> None:
        assert library.find(SDXL, "man", "age").info.method == "naive"
        write_delta(make_delta(family="sdxl"), tmp_path / "user" / "imported" / "person-age.safetensors")
        assert library.find(SDXL, "man", "age").info.key == "imported/person-age"
        write_delta(
            make_delta(model="big-sdxl"), tmp_path / "shipped" / "big-sdxl" / "person-age.safetensors"
        )
        assert library.find(SDXL, "man", "age").info.key == "big-sdxl/person-age"
        assert len([info for info in library.list(SDXL) if info.name == "person-age"]) == 1

    def test_sdxl_deltas_serve_sd1_and_sd3_but_not_the_other_way(
        self, plain_library: DeltaLibrary, tmp_path: Path
    ) -> None:
        write_delta(make_delta("person-age"), tmp_path / "user" / "person-age.safetensors")
        write_delta(
            make_delta("person-smile", family="sd1", clip_l=768),
            tmp_path / "user" / "person-smile.safetensors",
        )
        assert [info.attribute for info in plain_library.list(SD1)] == ["age", "smile"]
        assert [info.attribute for info in plain_library.list(SD3)] == ["age"]
        assert [info.attribute for info in plain_library.list(SDXL)] == ["age"]

    def test_another_models_delta_is_refused_and_says_so(
        self, plain_library: DeltaLibrary, tmp_path: Path
    ) -> None:
        write_delta(make_delta("person-age"), tmp_path / "user" / "person-age.safetensors")
        assert plain_library.list(MINI) == ()
        with pytest.raises(EditorError) as caught:
            plain_library.find(MINI, "man", "person-age")
        assert "SDXL" in caught.value.message
        assert "does not fit mini-sdxl" in caught.value.message


class TestFitting:
    def test_sd1_takes_the_clip_l_part(self) -> None:
        assert list(make_delta().fitted("sd1", {"clip_l": 768}).vectors) == ["clip_l"]

    def test_sd3_takes_both_clip_parts(self) -> None:
        widths = {"clip_l": 768, "clip_g": 1280, "t5": 4096}
        assert list(make_delta().fitted("sd3", widths).vectors) == ["clip_l", "clip_g"]

    @pytest.mark.parametrize("widths", [{"clip_l": 96}, {"t5": 4096}, {"clip_l": 768, "clip_g": 96}])
    def test_other_widths_are_refused(self, widths: dict[str, int]) -> None:
        with pytest.raises(EditorError, match="does not fit mini"):
            make_delta().fitted("mini", widths)


def test_what_was_learnt_is_added_under_its_model_and_replaces_nothing(tmp_path: Path) -> None:
    info = DeltaInfo(key="x", attribute="tired", label="Tired", model="org/my model", widths={"clip_l": 3})
    content = delta_file(Delta(info=info, vectors={"clip_l": np.ones(3, np.float32)}))
    library = DeltaLibrary((tmp_path / "shipped", tmp_path / "own"))
    found = [library.add(content, "person-tired") for _ in range(3)]
    assert [one.key for one in found] == [f"org-my-model/person-tired{number}" for number in ("", "-2", "-3")]
    assert [(one.attribute, one.label) for one in found][1] == ("tired-2", "Tired 2")
    assert {one.key for one in library.list()} == {one.key for one in found}
    with pytest.raises(EditorError, match="damaged"):
        library.add(content[:-1], "person-tired")


@pytest.mark.parametrize("name", ["person-" + "x" * 90, "person-" + "😀" * 80, "老" * 80, ". -", ""])
def test_any_name_can_be_added_again(name: str, tmp_path: Path) -> None:
    info = DeltaInfo(key="x", attribute="a", label="A", model="m", widths={"clip_l": 3})
    content = delta_file(Delta(info=info, vectors={"clip_l": np.ones(3, np.float32)}))
    library = DeltaLibrary((tmp_path,))
    found = {library.add(content, name).key for _ in range(3)}
    assert found == {one.key for one in library.list()}
    assert len(found) == 3


def test_models_whose_folders_are_called_the_same_keep_their_deltas(tmp_path: Path) -> None:
    library = DeltaLibrary((tmp_path,))
    for model in ("org/m", "org-m"):
        info = DeltaInfo(key="x", attribute="a", label="A", model=model, widths={"clip_l": 3})
        library.add(delta_file(Delta(info=info, vectors={"clip_l": np.ones(3, np.float32)})), "person-a")
    assert {one.model for one in library.list()} == {"org/m", "org-m"}


def test_names_from_files_stay_inside_the_folder(tmp_path: Path) -> None:
    info = DeltaInfo(key="x", attribute="a", label="A", model="../..", widths={"clip_l": 3})
    content = delta_file(Delta(info=info, vectors={"clip_l": np.ones(3, np.float32)}))
    path = DeltaLibrary((tmp_path / "own",)).add(content, "../../../etc/" + "x" * 300).path
    assert path is not None
    assert path.resolve().is_relative_to((tmp_path / "own").resolve())


def test_a_file_says_what_it_was_learnt_from(tmp_path: Path) -> None:
    made = make_delta()
    phrases = (("young man", "old man"), ("一个年轻人", "一个老人"))
    write_delta(
        Delta(info=replace(made.info, phrases=phrases), vectors=made.vectors), tmp_path / "age.safetensors"
    )
    (info,) = DeltaLibrary((tmp_path,)).list()
    assert info.phrases == phrases
    library = DeltaLibrary((tmp_path,))
    library.export_delta(info.key, tmp_path / "out" / "age.safetensors")
    assert read_delta_file(tmp_path / "out" / "age.safetensors").info.phrases == phrases


@pytest.mark.parametrize("said", ["", "{", "[1]", '[["one"]]', json.dumps([["a" * 2000, "b"]])])
def test_phrases_that_are_none_are_left_out(said: str, tmp_path: Path) -> None:
    save_file({L: np.ones(768, np.float32)}, tmp_path / "man-age.safetensors", {"phrases": said})
    (info,) = DeltaLibrary((tmp_path,)).list()
    assert info.phrases == ()


@pytest.mark.parametrize(
    ("dtype", "shape", "size"),
    [("F32", [0, 2**62], 0), ("F32", [0, 2**64 - 1], 0), ("F32", [0, 10**40], 0), ("F8_E4M3", [8], 8)],
)
def test_tensors_that_no_delta_can_have(dtype: str, shape: list[int], size: int, tmp_path: Path) -> None:
    header = json.dumps({L: {"dtype": dtype, "shape": shape, "data_offsets": [0, size]}}).encode()
    content = struct.pack("<Q", len(header)) + header + bytes(size)
    with pytest.raises(EditorError, match="no attribute delta"):
        delta_from_bytes(content, "age")
    (tmp_path / "age.safetensors").write_bytes(content)
    with pytest.raises(EditorError, match="no attribute delta"):
        read_delta_file(tmp_path / "age.safetensors")


def test_only_what_is_ones_own_is_removed(tmp_path: Path) -> None:
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    write_delta(make_delta(), shipped / "person-age.safetensors")
    library = DeltaLibrary((shipped, own))
    with pytest.raises(EditorError, match="no attribute “person-age” of your own"):
        library.own("person-age")
    with pytest.raises(EditorError, match="comes with the program"):
        library.remove(library.list()[0])
    added = library.import_delta(shipped / "person-age.safetensors")
    library.remove(library.own("person-age"))
    assert added.path is not None
    assert not added.path.exists()
    assert [info.key for info in library.list()] == ["person-age"]
