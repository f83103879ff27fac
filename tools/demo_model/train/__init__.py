"""How the bundled checkpoint is made: `python -m tools.demo_model.train`, or `make demo-model`.

In order: pictures are drawn once (`pictures`), the vision tower learns to tell them apart as a plain classifier
(`sight`), then the whole model learns to answer the project's own prompts about them (`lessons`, `speech`). A model
that goes on from a checkpoint sees already: it learns to answer at once (`school` has each model's way).
"""
