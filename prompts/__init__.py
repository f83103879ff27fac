"""What is asked and how it may be answered: the taxonomy, the prompts, the reply formats."""
