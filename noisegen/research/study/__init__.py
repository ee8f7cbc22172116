"""What synthetic pairs do for a denoiser.

The same DnCNN is trained on real pairs, on noise of three kinds and on mixtures, and tested on real
pictures.

The way through: ``polyu.py`` or ``own_pictures.py`` → ``pictures.py`` (what is trained and tested
on) → ``making.py`` (noise on the cleans) → ``arms.py`` (who learns from what) → ``runs.py``
(training, resumed) → ``scores.py`` (means, spreads, differences).
"""
