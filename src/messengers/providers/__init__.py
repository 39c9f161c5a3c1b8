"""Messengers: the contract in `base`, one package each, found through `catalog`."""
