"""Measurements of the library: speed against its peers, agreement of its witnesses."""
