"""Real and simulated pictures, and the training of the networks that the weights hold."""
