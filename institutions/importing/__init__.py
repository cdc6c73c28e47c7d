"""Reading the original of the published lists; pure, without the ORM."""
