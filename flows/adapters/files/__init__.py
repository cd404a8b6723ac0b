"""Files of the laptop: exports, pending predictions, the run lock, and files for importers."""
