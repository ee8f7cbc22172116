"""Simulated instruments whose noise is known, and what profiles of them get right.

The physics is the bench's own, apart from training's simulator: a mistake in the one is not hidden
by the other. Nothing is read from the disk: scenes are drawn from seeds.
"""
