"""All input and output of the pipeline. Everything else takes and returns values."""
