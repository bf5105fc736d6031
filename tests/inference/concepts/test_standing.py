"""Concepts in requests: found by their words, pinned by content, and the same request everywhere."""

import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.concepts.concept import Concept
from inference.concepts.files import concept_file
from inference.concepts.library import ConceptLibrary
from inference.concepts.names import checked_word, is_word, made_word
from inference.concepts.standing import concepts_of, in_plain_words, learnt_word, with_concepts
from inference.content import ConceptFile, content_hash
from inference.errors import EditorError
from inference.operations import Generate, Insert, LearnDelta
from inference.prompts.learnt_words import find_learnt
from inference.prompts.subjects import suggest
from inference.prompts.words import find_subject, words
from inference.weights.packed import packed


def concept(word: str = "<my-cat>", kind: str = "cat", seed: int = 0) -> Concept:
    rows = np.random.default_rng(seed).normal(0, 0.02, (2, 16)).astype(np.float32)
    return Concept(word=word, vectors={"clip_l": rows}, kind=kind, model="tiny-sd1", family="sd1")


def named(one: Concept) -> tuple[ConceptFile, bytes]:
    content = concept_file(one)
    return ConceptFile(content_hash(content)), content


@pytest.fixture
def library(tmp_path: Path) -> ConceptLibrary:
    made = ConceptLibrary(tmp_path / "concepts")
    for number, word in enumerate(("<my-cat>", "<cup>", "<杯子>")):
        made.add(concept_file(concept(word, seed=number)))
    return made


class TestNames:
    @pytest.mark.parametrize("word", ["<my-cat>", "<杯子>", "<a>", "<Mug2>"])
    def test_words(self, word: str) -> None:
        assert checked_word(word) == word

    @pytest.mark.parametrize(
        "word", ["cat", "my cat", "", "<>", "<a b>", "<<a>", "<lora:a:1>", "<|end|>", "< >", "<->", "<a>b"]
    )
    def test_what_is_no_word(self, word: str) -> None:
        with pytest.raises(EditorError) as caught:
            checked_word(word)
        assert "<" in str(caught.value.advice)

    @pytest.mark.parametrize(
        ("name", "word"),
        [
            ("My cat 2", "<My-cat-2>"),
            ("a/b:c", "<a-b-c>"),
            ("…", ""),
            ("杯子", "<杯子>"),
            ("cafe\u0301", "<café>"),
        ],
    )
    def test_a_word_from_any_name(self, name: str, word: str) -> None:
        assert made_word(name) == word


class TestInPrompts:
    def test_it_is_one_word(self) -> None:
        prompt = "a photo of <my-cat>, and <杯子>在"
        assert [word.text for word in words(prompt)] == [
            "a",
            "photo",
            "of",
            "<my-cat>",
            "and",
            "<杯子>",
            "在",
        ]
        assert find_subject(prompt, "<My-Cat>") == (11, 19)
        assert find_subject(prompt, "<杯子>") == (25, 29)

    def test_it_is_suggested_as_a_subject(self) -> None:
        prompt = "a photo of a <running-man> and an old <my-cat> on the beach"
        found = suggest(prompt)
        assert [prompt[one.start : one.end] for one in found if not one.is_setting] == [
            "<running-man>",
            "<my-cat>",
        ]
        assert [prompt[a:b] for a, b in found[1].modifiers] == ["old"]

    def test_its_kind_takes_its_place(self) -> None:
        assert in_plain_words("the old <MY-CAT>", [concept()]) == "the old cat"


