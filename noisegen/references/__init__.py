"""References: found, read, checked, screened, aligned with their clean, and cut into windows."""
