"""Closing the loop: a profile tried on its own references, calibrated, tuned."""
