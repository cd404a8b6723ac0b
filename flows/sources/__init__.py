"""Where data comes from: connections.yml, which of it a run reads, and what its columns mean."""
