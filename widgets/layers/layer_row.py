"""Where the parts of a layer's row are: eye, arrow, thumbnail, mask, name, second line, lock, opacity."""

from dataclasses import dataclass

from PySide6.QtCore import QRect, QSize

from editor.layers.layer import Group, Node

ROW_HEIGHT = 48
THUMBNAIL = QSize(36, 36)
_EYE_WIDTH = 30
_INDENT = 14
_ARROW_WIDTH = 16
_GAP = 8
_RIGHT = 40  # the opacity's figures
_LOCK_WIDTH = 18


@dataclass(frozen=True)
class Parts:
    """Rectangles of one row; those that a node does not have are empty."""

    row: QRect
    eye: QRect
    arrow: QRect
    clip: QRect
    thumbnail: QRect
    mask: QRect
    name: QRect
    second: QRect
    lock: QRect
    opacity: QRect


def parts_of(row: QRect, node: Node, depth: int) -> Parts:
    """The places in a row `depth` groups deep."""
    top, height = row.top(), row.height()
    left = row.left() + 4 + _EYE_WIDTH + depth * _INDENT
    arrow = QRect(left, top, _ARROW_WIDTH if isinstance(node, Group) else 0, height)
    left += _ARROW_WIDTH if isinstance(node, Group) else 4
    clip = QRect(left, top, _ARROW_WIDTH if node.clipped else 0, height)
    left += clip.width()
    box = QRect(left, top + (height - THUMBNAIL.height()) // 2, THUMBNAIL.width(), THUMBNAIL.height())
    left = box.right() + 1
    mask = QRect(left + 4, box.top(), THUMBNAIL.width(), THUMBNAIL.height()) if node.mask else QRect()
    left += _GAP + (mask.width() + 4 if node.mask else 0)
    right = row.right() - 8
    opacity = QRect(right - _RIGHT, top, _RIGHT, height)
    locked = node.locked or node.alpha_locked or node.position_locked
    lock = QRect(opacity.left() - _LOCK_WIDTH + 8, top, _LOCK_WIDTH if locked else 0, height)
    end = lock.left() - 4 if locked else opacity.left() + 8
    line = height // 2 - 5
    name = QRect(left, top + 5, max(0, end - left), line)
    second = QRect(left, top + 5 + line, name.width(), line)
    eye = QRect(row.left() + 4, top, _EYE_WIDTH, height)
    return Parts(row, eye, arrow, clip, box, mask, name, second, lock, opacity)
