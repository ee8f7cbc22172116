"""What the transform builds on: torchvision's base class if there is one, else a plain module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor, nn


class PlainTransform(nn.Module):
    """The part of ``torchvision.transforms.v2.Transform`` that one tensor needs."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:  # noqa: ANN401 (torchvision's)
        """Returns what one input becomes."""
        raise NotImplementedError

    def forward(self, inpt: Tensor) -> Any:  # noqa: ANN401 (torchvision's)
        """Transforms the input."""
        return self.transform(inpt, {})


if TYPE_CHECKING:
    Transform = PlainTransform
    tv_tensors: Any
else:
    try:
        from torchvision import tv_tensors
        from torchvision.transforms.v2 import Transform
    # A torchvision that was built for another torch raises RuntimeError when it is imported.
    except (ImportError, RuntimeError):
        tv_tensors, Transform = None, PlainTransform


def is_picture(tensor: Tensor) -> bool:
    """Whether a tensor is a picture or video, not a mask, box or key point of torchvision's."""
    if tv_tensors is None or not isinstance(tensor, tv_tensors.TVTensor):
        return True
    return isinstance(tensor, (tv_tensors.Image, tv_tensors.Video))


def wrapped(result: Tensor, like: Tensor) -> Tensor:
    """The result as the kind of tensor that the input was."""
    if tv_tensors is None or not isinstance(like, tv_tensors.TVTensor):
        return result
    tensor: Tensor = tv_tensors.wrap(result, like=like)
    return tensor
