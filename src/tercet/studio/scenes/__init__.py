"""Scenes: captioned training clips composed from cleared works. A recipe is kept, never a clip."""
