"""Real Terraform on the unmodified HCL of terraform/, with a provider of our own in the place of all four.

`running` starts `serve` in the environment of the group `terraform`; `provider` answers what Terraform asks, by the
schemas of schemas/ and by `rules`; `aws_backend` and `prefect_backend` let an API have its say.
"""
