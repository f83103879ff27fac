"""From a reference to the pixels for a model, independent of models, prompts and categories."""
