import pytest

from editor.system import display


@pytest.fixture(autouse=True)
def on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")


def test_without_a_display_the_command_line_is_named() -> None:
    text = display.problem({})
    assert text.count(". ") == 1
    assert "no display" in text
    assert "attune generate --prompt" in text


def test_missing_libraries_are_named_by_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "_loads", lambda name: name not in ("libEGL.so.1", "libxcb-cursor.so.0"))
    assert display.problem({"DISPLAY": ":0"}).endswith("apt install libegl1 libxcb-cursor0")
    assert display.problem({"QT_QPA_PLATFORM": "offscreen"}).endswith("apt install libegl1")


def test_one_complete_way_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "_loads", lambda name: "wayland" not in name)
    assert display.problem({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}) == ""


def test_a_display_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "_loads", lambda name: True)
    assert "“:4711” does not answer" in display.problem({"DISPLAY": ":4711"})
    nowhere = {"WAYLAND_DISPLAY": "wayland-9", "XDG_RUNTIME_DIR": "/nowhere"}
    assert "“wayland-9” does not answer" in display.problem(nowhere)


def test_offscreen_and_other_systems_need_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "_loads", lambda name: True)
    assert display.problem({"QT_QPA_PLATFORM": "offscreen"}) == ""
    monkeypatch.setattr("sys.platform", "darwin")
    assert display.problem({}) == ""
