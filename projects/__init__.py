"""What needs money: projects, their financing demand, the rounds they were collected in."""
