"""Training of the bundled checkpoints: `python -m tools.demo_model.train`, or `make demo-model`.

The steps: pictures are drawn once (`pictures`), the vision tower is pretrained as a classifier (`vision_pretrain`),
and the whole model is fine-tuned on the project's own prompts (`prompt_sampler`, `sft`). `recipes` has the stages of
each model, and of one that continues from a checkpoint.
"""
