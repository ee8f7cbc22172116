"""Clean picture and noise profile → noisy picture; datasets of such pairs."""