class TestRequests:
    def test_the_library_gives_what_stands_in_a_prompt(self, library: ConceptLibrary) -> None:
        given = Generate(prompt="a photo of <my-cat> and <lora:x:1>", negative_prompt="<CUP>")
        parameters, contents = with_concepts(given, {}, library)
        assert isinstance(parameters, Generate)
        assert [one.word for one in concepts_of(parameters, contents)] == ["<my-cat>", "<cup>"]
        assert Generate.from_json(parameters.to_json()) == parameters

    def test_source_prompts_count_too(self, library: ConceptLibrary) -> None:
        given = Insert(image="0" * 64, source_prompt="a photo of <cup>", prompt="a photo of a cat")  # type: ignore[arg-type]
        parameters, contents = with_concepts(given, {}, library)
        assert [one.word for one in concepts_of(parameters, contents)] == ["<cup>"]

    def test_nothing_changes_without_such_words(self, library: ConceptLibrary) -> None:
        given = Generate(prompt="a photo of my-cat, a cup < a man > a")
        assert with_concepts(given, {}, library) == (given, {})

    @pytest.mark.parametrize("prompt", ["a photo of <unknown>", "a <my-cat> and <my-dog>"])
    def test_a_word_that_nobody_taught_is_refused(self, library: ConceptLibrary, prompt: str) -> None:
        with pytest.raises(EditorError, match=r"no concept “<(unknown|my-dog)>”") as refused:
            with_concepts(Generate(prompt=prompt), {}, library)
        assert "<my-cat>" in str(refused.value.hint)

    @pytest.mark.parametrize("word", ["<Straße>", "<İstanbul>", "<café>", "<cafe\u0301>", "<각>"])
    @pytest.mark.parametrize("spelling", ["{}", "NFD", "NFC", "upper", "lower"])
    def test_every_spelling_of_a_word_is_found(
        self, word: str, spelling: str, library: ConceptLibrary
    ) -> None:
        library.add(concept_file(concept(word)))
        written = {
            "NFD": unicodedata.normalize("NFD", word),
            "NFC": unicodedata.normalize("NFC", word),
            "upper": word.upper(),
            "lower": word.replace("İ", "i\u0307").lower(),
        }.get(spelling, word)
        text = f"a photo of {written}, é"
        parameters, contents = with_concepts(Generate(prompt=text), {}, library)
        found = concepts_of(parameters, contents)
        assert [one.word for one in found] == [word]
        learnt = [learnt_word(one) for one in found]
        assert [text[place.start : place.end] for place in find_learnt(text, learnt)] == [written]

    def test_two_files_of_one_word_are_told(self, library: ConceptLibrary) -> None:
        (one, content), (other, more) = named(concept("<x>", seed=8)), named(concept("<X>", seed=9))
        given = Generate(prompt="a photo of <x>", concepts=(one, other))
        with pytest.raises(EditorError, match="Two concepts"):
            with_concepts(given, {one.hash: content, other.hash: more}, library)

    def test_an_old_recipe_stays_what_it_was(self) -> None:
        old = {name: value for name, value in Generate(prompt="a").to_json().items() if name != "concepts"}
        assert Generate.from_json(old) == Generate(prompt="a")

    def test_what_is_pinned_wins_over_the_library(self, library: ConceptLibrary) -> None:
        name, content = named(concept(seed=9))
        given = Generate(prompt="a photo of <my-cat> and <cup>", concepts=(name,))
        parameters, contents = with_concepts(given, {name.hash: content}, library)
        assert isinstance(parameters, Generate)
        assert parameters.concepts[0] == name
        assert len(parameters.concepts) == 2
        assert set(contents) == {one.hash for one in parameters.concepts}

    def test_a_word_that_left_the_prompt_leaves_the_request(self, library: ConceptLibrary) -> None:
        name, content = named(concept(seed=9))
        given = Generate(prompt="a photo of a cat", concepts=(name,))
        parameters, _ = with_concepts(given, {name.hash: content}, library)
        assert parameters == Generate(prompt="a photo of a cat")

    def test_one_whose_content_is_missing_is_left_for_the_run_to_tell(self, library: ConceptLibrary) -> None:
        name, _ = named(concept(seed=9))
        given = Generate(prompt="a photo of <x>", concepts=(name,))
        assert with_concepts(given, {}, library)[0] == given

    def test_operations_without_prompts(self, library: ConceptLibrary) -> None:
        given = LearnDelta(definition="0" * 64)  # type: ignore[arg-type]
        assert with_concepts(given, {}, library) == (given, {})


class TestFitting:
    @pytest.mark.parametrize(
        ("model", "family", "sandbox", "widths"),
        [
            ("tiny-sdxl", "sdxl", False, {"clip_l": 16, "clip_g": 24}),  # another family
            ("tiny-sd1", "sd1", False, {"clip_l": 768}),  # another width
            ("mini-sd1", "sd1", True, {"clip_l": 16}),  # an encoder of its own
        ],
    )
    def test_what_does_not_fit(self, model: str, family: str, sandbox: bool, widths: dict[str, int]) -> None:
        with pytest.raises(EditorError, match=r"learnt for|does not fit"):
            concept().refuse_misfit(model, family, sandbox, widths)

    def test_another_model_of_the_family(self) -> None:
        concept().refuse_misfit("other", "sd1", False, {"clip_l": 16})


