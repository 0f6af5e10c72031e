"""From a name to a source: keys, options, our own sources and those that other packages offer."""
