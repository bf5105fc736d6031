"""The files of a batch: small pictures, what became of each, and what went wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    QSortFilterProxyModel,
    Qt,
)
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from editor.batch.report import thumbnail_of
from editor.batch.running import State
from editor.controllers.batches import Batches, problem_of
from editor.pixels.qimages import to_qimage
from editor.system.background import Background
from editor.words.said import said
from inference.errors import EditorError
from inference.messages import Message
from widgets.batch.words import state_text
from widgets.look.durations import duration
from widgets.look.plain_text import tip_text
from widgets.look.theme import tokens_of

PICTURE_PX = 40
_KEPT = 2000
_RATIO = 2.0  # of the screens that small pictures are made for
_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
NAME, STATE, TIME, WHY = range(4)


class FileModel(QAbstractTableModel):
    """Follows `Batches`; small pictures come when they are looked at."""

    def __init__(self, batches: Batches, background: Background, view: QWidget) -> None:
        super().__init__(view)
        self._batches, self._background, self._view = batches, background, view
        self._no_picture = _on_square(None)  # names stand below each other with and without one
        self._pictures: dict[tuple[Path, str], QPixmap | None] = {}
        batches.rows_changed.connect(self._on_rows)
        batches.row_changed.connect(self._on_row)

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._batches.rows)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else 4

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if orientation is not Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        return (self.tr("File"), self.tr("State"), self.tr("Time"), self.tr("What went wrong"))[section]

    def data(self, index: _Index, role: int = 0) -> Any:
        row = self._batches.rows[index.row()]
        column = index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            if column == NAME:
                return row.item.shown
            if column == STATE:
                return state_text(row.state)
            if column == TIME:
                known = row.line is not None and row.state in (State.DONE, State.FAILED)
                return duration(row.line.seconds) if known and row.line is not None else ""
            return _words(problem_of(row))
        if role == Qt.ItemDataRole.ToolTipRole and column in (NAME, WHY):
            return tip_text(row.item.shown if column == NAME else _words(problem_of(row)))
        if role == Qt.ItemDataRole.DecorationRole and column == NAME:
            return self._picture(index.row()) or self._no_picture
        if role == Qt.ItemDataRole.ForegroundRole and row.state is State.FAILED and column in (STATE, WHY):
            return QColor(tokens_of(self._view).danger)
        return None

    def _picture(self, place: int) -> QPixmap | None:
        """The result's, before it is there the file's own; None until it is read."""
        order, row = self._batches.order, self._batches.rows[place]
        if order is None or row.state is State.FAILED:
            return None
        done = row.state is State.DONE and row.line is not None and row.line.target is not None
        path = order.source / row.item.path
        if done and row.line is not None and row.line.target is not None:
            path = order.target / row.line.target
        key = (path, row.line.output_hash if done and row.line is not None else "")
        if key in self._pictures:
            return self._pictures[key]
        while len(self._pictures) >= _KEPT:
            del self._pictures[next(iter(self._pictures))]
        self._pictures[key] = None
        self._background.run(
            lambda: _pixels_of(path), lambda pixels: self._learn(key, place, pixels), _ignore
        )
        return None

    def _learn(self, key: tuple[Path, str], place: int, pixels: Any) -> None:
        if pixels is None:
            return
        self._pictures[key] = _on_square(to_qimage(pixels))
        if place < self.rowCount():
            index = self.index(place, NAME)
            self.dataChanged.emit(index, index, [Qt.ItemDataRole.DecorationRole])

    def _on_rows(self) -> None:
        self.beginResetModel()
        self._pictures.clear()
        self.endResetModel()

    def _on_row(self, place: int) -> None:
        self.dataChanged.emit(self.index(place, 0), self.index(place, 3))


class _Filter(QSortFilterProxyModel):
    """All files, or those that failed."""

    def __init__(self, batches: Batches, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._batches = batches
        self.only_failed = False

    def filterAcceptsRow(self, row: int, parent: _Index) -> bool:
        return not self.only_failed or self._batches.rows[row].state is State.FAILED


class FileList(QTableView):
    """The files in a table; a double click is told by `activated` as usual."""

    def __init__(self, batches: Batches, background: Background, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.files = FileModel(batches, background, self)
        self._filter = _Filter(batches, self)
        self._filter.setSourceModel(self.files)
        self.setModel(self._filter)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setIconSize(QSize(PICTURE_PX, PICTURE_PX))
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setAccessibleName(self.tr("Files"))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(PICTURE_PX + 6)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.horizontalHeader()
        header.setStretchLastSection(True)
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        batches.rows_changed.connect(self._on_rows)
        self._on_rows()
        for column, width in ((NAME, 300), (STATE, 90), (TIME, 70)):
            self.setColumnWidth(column, width)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._filter.rowCount():
            return
        painter = QPainter(self.viewport())
        painter.setPen(QColor(tokens_of(self).dim))
        text = self.tr("When the batch begins, its files are listed here.")
        if self.files.rowCount():
            text = self.tr("No file failed.")
        painter.drawText(self.viewport().rect(), Qt.AlignmentFlag.AlignCenter, text)
        painter.end()

    def _on_rows(self) -> None:
        self.horizontalHeader().setVisible(self.files.rowCount() > 0)

    def show_only_failed(self, on: bool) -> None:
        self._filter.only_failed = on
        self._filter.invalidate()

    def chosen(self) -> list[int]:
        """The rows of `Batches` that are chosen."""
        model = self.selectionModel()
        return sorted({self._filter.mapToSource(index).row() for index in model.selectedRows()})


def _on_square(image: QImage | None) -> QPixmap:
    """A picture in the middle of a transparent square."""
    side = round(PICTURE_PX * _RATIO)
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    if image is not None:
        keeps, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        small = image.scaled(side, side, keeps, smooth)
        painter = QPainter(pixmap)
        painter.drawImage((side - small.width()) // 2, (side - small.height()) // 2, small)
        painter.end()
    pixmap.setDevicePixelRatio(_RATIO)
    return pixmap


def _pixels_of(path: Path) -> Any:
    image = thumbnail_of(path)
    return None if image is None else np.array(image)


def _ignore(_: EditorError) -> None:
    """A picture that cannot be read has none; why is said when its turn comes."""


def _words(problem: Any) -> str:
    return said(problem) if isinstance(problem, Message) else str(problem)
