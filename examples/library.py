"""The library in three steps: python examples/library.py."""

from __future__ import annotations

from pathlib import Path

import noisegen
from noisegen.files import read_picture

EXAMPLES = Path(__file__).parent

generator = noisegen.load_generator()

noisy = read_picture(EXAMPLES / "reference/simulated_noisy.png").pixels
clean = read_picture(EXAMPLES / "reference/simulated_clean.png").pixels
profile = generator.profile(noisy, clean)  # leave the clean out and it is estimated

picture = read_picture(EXAMPLES / "clean/coffee.png").pixels  # H×W×3 uint8; any array will do
fake = generator.synthesize(picture, profile, seed=0, key="coffee.png")

difference = fake.astype(float) - picture
print(f"σ of the reference {255 * profile.sigma.mean():.1f}, of the result {difference.std():.1f}")
