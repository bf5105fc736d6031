"""Errors and notes: literals with gaps that are filled, each with a Chinese translation."""

import ast
import re
import string
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication

from editor.words.said import said
from editor.words.translation import Translations
from inference.messages import Message
from resources.translations.messages import Call, calls, texts

CALLS = calls()
OWN = ("inference/errors.py", "inference/messages.py")  # where the constructors themselves are written

NAMES = """
    Attune AVIF BMP CLIP CMYK ControlNet DETR EXIF Flux GIF HEIF Hub ID JPEG JSON KB GB KiB MiB Lab Linux LoRA
    OpenRaster PNG Photoshop Pillow PyTorch RGB Stable Cascade UTF-8 Diffusion TIFF TOML WebP Windows XMP
    YOLOS XL diffusers macOS safetensors sRGB stack Alt Ctrl auto base64 pillow-heif ours HF_HUB_OFFLINE
    GIMP Inkscape OpenEXR SVG webp png jpg jpeg tiff avif
    Ray LyCORIS IP-Adapter Chroma HiDream Qwen-Image Lumina Z-Image AuraFlow Wan LTX PixArt Sana Playground
    CosXL T5 EDM float8 float16 bfloat16 mini-sd1 VAE Python
    FLUX Hunyuan LoHa LoKr DoRA OFT BOFT IA GLoRA
    HF_ENDPOINT HF_TOKEN HF_HOME HTTPS_PROXY HTTP_PROXY SSL_CERT_FILE
    model_bytes memory_bytes bucket
    model_hash delta version name model seed steps path picture pair positive negative _incl_clips
"""
"""Products, formats, units, variables of the environment, and keys and words in files."""

TYPED = (
    r"“attune [^”]*”|--[\w-]+( naive)?|[\w/{}]*\.(json|xml|md|ora|psd|pt|safetensors)"
    r"|owner/name|\w+:\w+=[\w.]+|“attune\[ray\]”|pip install|http://name:password@host:port"
    r"|NAME:STRENGTH，例如 pixel-art:0.8|\(word:[\d.]+\)|safetensors\.torch\.save_file\(.*\)"
    r"|Settings，Access Tokens|“bearded”|“with a beard”"
)
"""Commands, options, file names and words of prompts, to be typed as they are; a site's own menu."""


@pytest.fixture
def chinese(qapp: QCoreApplication) -> Iterator[None]:
    translations = Translations()
    translations.choose("zh_CN")
    yield
    translations.choose("en")


def gaps(text: str) -> dict[str, str]:
    """The names of a text's gaps and how each is formatted."""
    return {name: spec or "" for _, name, spec, _ in string.Formatter().parse(text) if name is not None}


def refused(node: ast.expr, scope: ast.AST, seen: frozenset[str] = frozenset()) -> list[str]:
    """What is put together in an expression where a literal, or a message that is handed on, belongs."""
    if isinstance(node, ast.JoinedStr | ast.BinOp):
        return [ast.unparse(node)]
    if isinstance(node, ast.IfExp):
        return refused(node.body, scope, seen) + refused(node.orelse, scope, seen)
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return [ast.unparse(node)] if called in ("str", "repr", "format", "join", "replace", "strip") else []
    if isinstance(node, ast.Name) and node.id not in seen:
        given = [item for item in ast.walk(scope) if isinstance(item, ast.Assign | ast.AnnAssign)]
        named = [item.value for item in given if item.value and node.id in _targets(item)]
        return [part for value in named for part in refused(value, scope, seen | {node.id})]
    return []


def _targets(item: ast.Assign | ast.AnnAssign) -> set[str]:
    targets = item.targets if isinstance(item, ast.Assign) else [item.target]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def ours(call: Call) -> bool:
    return not call.place.startswith(OWN)


@pytest.mark.parametrize(
    ("code", "whether"),
    [
        ('EditorError(f"{name} is bad.")', True),
        ('EditorError("It is " + kind)', True),
        ('EditorError("It is %s" % kind)', True),
        ('EditorError("It is {}.".format(kind))', True),
        ("EditorError(str(error))", True),
        ('reason = f"{name}"\nEditorError(reason)', True),
        ('EditorError("It is {kind}.", kind=f"{name}")', False),
        ('EditorError(error.sentence, "a" if x else Message("b"))', False),
    ],
)
def test_the_lint_sees_what_is_put_together(code: str, whether: bool) -> None:
    tree = ast.parse(code)
    call = tree.body[-1].value  # type: ignore[attr-defined]
    assert any(refused(text, tree) for text in call.args[:2]) is whether


def test_texts_are_literals() -> None:
    wrong = [
        f"{call.place}: {part}"
        for call in CALLS
        if ours(call)
        for text in call.texts
        for part in refused(text, call.scope)
    ]
    assert wrong == []
    assert len(CALLS) > 500, "the search finds nothing any more"


def test_every_gap_has_a_value_and_every_value_a_gap() -> None:
    wrong = [
        f"{call.place}: {sorted(map(str, set(call.values) ^ named))}"
        for call in CALLS
        if ours(call)
        and (named := {name for text in call.literals for name in gaps(text)}) != set(call.values)
    ]
    assert wrong == []


@pytest.mark.usefixtures("chinese")
def test_every_text_has_a_translation_with_the_same_gaps() -> None:
    for text in filter(None, texts()):
        translation = QCoreApplication.translate("Errors", text)
        assert gaps(translation) == gaps(text), text
        words = re.sub(r"\{[^}]*\}", "", text)  # a text may be nothing but a gap
        assert translation != text or not english(words), text


def english(text: str) -> list[str]:
    """Words that are neither Chinese nor names of products and formats."""
    known = set(NAMES.split())
    return [
        word
        for word in re.findall(r"[A-Za-z_][\w-]+", re.sub(TYPED, "", text), re.ASCII)
        if word not in known
    ]


def sample(spec: str) -> object:
    return 12.5 if spec else "名称"


@pytest.mark.usefixtures("chinese")
def test_no_english_is_left_in_the_chinese_window() -> None:
    wrong = []
    for text in filter(None, texts()):
        message = Message(text, **{name: sample(spec) for name, spec in gaps(text).items()})
        found = said(message)
        if english(found):
            wrong.append((text, found, english(found)))
        assert str(message) == text.format(**message.values), "English stays English"
    assert wrong == []
