"""Compose: cut-out animation directly from cleared vector works, with exact credits."""
