"""Whether prompts tell cameras and ISO values apart."""
