"""Ink: white with a dark rim, which can be read on any picture and in any theme."""

from __future__ import annotations

from functools import lru_cache

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QGuiApplication,
    QImage,
    QPainter,
    QPainterPath,
    QPainterPathStroker,
    QPen,
)

WHITE = QColor(255, 255, 255)
RIM = QColor(0, 0, 0, 170)
TEXT_PX = 13
_RIM_PX = 3.0


def draw_text(painter: QPainter, text: str, x: float, y: float, box: QRectF | None = None) -> None:
    """Write a text with its upper left corner at (x, y), or in the middle of a box."""
    image = text_image(text, _sharpness(painter))
    if box is not None:
        width, height = image.width(), image.height()
        ratio = image.devicePixelRatio()
        x = box.center().x() - width / ratio / 2
        y = box.center().y() - height / ratio / 2
    painter.drawImage(QPointF(round(x), round(y)), image)


def text_size(text: str) -> tuple[float, float]:
    """Width and height that a text takes, rim included."""
    metrics = QFontMetricsF(_font())
    return (
        float(metrics.horizontalAdvance(text) + 2 * _RIM_PX),
        float(metrics.height() + _RIM_PX),
    )


def draw_path(painter: QPainter, path: QPainterPath, width: float = 1.8) -> None:
    """Draw lines in ink."""
    painter.strokePath(path, pen(RIM, width + 2.4))
    painter.strokePath(path, pen(WHITE, width))


def pen(colour: QColor, width: float) -> QPen:
    """A pen with round ends, `width` device-independent pixels wide."""
    made = QPen(colour, width)
    made.setCapStyle(Qt.PenCapStyle.RoundCap)
    made.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return made


@lru_cache(maxsize=512)
def text_image(text: str, ratio: float) -> QImage:
    """A text as a picture: rims are slow to draw and texts seldom change."""
    width, height = text_size(text)
    image = QImage(
        max(1, round(width * ratio)),
        max(1, round(height * ratio)),
        QImage.Format.Format_ARGB32_Premultiplied,
    )
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    path = QPainterPath()
    path.addText(_RIM_PX, _RIM_PX / 2 + QFontMetricsF(_font()).ascent(), _font(), text)
    rim = QPainterPathStroker()
    rim.setWidth(_RIM_PX)
    rim.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillPath(rim.createStroke(path), RIM)
    painter.fillPath(path, WHITE)
    painter.end()
    return image


def _font() -> QFont:
    font = QFont(QGuiApplication.font())
    font.setPixelSize(TEXT_PX)
    font.setWeight(QFont.Weight.DemiBold)
    return font


def _sharpness(painter: QPainter) -> float:
    """Device pixels per unit that a painter draws, to which its texts are made."""
    device = painter.device()
    ratio = 1.0 if device is None else float(device.devicePixelRatioF())
    scale = abs(painter.worldTransform().m11()) or 1.0
    return max(1.0, round(4 * ratio * scale) / 4)
