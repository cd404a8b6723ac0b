"""Where the customers of a campaign go, or everybody's segments: a file for each service, or the service itself."""
