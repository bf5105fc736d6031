"""The Chinese translation: complete, in step with the sources, and with their placeholders and mnemonics."""

import re
import shutil
import subprocess
from pathlib import Path

import PySide6
import pytest
from defusedxml import ElementTree

from editor.words.translation import folder
from inference.messages import SEPARATOR
from resources.translations.messages import texts

ROOT = Path(__file__).parents[2]
TS = folder() / "attune_zh_CN.ts"
QM = folder() / "attune_zh_CN.qm"
TOOLS = Path(PySide6.__file__).parent

Messages = dict[tuple[str, str], str | None]


def messages(path: Path) -> Messages:
    """Translations by context and source; None where there is none."""
    found: Messages = {}
    for context in ElementTree.parse(path).getroot().findall("context"):
        name = context.findtext("name", "")
        for message in context.findall("message"):
            translation = message.find("translation")
            assert translation is not None
            text = translation.findtext("numerusform", "") or translation.text
            finished = translation.get("type") is None and bool(text)
            found[name, message.findtext("source", "")] = text if finished else None
    return found


def run(tool: str, *arguments: str) -> None:
    program = TOOLS / tool
    if not program.exists():
        pytest.skip(f"this PySide6 has no {tool}")
    subprocess.run([program, *arguments], check=True, capture_output=True, cwd=ROOT)


@pytest.fixture(scope="module")
def translated() -> Messages:
    return messages(TS)


def test_every_string_of_the_sources_is_translated(tmp_path: Path, translated: Messages) -> None:
    sources = [
        str(path.relative_to(ROOT))
        for part in ("editor", "widgets", "inference")
        for path in sorted((ROOT / part).rglob("*.py"))
        if "miniworld" not in path.parts
    ]
    marked = tmp_path / "messages.py"
    marked.write_text("\n".join(f"translate('Errors', {text!r})" for text in texts()), encoding="utf-8")
    (tmp_path / "sources").write_text("\n".join((*sources, str(marked))))
    fresh = tmp_path / "fresh.ts"
    shutil.copy(TS, fresh)
    run(
        "lupdate",
        "-no-obsolete",
        "-tr-function-alias",
        "translate+=N_",
        f"@{tmp_path}/sources",
        "-ts",
        str(fresh),
    )
    now = messages(fresh)
    assert [key for key, text in now.items() if text is None] == []
    assert set(translated) == set(now), "run resources/translations/update.sh"


def test_the_compiled_file_is_the_newest(tmp_path: Path) -> None:
    run("lrelease", str(TS), "-qm", str(tmp_path / "fresh.qm"))
    assert QM.read_bytes() == (tmp_path / "fresh.qm").read_bytes(), "run resources/translations/update.sh"


@pytest.mark.parametrize(
    "pattern", [r"\{[^}]*\}", r"&(?=[A-Za-z0-9])", r"…", r"\n", r"^ | $", r"\*\.\w+", r";;"]
)
def test_what_the_program_reads_in_a_text_is_in_its_translation(translated: Messages, pattern: str) -> None:
    for (context, source), text in translated.items():
        if text is not None and source != SEPARATOR:
            kept = sorted(re.findall(pattern, text))
            assert kept == sorted(re.findall(pattern, source)), (context, source, text)


def test_mnemonics_keep_their_letter_in_parentheses(translated: Messages) -> None:
    for (context, source), text in translated.items():
        letter = re.search(r"&([A-Za-z0-9])", source)
        if letter is not None and text is not None:
            assert f"(&{letter[1].upper()})" in text, (context, source, text)


def test_chinese_texts_have_chinese_characters_and_marks(translated: Messages) -> None:
    names = re.compile(r"[A-Za-z0-9 .,()/×·{}%&+…*;:：_°，\-−–—“”?]*")
    for (context, source), text in translated.items():
        if text is None or source == SEPARATOR or names.fullmatch(text):
            continue  # names of formats and models, units, placeholders, an example prompt
        assert re.search(r"[\u4e00-\u9fff]", text), (context, source, text)
        assert not re.search(r"[\u4e00-\u9fff][,;:!?](?!\w)", text), (context, source, text)
