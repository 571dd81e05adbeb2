"""Makes the bundled practice data; nothing here is needed to run the notebooks or the tests."""
