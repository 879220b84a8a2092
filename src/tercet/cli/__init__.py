"""The command line: parse, call one flow, render. No rules, no SQL."""
