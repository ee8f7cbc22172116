"""Distances between real and generated noise, and the protocol they are taken by."""
