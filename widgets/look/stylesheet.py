"""The style sheet; `$name` is a colour of `widgets.look.theme.Tokens`, `$theme` is "dark" or "light"."""

STYLE_SHEET = """
* { outline: none; }
QToolTip { color: $text; background: $raised; border: 1px solid $control; padding: 4px 6px; }

QMenuBar { background: $panel; border-bottom: 1px solid $line; padding: 2px 6px; }
QMenuBar::item { padding: 5px 9px; border-radius: 5px; background: transparent; }
QMenuBar::item:selected, QMenuBar::item:pressed { background: $hover; }
QMenu { background: $panel; border: 1px solid $control; padding: 5px; }
QMenu::item { padding: 5px 28px 5px 12px; border-radius: 4px; }
QMenu::item:selected { background: $hover; }
QMenu::item:disabled { color: $faint; background: transparent; }
QMenu::separator { height: 1px; background: $line; margin: 5px 8px; }
QMenu::icon { padding-left: 8px; }
QMenu::indicator { width: 14px; height: 14px; margin-left: 6px; }

QMainWindow { background: $panel; }
QMainWindow::separator { background: $line; width: 1px; height: 1px; }
QMainWindow::separator:hover { background: $accent; }
QDockWidget { border: none; }

QStatusBar { background: $panel; border-top: 1px solid $line; }
QStatusBar::item { border: none; }
QStatusBar QLabel { color: $dim; padding: 2px 8px; }
QStatusBar QLabel#Strong { color: $text; }

QToolBar#Tools {
    background: $panel; border: none; border-right: 1px solid $line; padding: 6px 5px; spacing: 4px;
}

QToolBar#ToolOptions {
    background: $panel; border: none; border-bottom: 1px solid $line; padding: 3px 10px; spacing: 0;
}
QToolBar#ToolOptions QLineEdit, QToolBar#ToolOptions QAbstractSpinBox, QToolBar#ToolOptions QComboBox {
    padding: 2px 6px;
}

QTabBar { background: $panel; }
QTabBar::tab {
    background: transparent; color: $dim; padding: 7px 4px 6px 4px; margin: 0 8px 0 10px;
    border: none; border-bottom: 2px solid transparent;
}
QTabBar::tab:selected { color: $text; border-bottom-color: $accent; }
QTabBar::tab:hover:!selected { color: $text; border-bottom-color: $control; }
QTabBar#Documents { background: $panel; border: none; }
QTabBar#Documents::tab {
    background: transparent; color: $dim; padding: 7px 14px; margin: 4px 0 0 4px; max-width: 260px;
    border: none;
    border-top-left-radius: 7px; border-top-right-radius: 7px;
}
QTabBar#Documents::tab:selected { background: $backdrop; color: $text; }
QTabBar#Documents::tab:hover:!selected { background: $hover; }

QToolButton, QPushButton {
    color: $text; border: 1px solid transparent; border-radius: 6px; padding: 4px; background: transparent;
}
QToolButton:hover { background: $hover; }
QToolButton:pressed { background: $pressed; }
QToolButton:checked { background: $raised; border-color: $control; }
QToolButton:disabled { color: $faint; }
QToolButton:focus { border-color: $accent; }
QToolButton::menu-indicator { image: none; }
QToolButton[link="true"] { color: $accent; padding: 3px 6px 3px 0; margin-left: -4px; text-align: left; }
QToolButton[link="true"]:hover { background: transparent; color: $text; }
QToolButton[link="true"]:disabled { color: $faint; }
QToolButton[segment="true"] { color: $dim; border: 1px solid $line; border-radius: 0; padding: 5px 2px; }
QToolButton[segment="true"]:hover { color: $text; }
QToolButton[segment="true"]:checked {
    color: $text; background: $raised; border-color: $control; font-weight: 600;
}
QToolButton[segment="true"]:focus { border-color: $accent; }
QToolButton[segment="true"]:disabled { color: $faint; }
QToolButton[quiet="true"] { color: $dim; padding: 2px 6px; }
QToolButton[quiet="true"]:hover { color: $text; }
QToolButton[quiet="true"]:disabled { color: $faint; }
QToolButton[unfolds="true"] { padding: 2px 1px; }
QToolButton[unfolds="true"]:checked { background: transparent; border-color: transparent; color: $text; }
QToolButton[unfolds="true"]:focus { border-color: $accent; }

QToolButton#Start { background: $panel; border: 1px solid $line; border-radius: 10px; padding: 0; }
QToolButton#Start:hover { background: $raised; border-color: $control; }
QToolButton#Start:pressed { background: $hover; }
QToolButton#Start:focus { border-color: $accent; }
QToolButton#Sample { padding: 4px; border-radius: 8px; }
QToolButton#ContactCard:disabled { border: 1px dashed $line; }
QToolButton#ContactCard:checked { border: 2px solid $accent; padding: 3px; }

QPushButton { background: $raised; border-color: $control; padding: 5px 14px; min-height: 18px; }
QPushButton[menu="true"] { padding-right: 28px; }
QPushButton::menu-indicator {
    image: url(icons:mark-down-$theme.svg); width: 11px; height: 11px;
    subcontrol-origin: padding; subcontrol-position: right center; right: 8px;
}
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $pressed; }
QPushButton:focus { border-color: $accent; }
QPushButton:disabled { color: $faint; border-color: $line; background: $panel; }
QPushButton[primary="true"] {
    background: $accent; border-color: $accent; color: $accent_text; font-weight: 600;
}
QPushButton[primary="true"]:hover { border-color: $text; }
QPushButton[primary="true"]:focus { border-color: $text; }
QPushButton[primary="true"]:disabled { background: $raised; border-color: $line; color: $faint; }

QLineEdit, QPlainTextEdit, QSpinBox, QDoubleSpinBox, QComboBox {
    background: $raised; color: $text; border: 1px solid $line; border-radius: 6px; padding: 4px 7px;
    selection-background-color: $accent; selection-color: $accent_text;
}
QLineEdit:hover, QPlainTextEdit:hover, QAbstractSpinBox:hover, QComboBox:hover { border-color: $control; }
QLineEdit:focus, QPlainTextEdit:focus, QAbstractSpinBox:focus, QComboBox:focus { border-color: $accent; }
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled { color: $faint; }
QLineEdit[flat="true"], QAbstractSpinBox[flat="true"] {
    background: transparent; border-color: transparent; padding: 1px 4px;
}
QAbstractSpinBox[flat="true"]:hover, QLineEdit[flat="true"]:hover {
    background: $raised; border-color: $line;
}
QAbstractSpinBox[flat="true"]:focus, QLineEdit[flat="true"]:focus {
    background: $raised; border-color: $accent;
}
QAbstractSpinBox QLineEdit { background: transparent; border: none; padding: 0 6px; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {
    subcontrol-origin: border; width: 18px; border: none; background: transparent;
}
QAbstractSpinBox::up-button { subcontrol-position: top right; margin-top: 3px; }
QAbstractSpinBox::down-button { subcontrol-position: bottom right; margin-bottom: 3px; }
QAbstractSpinBox::up-arrow { image: url(icons:mark-up-$theme.svg); width: 11px; height: 11px; }
QAbstractSpinBox::down-arrow { image: url(icons:mark-down-$theme.svg); width: 11px; height: 11px; }
QAbstractSpinBox[bare="true"]::up-button, QAbstractSpinBox[bare="true"]::down-button {
    width: 0; height: 0; border: none;
}
QAbstractSpinBox[bare="true"]::up-arrow, QAbstractSpinBox[bare="true"]::down-arrow { image: none; }
QComboBox::drop-down { border: none; width: 22px; }
QComboBox::down-arrow { image: url(icons:mark-down-$theme.svg); width: 12px; height: 12px; }
QComboBox[flat="true"] { background: transparent; border-color: transparent; color: $dim; padding: 1px 4px; }
QComboBox[strong="true"] { color: $text; }
QComboBox[flat="true"]:hover { background: $hover; color: $text; }
QComboBox[flat="true"]:focus { border-color: $accent; }
QComboBox QAbstractItemView {
    background: $panel; border: 1px solid $control; padding: 4px; selection-background-color: $hover;
    selection-color: $text;
}

QCheckBox, QRadioButton { spacing: 8px; padding: 3px 0; }
QCheckBox::indicator, QListView::indicator {
    width: 14px; height: 14px; border: 1px solid $control; border-radius: 4px; background: $raised;
}
QCheckBox::indicator:hover, QListView::indicator:hover { border-color: $dim; }
QCheckBox::indicator:focus { border-color: $accent; }
QCheckBox::indicator:checked, QListView::indicator:checked {
    background: $accent; border-color: $accent; image: url(icons:mark-check-$theme.svg);
}
QCheckBox::indicator:disabled, QListView::indicator:disabled { background: $panel; border-color: $line; }
QCheckBox:disabled { color: $faint; }
QMainWindow > QTabBar { qproperty-drawBase: 0; }

QScrollArea, QListView, QTreeView { border: none; background: transparent; }
QScrollArea > QWidget > QWidget { background: transparent; }
QListView, QTreeView {
    background: transparent; border: none; padding: 0 4px; selection-background-color: $selection;
    selection-color: $text;
}
QListView::item { padding: 4px 8px; border-radius: 5px; }
QListView::item:selected { background: $selection; color: $text; }
QListView::item:hover { background: $hover; }
QTableView {
    background: transparent; border: none; outline: none; selection-background-color: $selection;
    selection-color: $text;
}
QTableView::item { border: none; padding: 0 8px; }
QTableView::item:selected { background: $selection; color: $text; }
QHeaderView { background: transparent; border: none; }
QHeaderView::section {
    background: transparent; border: none; border-bottom: 1px solid $line; padding: 5px 8px; color: $dim;
}

QLabel#DropArea { color: $dim; border: 1px dashed $control; border-radius: 8px; }

QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: $control; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::handle:hover { background: $dim; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QProgressBar { background: $raised; border: none; border-radius: 2px; max-height: 4px; min-height: 4px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }

QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: $raised; }
QSlider::sub-page:horizontal { height: 4px; border-radius: 2px; background: $accent; }
QSlider::handle:horizontal {
    width: 14px; height: 14px; margin: -5px 0; border-radius: 7px; background: $text; border: none;
}
QSlider::handle:horizontal:focus { background: $accent; }
QSlider::handle:horizontal:disabled { background: $faint; }
QSlider::sub-page:horizontal:disabled { background: $control; }

QLabel[dim="true"] { color: $dim; }
QLabel:disabled, QLabel[dim="true"]:disabled { color: $faint; }
QLabel[danger="true"] { color: $danger; }
QLabel[heading="true"] { font-weight: 600; }
QLabel[badge="true"] {
    color: $accent; border: 1px solid $accent; border-radius: 4px; padding: 0 4px;
}

QFrame#Popup { background: $panel; border: 1px solid $control; }
QFrame#Card { background: $raised; border: 1px solid $line; border-radius: 8px; }
QFrame#Card[focused="true"] { border-color: $accent; }
QFrame#Hairline { background: $line; border: none; }
QWidget#PanelBody, QWidget#PanelHeader { background: $panel; }
QWidget#PanelHeader { border-top: 1px solid $line; }
QFrame#MessageBar { background: $raised; border: 1px solid $control; border-radius: 8px; }
QFrame#MessageBar[level="error"] { border-color: $danger; }
QFrame#MessageBar[level="warning"] { border-color: $warning; }
QFrame#Notice { background: $raised; border: 1px solid $warning; border-radius: 6px; }
QFrame#RecoveryBar { background: $panel; border: none; border-bottom: 1px solid $warning; }
QDialog { background: $panel; }
"""
