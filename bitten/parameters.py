"""What a plugin's `Config` struct says of itself: every parameter with its type, default, bounds and meaning."""

from __future__ import annotations

import re
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any

import msgspec
from msgspec import inspect

from bitten.errors import PluginError


@dataclass(frozen=True, slots=True)
class Parameter:
    """One key of a plugin's configuration, in words."""

    name: str  # as written in bitten.toml
    type: str  # "float", "integer", "one of a, b", "list of text"
    default: str  # as TOML would write it; "required" where there is none
    allowed: str  # "0 to 100", "above 0", ""
    description: str


def parameters(config: type[msgspec.Struct]) -> list[Parameter]:
    """The parameters of a `Config` struct in the order of its fields.

    Raises:
        PluginError: an annotation makes no sense to msgspec, such as a numeric bound on `float | None` as a whole.
    """
    try:
        info = inspect.type_info(config)
    except TypeError as error:
        raise PluginError(f"{config.__module__}.{config.__qualname__} is no valid configuration: {error}") from error
    assert isinstance(info, inspect.StructType)  # a Struct class gives nothing else
    documented = _attributes(config)
    return [
        Parameter(
            field.encode_name,
            _type(field.type),
            _default(field),
            _allowed(field.type),
            _description(field.type) or documented.get(field.name, ""),
        )
        for field in info.fields
    ]


def _attributes(config: type[msgspec.Struct]) -> dict[str, str]:
    """What the section `Attributes:` of the docstring says of each field, for those without a `Meta` description."""
    _, _, section = cleandoc(config.__doc__ or "").partition("Attributes:\n")
    found = re.findall(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", section, re.MULTILINE)
    return {name: " ".join(text.split()).removesuffix(".") for name, text in found}


def _type(kind: inspect.Type) -> str:
    match kind:
        case inspect.Metadata():
            return _type(kind.type)
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return "integer"
        case inspect.FloatType():
            return "float"
        case inspect.StrType():
            return "text"
        case inspect.LiteralType():
            return f"one of {', '.join(map(str, kind.values))}"
        case inspect.EnumType():
            return f"one of {', '.join(str(member.value) for member in kind.cls)}"
        case inspect.ListType() | inspect.VarTupleType():
            return f"list of {_type(kind.item_type)}"
        case inspect.TupleType():
            return f"list of {len(kind.item_types)}: {', '.join(map(_type, kind.item_types))}"
        case inspect.DictType():
            return f"table of {_type(kind.value_type)}"
        case inspect.StructType():
            return f"table ({', '.join(field.encode_name for field in kind.fields)})"
        case inspect.UnionType():
            return " or ".join(_type(part) for part in kind.types if not isinstance(part, inspect.NoneType))
        case _:
            return type(kind).__name__.removesuffix("Type").lower()


def _default(field: inspect.Field) -> str:
    if field.required:
        return "required"
    value = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    return _toml(value)


def _toml(value: Any) -> str:
    """A value as bitten.toml would have it; an absent key for None."""
    match value:
        case None:
            return "absent"
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case list() | tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case msgspec.Struct():
            return "its own defaults"
        case _:
            return str(value)


def _allowed(kind: inspect.Type) -> str:
    """Bounds in words; those of the first alternative that has any."""
    match kind:
        case inspect.Metadata():
            return _allowed(kind.type)
        case inspect.UnionType():
            return next((text for text in map(_allowed, kind.types) if text), "")
        case inspect.IntType() | inspect.FloatType():
            return _bounds(kind)
        case inspect.StrType():
            return _length(kind, "characters") or _matching(kind.pattern)
        case inspect.ListType() | inspect.VarTupleType() | inspect.DictType():
            return _length(kind, "entries")
        case _:
            return ""


def _matching(pattern: str | None) -> str:
    """A pattern in words where it only lists what is allowed, as `^(level|quote)$` does."""
    listed = re.fullmatch(r"\^\(?([\w|-]+)\)?\$", pattern or "")
    if listed:
        words = [f'"{word}"' for word in listed[1].split("|")]
        return f"one of {', '.join(words)}" if len(words) > 1 else words[0]
    return f"matching {pattern}" if pattern else ""


def _bounds(kind: inspect.IntType | inspect.FloatType) -> str:
    if kind.ge is not None and kind.le is not None:
        return f"{kind.ge:.12g} to {kind.le:.12g}"
    words = ((kind.gt, "above"), (kind.ge, "from"), (kind.lt, "below"), (kind.le, "up to"))
    parts = [f"{word} {bound:.12g}" for bound, word in words if bound is not None]
    if kind.multiple_of is not None:
        parts.append(f"in steps of {kind.multiple_of:.12g}")
    return ", ".join(parts)


def _length(kind: Any, unit: str) -> str:
    low, high = kind.min_length, kind.max_length
    if low is not None and high is not None:
        return f"{low} to {high} {unit}"
    if low is not None:
        return f"at least {low} {unit}"
    return f"at most {high} {unit}" if high is not None else ""


def _description(kind: inspect.Type) -> str:
    """The `description` of `msgspec.Meta`, wherever in the annotation it stands, and the unit if one is given."""
    match kind:
        case inspect.Metadata():
            schema = kind.extra_json_schema or {}
            unit = (kind.extra or {}).get("unit")
            text = str(schema.get("description", "")) or _description(kind.type)
            return f"{text} ({unit})" if unit and text else text or str(unit or "")
        case inspect.UnionType():
            return next((text for text in map(_description, kind.types) if text), "")
        case _:
            return ""
