"""References → windows → measured statistics → noise profile."""
