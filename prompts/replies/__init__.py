"""One pattern a reply format: it constrains the reply and reads it."""
