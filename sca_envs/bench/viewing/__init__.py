"""The viewer of trajectories, and what its page shares with the leaderboard's."""
