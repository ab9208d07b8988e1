"""The sample shop: deterministic landing files, and the truth that was planted in them."""
