"""The library in three steps; run it from the repository's root.

python examples/library.py
"""

from __future__ import annotations

import noisegen
from noisegen.images import read_picture

generator = noisegen.load_generator()

noisy = read_picture("examples/reference/simulated_noisy.png").pixels
clean = read_picture("examples/reference/simulated_clean.png").pixels
profile = generator.profile(noisy, clean)  # leave the clean out and it is estimated

picture = read_picture("examples/clean/coffee.png").pixels  # H×W×3 uint8; any array will do
fake = generator.synthesize(picture, profile, seed=0, key="coffee.png")

difference = fake.astype(float) - picture
print(f"σ of the reference {255 * profile.sigma.mean():.1f}, of the result {difference.std():.1f}")
