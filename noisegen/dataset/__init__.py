"""Folders of clean pictures → datasets of matched pairs, whole at any moment."""
