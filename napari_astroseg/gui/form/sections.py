"""Sections: the controls of one record class, whatever records it holds inside.

A section is built from the class's own annotations, bounds and descriptions; a nested record
is a section within the section, a choice of records a list with one section per kind.
"""
# ruff: noqa: N815 (Qt's spelling)

from __future__ import annotations

from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from napari_astroseg.gui.fold import Fold
from napari_astroseg.gui.form.fields import (
    ChoiceField,
    FloatField,
    IntField,
    NumbersField,
    OptionalField,
    SwitchField,
    TextField,
)
from napari_astroseg.recipes.families import family_specs
from napari_astroseg.recipes.families.base import FamilySpec

_TITLES = {"family": "Network", "data": "Data", "expects": "Images it is for"}
_UNITS = {"px": "(px)", "arcsec": "(arcsec)", "mask": "mask"}


class Section(QWidget):
    """The controls of one record class.

    Parameters
    ----------
    kind
        The record's class; fields with a single possible value get no control.
    opened
        Names of the nested records that are shown unfolded; then the plain fields, which say
        what the record is, fold away below them. None shows all.
    """

    valueChanged = Signal()

    def __init__(self, kind: type[BaseModel], opened: tuple[str, ...] | None = None) -> None:
        super().__init__()
        self._fixed: dict[str, Any] = {}
        self._controls: dict[str, Any] = {}
        rows, plain = _rows(self), None
        if opened is not None:
            words = QWidget()
            plain = _rows(words)
        for name, info in kind.model_fields.items():
            choices = get_args(info.annotation) if get_origin(info.annotation) is Literal else ()
            if len(choices) == 1:
                self._fixed[name] = choices[0]
            else:
                self._add(rows, rows if plain is None else plain, name, info, opened)
        if opened is not None:
            rows.addRow(Fold("Name and source", words, opened=False))

    def __getitem__(self, name: str) -> Any:
        """The control of the field `name`."""
        return self._controls[name]

    def values(self) -> dict[str, Any]:
        """The fields as plain values, nested records as dicts."""
        return self._fixed | {name: _plain(control) for name, control in self._controls.items()}

    def show_values(self, record: BaseModel) -> None:
        """Show the fields of `record`."""
        for name, control in self._controls.items():
            value = getattr(record, name)
            if isinstance(control, (Section, Variant)):
                control.show_values(value)
            else:
                control.setValue(value)

    def _add(
        self,
        rows: QFormLayout,
        plain: QFormLayout,
        name: str,
        info: FieldInfo,
        opened: tuple[str, ...] | None,
    ) -> None:
        """Put one field's control into `rows` when it is a record, else into `plain`."""
        control = self._controls[name] = control_for(info)
        control.valueChanged.connect(lambda *_: self.valueChanged.emit())
        if isinstance(control, (Section, Variant)):
            title = _TITLES.get(name, _label(name))
            rows.addRow(Fold(title, control, opened=opened is None or name in opened))
            return
        label = QLabel(_label(name))
        for widget in (label, control):
            widget.setToolTip((info.description or _label(name)).capitalize())
        plain.addRow(label, control)


