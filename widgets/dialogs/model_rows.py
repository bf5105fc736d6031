"""Rows of the Models window: a model that is there, and one that could be."""

from typing import Any

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from inference.downloads.curated import Recommended, title_of
from widgets.look.elided_label import ElidedLabel
from widgets.look.plain_text import Label, set_tip
from widgets.look.theme import scaled_font

_KINDS = {"sd1": "Stable Diffusion 1.x", "sdxl": "Stable Diffusion XL", "sd3": "Stable Diffusion 3"}


class ModelRow(QWidget):
    """Name, badges, and one line of facts."""

    def __init__(self, entry: Any, chosen: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        name = _name_label(title_of(entry.name))
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(name)
        for text, shown in ((self.tr("sandbox"), entry.sandbox), (self.tr("used for new pictures"), chosen)):
            if shown:
                badge = Label(text)
                badge.setProperty("badge", True)
                badge.setFont(scaled_font(badge.font(), 0.88))
                top.addWidget(badge)
        top.addStretch(1)
        facts = ElidedLabel(" · ".join(facts_of(entry)))
        set_tip(facts, "\n".join([*facts_of(entry), str(entry.path)]))
        facts.setProperty("dim", True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 7, 8, 7)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(facts)


class OfferRow(QWidget):
    """A model that could be added: its name, what it is good at, and what it costs.

    Args:
        here: its files are in the hub's cache, so that nothing has to be fetched.
    """

    def __init__(self, offer: Recommended, *, here: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        name = _name_label(offer.title)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(name)
        to_fetch = self.tr("sign in first") if offer.gated else self.tr("to download")
        badge = Label(self.tr("on this computer") if here else to_fetch)
        badge.setProperty("badge", True)
        badge.setFont(scaled_font(badge.font(), 0.88))
        top.addWidget(badge)
        top.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 7, 8, 7)
        layout.setSpacing(2)
        layout.addLayout(top)
        for line in offer_lines(offer):
            facts = ElidedLabel(line)
            set_tip(facts, f"{line}\n{offer.hub_id}")
            facts.setProperty("dim", True)
            layout.addWidget(facts)


def _name_label(text: str) -> ElidedLabel:
    label = ElidedLabel(text)
    label.setFont(scaled_font(label.font(), 1.0, bold=True))
    set_tip(label, text)
    return label


def facts_of(entry: Any) -> list[str]:
    """What the second line of a model says: its kind, size and place, the hub id of what has one."""
    family = getattr(entry.family, "value", str(entry.family))
    facts = [_KINDS.get(family, family)]
    size = getattr(entry, "size_bytes", 0)
    if size:
        facts.append(f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB")
    vae = getattr(entry, "vae", None)
    if vae is not None:
        facts.append(QCoreApplication.translate("Models", "autoencoder: {name}").format(name=vae.name))
    where = entry.hub_id or str(entry.path)
    if not entry.sandbox:
        facts.append(where)
    return facts


def offer_lines(offer: Recommended) -> tuple[str, str]:
    """What a model is good at, and what it costs, in the window's language."""
    cost = (
        QCoreApplication.translate("Models", "{size} GB"),
        QCoreApplication.translate("Models", "{memory} GB of memory at {picture} px"),
    )
    values = {
        "size": f"{offer.size_bytes / 1e9:.1f}",
        "memory": f"{offer.memory_bytes / 1e9:.1f}",
        "picture": offer.picture,
    }
    facts = [part.format(**values) for part in cost]
    return (
        QCoreApplication.translate("Models", offer.good_at),
        " · ".join([_KINDS[offer.family.value], *facts, offer.licence]),
    )
