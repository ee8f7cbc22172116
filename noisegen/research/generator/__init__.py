"""The pixel generator, which no shipped weights hold: its configuration, terms and training."""
