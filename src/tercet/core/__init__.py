"""Values every part of Tercet speaks. Standard library only; no I/O, clock or randomness."""
