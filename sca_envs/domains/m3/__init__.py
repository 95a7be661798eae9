"""What the five domains of M3ToolEval share.

M3ToolEval (Wang et al., 2024, arXiv:2402.01030) asks 82 questions of five families, each with six
tools, and checks the final answer. Tools, action formats and answer checking behave as the
original's; tool descriptions, generated tasks and worlds are our own.
"""

ORIGINAL = "m3tooleval"
"""Name of the original's data set."""
ORIGINAL_SPLIT = "test"
"""Its only split."""
