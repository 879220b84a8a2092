"""Tercet: consent, credit and compensation for generative video."""

__version__ = "0.1.0"
