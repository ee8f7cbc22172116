"""What synthetic pairs do for a denoiser.

The same DnCNN is trained on real pairs, on noise of three kinds and on mixtures, and tested on real
pictures.

The way through: ``pictures.py`` (PolyU's) or ``own_pictures.py`` (what is trained and tested on) →
``arms.py`` (who learns from what, noise on the cleans) → ``runs.py`` (training, resumed) →
``scores.py`` (means, spreads, differences) → ``tables.py``; ``study.py`` joins them.
"""
