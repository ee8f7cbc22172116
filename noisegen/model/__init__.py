"""The networks: reference-noise encoder, classical model, one-pass generator."""
