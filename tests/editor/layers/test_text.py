"""Text layers' content: checked, and safe in files."""

import pytest

from editor.layers.text import TextContent
from inference.errors import EditorError


def test_content_survives_json() -> None:
    content = TextContent(
        text="春天 spring", size_px=33.5, colour=(1, 2, 3, 200), alignment="centre", bold=True
    )
    values = content.to_json()
    assert TextContent.from_json(values) == content
    assert TextContent.from_json({**values, "of a newer version": 1}) == content


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"size_px": 0}, "1 to 10000"),
        ({"size_px": float("nan")}, "1 to 10000"),
        ({"alignment": "middle"}, "no alignment"),
        ({"colour": (0, 0, 256, 0)}, "0 to 255"),
        ({"line_height": 0}, "0.1 to 10"),
        ({"colour": 5}, "expected a list"),
        ({"size_px": "large"}, "expected a number"),
        ({"colour": (0, 0, True, 0)}, "expected a whole number"),
        ({"x": float("inf")}, "allowed is"),
        ({"text": 5}, "expected a text"),
    ],
)
def test_bad_values_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(EditorError, match=message):
        TextContent.from_json({"text": "a", **fields})
