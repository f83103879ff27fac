"""Archives: a run over many pictures that survives whatever ends it, and its results in the forms that people use."""
