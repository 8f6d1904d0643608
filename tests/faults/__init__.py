"""What must not break, by breaking it: real processes, real Redis, real kill -9 (see docs/durability.md)."""
