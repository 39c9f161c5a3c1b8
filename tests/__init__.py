"""A regular package, so that no installed distribution that ships a `tests` stands before it."""
