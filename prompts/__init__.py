"""What is asked and how it may be answered: the taxonomy, the prompts, the reply formats."""

if __name__ == "prompts":  # found in the folder of the checkout, under a name that other projects use too
    raise ImportError("import onelook.prompts: the folder prompts/ of this checkout is a part of the package onelook")
