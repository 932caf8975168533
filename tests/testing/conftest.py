"""As an application's own conftest.py has it."""

from sessionkit.testing.fixtures import session_clock

__all__ = ["session_clock"]
