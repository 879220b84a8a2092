"""Fingerprints: how a registered work is found again in copies, edits and excerpts.

One file per medium. Media in, fingerprints out; fingerprints against fingerprints, matches out.
"""
