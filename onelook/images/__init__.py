"""From a reference to the pixels that a model sees. Nothing here knows of models, prompts or categories."""
