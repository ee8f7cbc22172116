"""Other shapes of a dataset: what its pairs become for the loaders that people train with.

Each layout is made from a folder of pairs and read back by the library that its users use:
:mod:`.webdataset` (tar shards), :mod:`.lmdb` (BasicSR, NAFNet), :mod:`.huggingface` (the folder
itself with a dataset card).
"""

from noisegen.dataset.layouts.huggingface import dataset_card
from noisegen.dataset.layouts.keys import safe_key
from noisegen.dataset.layouts.lmdb import CLEAN as CLEAN_DATABASE
from noisegen.dataset.layouts.lmdb import NOISY as NOISY_DATABASE
from noisegen.dataset.layouts.lmdb import read_lmdb, require_lmdb, unfit_for_lmdb, write_lmdb
from noisegen.dataset.layouts.sample import LayoutError, Sample
from noisegen.dataset.layouts.webdataset import read_shard, write_shard

__all__ = [
    "CLEAN_DATABASE",
    "NOISY_DATABASE",
    "LayoutError",
    "Sample",
    "dataset_card",
    "read_lmdb",
    "read_shard",
    "require_lmdb",
    "safe_key",
    "unfit_for_lmdb",
    "write_lmdb",
    "write_shard",
]
