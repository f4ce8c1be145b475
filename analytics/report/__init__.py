"""One page about a dataset, or about a folder of them: `parley report`."""
