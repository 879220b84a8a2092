"""Flows: one verb, one file, one function. The only place where pillars meet."""
