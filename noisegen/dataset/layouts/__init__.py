"""Other shapes of a dataset: what its pairs become for the loaders that people train with.

Each layout is made from a folder of pairs and read back by the library that its users use:
:mod:`.webdataset` (tar shards), :mod:`.lmdb` (BasicSR, NAFNet), :mod:`.huggingface` (the folder
itself with a dataset card).
"""
