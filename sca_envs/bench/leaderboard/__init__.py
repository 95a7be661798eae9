"""The leaderboard: submissions of runs, their verification by replay, and a static site."""
