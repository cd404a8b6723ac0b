"""Commands that are not flows. Each imports what it needs, so that none waits for the others' libraries."""