class TestLibrary:
    def test_lists_by_word(self, library: ConceptLibrary) -> None:
        assert library.words() == ("<cup>", "<my-cat>", "<杯子>")
        assert library.find("<MY-cat>").kind == "cat"

    def test_says_what_there_is(self, library: ConceptLibrary) -> None:
        with pytest.raises(EditorError) as caught:
            library.find("<dog>")
        assert "<cup>" in str(caught.value.advice)

    def test_the_same_word_again_gets_a_number(self, library: ConceptLibrary) -> None:
        assert library.add(concept_file(concept())).word == "<my-cat-2>"
        assert library.add(concept_file(concept())).word == "<my-cat-3>"

    @pytest.mark.parametrize("word", [f"<{'x' * 62}>", "<cat->", "<-cat>"])
    def test_any_word_gets_a_number(self, word: str, library: ConceptLibrary) -> None:
        words = {library.add(concept_file(concept(word))).word for _ in range(3)}
        assert len(words) == 3
        assert all(map(is_word, words))

    @pytest.mark.parametrize("word", ["<con>", "<NUL>", "<com1>", "<aux.2>"])
    def test_a_word_that_windows_has_a_device_for_is_a_file_all_the_same(
        self, word: str, library: ConceptLibrary
    ) -> None:
        path = library.add(concept_file(concept(word))).path
        assert path.stem == f"{word[1:-1]}_"
        assert library.find(word).word == word

    def test_what_lies_there_in_two_files_goes_with_both(self, library: ConceptLibrary) -> None:
        """One of them stayed, and with it the word."""
        for stem, width in (("pot", 768), ("pot_2", 1280)):
            rows = np.ones((1, width), np.float32)
            (library.folder / f"{stem}.safetensors").write_bytes(packed({"<pot>": rows}))
        assert set(library.find("<pot>").vectors) == {"clip_l", "clip_g"}
        library.rename("<pot>", "<pan>")
        assert "<pot>" not in library.words()
        assert set(library.find("<pan>").vectors) == {"clip_l", "clip_g"}
        for stem, width in (("pot", 768), ("pot_2", 1280)):
            rows = np.ones((1, width), np.float32)
            (library.folder / f"{stem}.safetensors").write_bytes(packed({"<pot>": rows}))
        (library.folder / "pot.safetensors").unlink()  # by somebody else
        assert set(library.find("<pot>").vectors) == {"clip_g"}
        library.remove("<pot>")
        assert "<pot>" not in library.words()

    @pytest.mark.parametrize("word", ["<flora_style>", "<lora_x>", "<my.text_model.x>", "<ip_adapter.a>"])
    def test_words_that_sound_like_parts_of_networks(self, word: str, library: ConceptLibrary) -> None:
        library.add(concept_file(concept(word)))
        assert word in library.words()

    def test_refuses_a_name_that_is_taken(self, library: ConceptLibrary) -> None:
        with pytest.raises(EditorError, match="already"):
            library.refuse_taken("<My-Cat>")

    def test_renames_and_deletes(self, library: ConceptLibrary) -> None:
        library.rename("<cup>", "<mug>")
        library.remove("<my-cat>")
        assert library.words() == ("<mug>", "<杯子>")
        assert library.rename("<mug>", "<Mug>").word == "<Mug>"
        assert len(list(library.folder.iterdir())) == 2

    def test_files_that_are_none_are_passed_over(self, library: ConceptLibrary) -> None:
        (library.folder / "broken.safetensors").write_bytes(b"no")
        assert len(library.list()) == 3

    def test_a_file_that_changed_is_read_again(self, library: ConceptLibrary) -> None:
        path = library.kept("<cup>").path
        path.write_bytes(concept_file(concept("<a-longer-word>")))
        assert "<a-longer-word>" in library.words()

    def test_imports_and_exports(self, library: ConceptLibrary, tmp_path: Path) -> None:
        library.export("<cup>", tmp_path / "out.safetensors")
        kept = library.import_concept(tmp_path / "out.safetensors", "<other>")
        assert np.array_equal(kept.concept.vectors["clip_l"], library.find("<cup>").vectors["clip_l"])
        with pytest.raises(EditorError, match="already"):
            library.import_concept(tmp_path / "out.safetensors", "<other>")

    def test_an_import_that_is_there_stays_one(self, library: ConceptLibrary, tmp_path: Path) -> None:
        paths = [tmp_path / "learned_embeds.safetensors", tmp_path / "learned_embeds_2.safetensors"]
        for path, width in zip(paths, (768, 1280), strict=True):
            path.write_bytes(packed({"<toy>": np.ones((1, width), np.float32)}))
        assert [library.import_concept(path).word for path in paths * 2] == ["<toy>"] * 4
        paths[0].write_bytes(packed({"<toy>": np.full((1, 768), 2, np.float32)}))
        assert library.import_concept(paths[0]).word == "<toy-2>"


def test_equal_concepts_are_equal_requests() -> None:
    assert named(concept()) == named(concept())
    assert named(concept())[0] != named(concept(seed=1))[0]


def test_vectors_are_checked_where_they_are_made() -> None:
    values: dict[str, Any] = {"word": "<a>", "kind": "cat"}
    for vectors in ({}, {"clip_l": np.zeros((0, 4), np.float32)}, {"clip_l": np.zeros(4, np.float32)}):
        with pytest.raises(EditorError):
            Concept(**values, vectors=vectors)
