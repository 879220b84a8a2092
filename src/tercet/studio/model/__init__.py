"""The model: a video transformer in pixel space with its own text encoder, from scratch."""
