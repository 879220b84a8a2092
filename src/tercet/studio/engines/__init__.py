"""Engines: what turns the shots of an order into frames. A new engine is one file, one line."""
