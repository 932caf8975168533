"""Whether a value is what an annotation says."""

from __future__ import annotations

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

        try:
            hints: dict[str, t.Any] = extensions.get_type_hints(schema, include_extras=False)
        except (NameError, TypeError) as error:
            raise ConfigurationError(
                f"the annotations of {schema.__name__} cannot be looked up: {error}"
            ) from error

        self._typeguard = typeguard
        names = [field.name for field in dataclasses.fields(schema)] if self.is_dataclass else hints
        self.types: dict[str, t.Any] = {name: hints[name] for name in names}

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