class Variant(QWidget):
    """One of several record classes, told apart by the field that has one value in each."""

    valueChanged = Signal()

    def __init__(self, kinds: tuple[type[BaseModel], ...]) -> None:
        super().__init__()
        self._kinds = kinds
        self._tag = _tag(kinds[0])
        names = tuple(str(kind.model_fields[self._tag].default) for kind in kinds)
        self.choice = ChoiceField(names)
        self.choice.setToolTip(
            "\n".join(f"{n}: {_first_line(k)}" for n, k in zip(names, kinds, strict=True))
        )
        self._stack = QStackedWidget()
        self.sections = [Section(kind) for kind in kinds]
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 0, 0, 0)
        column.addWidget(self.choice)
        column.addWidget(self._stack)
        for section in self.sections:
            section.valueChanged.connect(self.valueChanged)
            self._stack.addWidget(section)
        for kind, section in zip(kinds, self.sections, strict=True):
            section.show_values(kind.model_construct())
        self.choice.valueChanged.connect(self._turn)
        self._turn()

    def __getitem__(self, name: str) -> Any:
        """The control of the chosen record's field `name`."""
        return self.sections[self.choice.currentIndex()][name]

    def values(self) -> dict[str, Any]:
        """The chosen record's fields, the one that tells it among them."""
        return self.sections[self.choice.currentIndex()].values()

    def show_values(self, record: BaseModel) -> None:
        """Choose the class of `record` and show its fields."""
        self.choice.setCurrentIndex(self._kinds.index(type(record)))
        self.sections[self.choice.currentIndex()].show_values(record)

    def _turn(self, *_: object) -> None:
        here = self.choice.currentIndex()
        self._stack.setCurrentIndex(here)
        self._stack.setVisible(bool(self.sections[here].values().keys() - {self._tag}))
        self.valueChanged.emit()


def control_for(info: FieldInfo) -> Any:
    """The control that suits a field's annotation and bounds.

    Raises
    ------
    TypeError
        When no control is known for its type: add one here.
    """
    annotation, optional = _bare(info.annotation)
    inner = _bare_control(annotation, info)
    if optional:
        start = {FloatField: 1.0, IntField: 10}.get(type(inner))
        return OptionalField(inner, start)
    return inner


def _bare_control(annotation: Any, info: FieldInfo) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    control: Any = None
    if origin is Literal:
        control = ChoiceField(arguments)
    elif origin is tuple and set(arguments) <= {int, float, Ellipsis}:
        control = NumbersField(float if float in arguments else int)
    elif origin is tuple and set(arguments) <= {str, Ellipsis}:
        control = NumbersField(str)
    elif origin in (Union, UnionType):
        control = Variant(arguments)
    elif annotation in (int, float):
        control = _number(annotation, info)
    elif annotation in (bool, str):
        control = SwitchField() if annotation is bool else TextField()
    elif isinstance(annotation, type) and issubclass(annotation, FamilySpec):
        control = Variant(tuple(family_specs().values()))
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        control = Section(annotation)
    if control is None:
        raise TypeError(f"no control for a field of type {annotation!r}")
    return control


def _number(kind: type, info: FieldInfo) -> IntField | FloatField:
    """A spin box with the field's own bounds."""
    bounds = {type(mark).__name__: mark for mark in info.metadata}
    open_low = "Gt" in bounds
    low = bounds["Gt"].gt if open_low else bounds["Ge"].ge if "Ge" in bounds else None
    high = bounds["Le"].le if "Le" in bounds else None
    if kind is float:
        return FloatField(low, high, open_low=open_low)
    step = bounds["MultipleOf"].multiple_of if "MultipleOf" in bounds else 1
    return IntField(low, high, int(step))


def _bare(annotation: Any) -> tuple[Any, bool]:
    """The annotation without its Annotated and None, and whether it had a None."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        kinds = tuple(kind for kind in get_args(annotation) if kind is not NoneType)
        optional = len(kinds) < len(get_args(annotation))
        return (kinds[0] if len(kinds) == 1 else Union[kinds]), optional  # noqa: UP007
    return annotation, False


def _rows(owner: QWidget) -> QFormLayout:
    rows = QFormLayout(owner)
    rows.setContentsMargins(10, 0, 0, 4)
    rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return rows


def _tag(kind: type[BaseModel]) -> str:
    """The field that tells a record from the others of its choice."""
    fields = kind.model_fields.items()
    return next(n for n, info in fields if get_origin(info.annotation) is Literal
                and len(get_args(info.annotation)) == 1)  # fmt: skip


def _plain(control: Any) -> Any:
    return control.values() if isinstance(control, (Section, Variant)) else control.value()


def _label(name: str) -> str:
    """A field's name as words, its unit in brackets."""
    words = [_UNITS.get(word, word) for word in name.split("_")]
    return " ".join(words).capitalize()


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").strip().split("\n")[0]
