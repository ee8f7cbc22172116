"""Camera simulator, episode bank, objectives, training loop."""
