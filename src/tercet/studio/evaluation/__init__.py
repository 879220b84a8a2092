"""Evaluation: what a model can do, measured without any network trained by others."""
