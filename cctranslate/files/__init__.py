"""Files on a disk and in stores: paths, stamps, safe writing, decompression."""
