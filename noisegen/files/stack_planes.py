"""Which samples of a stack's pages make its planes."""

from __future__ import annotations

from dataclasses import dataclass

import tifffile

from noisegen.files.description import RefusedError
from noisegen.files.stack_layout import Layout, channel_names
from noisegen.files.stack_support import has_alpha
from noisegen.files.tiff_expand import is_rgb


@dataclass(frozen=True)
class Plane:
    """One picture of a stack: gray, or RGB.

    Attributes:
        channel: name of its channel, fit for file names; empty where the file has but one.
        frame: its number among the channel's pictures: slices, moments or pages.
        page: the page, by its index in the file, that it is part of.
        first: the first of its samples among those of a pixel.
        channels: samples that it takes, 1 for gray, 3 for RGB.
    """

    channel: str
    frame: int
    page: int
    first: int
    channels: int

    @property
    def samples(self) -> slice:
        """Its samples among those of a pixel."""
        return slice(self.first, self.first + self.channels)


def planes_of(layout: Layout, page: tifffile.TiffPage) -> tuple[tuple[Plane, ...], ...]:
    """The planes of each channel in the file's order, as many in every channel.

    Gray samples of a pixel, and the C axis that OME, ImageJ and tifffile write, are channels; RGB
    pages are one channel. Alpha belongs to no plane.

    Args:
        layout: of the pages.
        page: one of them; they are all alike.

    Raises:
        RefusedError: channels whose pixels have several samples that are no colours.
    """
    apart = 1 if is_rgb(page) else page.samplesperpixel - has_alpha(page)
    if apart > 1 and len(layout.channels) > 1:
        raise RefusedError(
            f"has {len(layout.channels)} channels of {apart} samples each: save a page a channel"
        )
    names = layout.channels if apart == 1 else channel_names([None] * apart)
    names = names if len(names) > 1 else ("",)
    return tuple(
        tuple(
            Plane(names[max(index, sample)], frame, page_index, sample, 3 if is_rgb(page) else 1)
            for frame, page_index in enumerate(pages)
        )
        for index, pages in enumerate(layout.planes)
        for sample in range(apart)
    )
