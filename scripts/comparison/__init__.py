"""`densenet` beside other engines on one machine, what is measured as Markdown."""
