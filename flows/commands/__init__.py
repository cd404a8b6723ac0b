"""What is typed and is no flow. Each imports what it needs, so that none waits for the others' libraries."""
