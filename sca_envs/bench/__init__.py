"""Playing episodes: the agent protocol, built-in agents and rollouts."""
