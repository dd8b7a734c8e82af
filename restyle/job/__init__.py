"""A job: one piece of footage, one recipe, one result; its folder, the keys under which things are kept, and what is kept."""
