"""Experiments that `synth` does not need: what prompts and pairs are worth, and what papers do."""
