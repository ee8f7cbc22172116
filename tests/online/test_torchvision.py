"""The transform among those of torchvision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pictures
import pytest
import torch
from torch import Tensor

from noisegen.errors import UsageError
from noisegen.online import AddCameraNoise
from noisegen.profiles.profile import NoiseProfile


@pytest.fixture
def v2() -> Any:
    try:
        from torchvision.transforms import v2
    # A torchvision that was built for another torch raises RuntimeError when it is imported.
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"no torchvision for this torch ({error})")
    return v2


@pytest.fixture
def tv_tensors(v2: Any) -> Any:
    from torchvision import tv_tensors

    return tv_tensors


@pytest.fixture
def add(profiles: list[NoiseProfile], weights_file: Path) -> AddCameraNoise:
    return AddCameraNoise(profiles, weights=weights_file)


def _picture() -> Tensor:
    return torch.from_numpy(pictures.scene(40, 24)).permute(2, 0, 1)


def test_it_is_a_transform(v2: Any, add: AddCameraNoise) -> None:
    assert isinstance(add, v2.Transform)


def test_kinds_of_tensors_stay(tv_tensors: Any, add: AddCameraNoise) -> None:
    stack = torch.stack([_picture(), _picture().flip(-1)])
    plain = add(stack)
    for kind in (tv_tensors.Image, tv_tensors.Video):
        noisy = add(kind(stack))
        assert type(noisy) is kind
        assert torch.equal(noisy.as_subclass(Tensor), plain)


def test_it_composes(v2: Any, tv_tensors: Any, add: AddCameraNoise) -> None:
    pipeline = v2.Compose([v2.CenterCrop(16), add, v2.ToDtype(torch.float32, scale=True)])
    noisy = pipeline(tv_tensors.Image(_picture()))
    assert type(noisy) is tv_tensors.Image
    assert noisy.dtype == torch.float32
    expected = add(_picture()[:, 12:28, 4:20].contiguous()) / 255
    assert torch.allclose(noisy.as_subclass(Tensor), expected)


def test_masks_boxes_and_labels_are_left_alone(tv_tensors: Any, add: AddCameraNoise) -> None:
    mask = tv_tensors.Mask(torch.ones(40, 24, dtype=torch.uint8))
    boxes = tv_tensors.BoundingBoxes([[0, 0, 5, 5]], format="XYXY", canvas_size=(40, 24))
    given = {"image": tv_tensors.Image(_picture()), "mask": mask, "boxes": boxes, "label": 3}
    returned = add(given)
    assert returned["mask"] is mask
    assert returned["boxes"] is boxes
    assert returned["label"] == 3
    assert not torch.equal(returned["image"], given["image"])


def test_pillow_s_pictures_are_refused(v2: Any, add: AddCameraNoise) -> None:
    image = v2.functional.to_pil_image(_picture())
    with pytest.raises(UsageError, match=r"put v2\.ToImage\(\) before it"):
        add(image)
    assert torch.equal(v2.Compose([v2.ToImage(), add])(image).as_subclass(Tensor), add(_picture()))
