"""Attacks from outside, numbered like the checklist that they follow."""
