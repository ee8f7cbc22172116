"""Noise profiles: made of references, judged on noise that their fit has not seen, and mixed."""
