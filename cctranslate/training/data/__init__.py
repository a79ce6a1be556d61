"""FER2013 faces, FER+ votes, sampling and augmentation."""
