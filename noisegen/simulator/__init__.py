"""A camera simulator: clean sRGB → raw → noise → the camera's processing → noisy sRGB.

One :class:`CameraSetting` is one camera at one ISO, seen on any number of scenes;
:func:`simulate` runs many settings × many scenes at once, on the device of the clean pictures.
The steps, in order: :mod:`.raw` (scene to sensor, noise), :mod:`.demosaic`, :mod:`.develop`
(white balance to tone and size), :mod:`.jpeg`; :mod:`.camera` joins them. :mod:`.kinds` draws what
cameras of a kind do at an ISO, among them :mod:`.instrument`; :mod:`.dead_leaves` are scenes.
"""

from noisegen.simulator.camera import code, input_side, simulate
from noisegen.simulator.settings import (
    PLAIN_CAMERA,
    SMALLEST_RESIZE,
    CameraSetting,
    Demosaic,
    Subsampling,
    draw_setting,
)

__all__ = [
    "PLAIN_CAMERA",
    "SMALLEST_RESIZE",
    "CameraSetting",
    "Demosaic",
    "Subsampling",
    "code",
    "draw_setting",
    "input_side",
    "simulate",
]
