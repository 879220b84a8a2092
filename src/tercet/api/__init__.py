"""The HTTP API: parse, call one flow, render. No rules, no SQL."""
