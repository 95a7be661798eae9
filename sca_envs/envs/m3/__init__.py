"""The environments of M3ToolEval's families."""
