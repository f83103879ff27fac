"""How a thing looks, each in its own frame: on y = 0, about 1 high, around x = 0, unless its file says otherwise."""
