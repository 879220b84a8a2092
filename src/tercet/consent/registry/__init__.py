"""The registry: works, the claims on them, and what happens when claims conflict. Pure values."""
