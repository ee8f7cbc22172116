"""Closing the loop: a profile judged on noise that its fit has not seen, and tuned."""
