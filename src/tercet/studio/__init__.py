"""The studio: a written prompt becomes a video, by a model that learned from cleared works only."""
