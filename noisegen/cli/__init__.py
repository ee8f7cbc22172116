"""The command line: options in, one call into the library, a report out."""
