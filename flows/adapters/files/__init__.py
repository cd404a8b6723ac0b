"""Files of the laptop: exports that are read, predictions that wait, the lock, and files for importers."""
