"""Whether a value is what an annotation says."""

from __future__ import annotations

import typing as t

from .errors import ConfigurationError


class Checker:
    """Checks values against the annotations of a class.

    :param schema: the class; its annotations are looked up here.
    :raises ConfigurationError: if one of them cannot be, or *typeguard* is not installed.
    """

    def __init__(self, schema: type) -> None:
        try:
            import typeguard
        except ImportError as error:
            raise ConfigurationError(
                f"typed sessions need a library that is missing ({error}): "
                'pip install "wsgi-sessionkit[typed]"'
            ) from error

        try:
            hints = t.get_type_hints(schema, include_extras=False)
        except (NameError, TypeError) as error:
            raise ConfigurationError(
                f"the annotations of {schema.__name__} cannot be looked up: {error}"
            ) from error

        self._typeguard = typeguard
        self.types: dict[str, t.Any] = {
            name: hint for name, hint in hints.items() if t.get_origin(hint) is not t.ClassVar
        }

    def fits(self, value: object, annotation: t.Any) -> bool:
        """Say whether *value* is what *annotation* says, in all of its items."""
        if type(value) is annotation:
            return True

        try:
            self._typeguard.check_type(
                value,
                annotation,
                collection_check_strategy=self._typeguard.CollectionCheckStrategy.ALL_ITEMS,
            )
        except self._typeguard.TypeCheckError:
            return False

        return True

    def name_of(self, annotation: t.Any) -> str:
        """Return *annotation* as one writes it."""
        return annotation.__name__ if type(annotation) is type else str(annotation)
