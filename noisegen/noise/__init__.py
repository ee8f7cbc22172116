"""Pure mathematics of noise: curves, censoring, spectrum, marginal, stripes, recording."""
