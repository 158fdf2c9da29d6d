"""The evidence packet that stages share: what goes in, and how it is sealed and verified."""
