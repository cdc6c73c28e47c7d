"""Who works where: regions, departments, users, roles, login, permissions."""
