"""Files on a disk and in stores: finding, naming, reading and writing them."""
