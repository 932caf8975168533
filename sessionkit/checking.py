"""Whether a value is what an annotation says."""

from __future__ import annotations

import collections.abc as cabc
import dataclasses
import typing as t

from .errors import ConfigurationError


class Checker:
    """Checks values against the annotations of a class.

    :param schema: a dataclass or a TypedDict; its annotations are looked up here.
    :raises ConfigurationError: if it is neither, if one of them cannot be looked up, or *typeguard*
        is not installed.
    """

    def __init__(self, schema: type) -> None:
        try:
            import typeguard

            # What typeguard depends on; it knows its own TypedDict and NotRequired, too.
            import typing_extensions as extensions
        except ImportError as error:
            raise ConfigurationError(
                f"typed sessions need a library that is missing ({error}): "
                'pip install "wsgi-sessionkit[typed]"'
            ) from error

        self.is_dataclass = isinstance(schema, type) and dataclasses.is_dataclass(schema)

        if not self.is_dataclass and not extensions.is_typeddict(schema):
            raise ConfigurationError(
                "schema must be a dataclass or a TypedDict, the class itself without [parameters]"
            )

        look_up = extensions.get_type_hints

        try:
            self.types: dict[str, t.Any] = (
                {
                    field.name: _type_of(field, schema, look_up)
                    for field in dataclasses.fields(schema)
                }
                if self.is_dataclass
                else look_up(schema)
            )
        except (NameError, TypeError) as error:
            raise ConfigurationError(
                f"the annotations of {schema.__name__} cannot be looked up: {error}"
            ) from error

        self._typeguard = typeguard

    def fits(self, value: object, annotation: t.Any) -> bool:
        """Say whether *value* is what *annotation* says, in all of its items."""
        if type(value) is annotation:
            return True

        try:
            self._typeguard.check_type(
                value,
                annotation,
                # As in JSON = dict[str, "JSON"], where nobody looks it up: anything is right there.
                forward_ref_policy=self._typeguard.ForwardRefPolicy.IGNORE,
                collection_check_strategy=self._typeguard.CollectionCheckStrategy.ALL_ITEMS,
            )
        except self._typeguard.TypeCheckError:
            return False

        return True

    def name_of(self, annotation: t.Any) -> str:
        """Return *annotation* as one writes it."""
        return annotation.__name__ if type(annotation) is type else str(annotation)


def _type_of(
    field: dataclasses.Field[t.Any], schema: type, look_up: cabc.Callable[..., dict[str, t.Any]]
) -> t.Any:
    """Look up the annotation of one field.

    Not with all those of its class: Python 3.10 finds that some which are no fields are no types.
    """
    name = field.name
    [*_, place] = (
        base
        for base in schema.__mro__
        if vars(base).get("__dataclass_fields__", {}).get(name) is field
    )
    stand_in = type(
        place.__name__, (), {"__annotations__": {name: field.type}, "__module__": place.__module__}
    )
    parameters = {each.__name__: each for each in getattr(place, "__type_params__", ())}
    return look_up(stand_in, localns={**parameters, **vars(place)})[name]
