"""The commands behind `make`: run and compare the chapters, check the prose, test, serve, lock."""
