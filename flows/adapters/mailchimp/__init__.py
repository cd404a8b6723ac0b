"""Mailchimp's Marketing API: what we write to it."""
