"""The plant DNA sequencer: transcription, translation and counting of nucleotides.

Its six tools behave as M3ToolEval's; tool descriptions and generated tasks are our own.
"""

from __future__ import annotations

from sca_envs.core.tools import toolset
from sca_envs.core.wishes import Wordings
from sca_envs.domains.dna_sequencer import tools
from sca_envs.domains.dna_sequencer.sampling import sample_argument
from sca_envs.domains.dna_sequencer.tasks import DRAFTS, TASKS
from sca_envs.domains.m3.book import PlanBook
from sca_envs.domains.m3.family import family
from sca_envs.domains.m3.values import show

TOOLS = toolset(
    tools.count_nucleotides,
    tools.transcribe_dna_to_mrna,
    tools.translate_mrna_to_amino_acid,
    tools.find_max_nucleotide,
    tools.is_valid_dna_sequence,
    tools.reverse_transcribe_mrna_to_dna,
    show=show,
)
"""The tools, in the original's order."""

SPEC = family(
    package=__name__,
    original="cryptobotanists_plant_dna_sequencer",
    plans=PlanBook(
        domain="dna_sequencer",
        tools=TOOLS,
        tasks=TASKS,
        drafts=DRAFTS,
        wordings=Wordings.read(__name__),
        similar={
            "transcribe_dna_to_mrna": "reverse_transcribe_mrna_to_dna",
            "reverse_transcribe_mrna_to_dna": "transcribe_dna_to_mrna",
        },
    ),
    sample_argument=sample_argument,
    code_prelude="""
def find_max_nucleotide(*pairs, _call=find_max_nucleotide):
    return tuple(_call(*pairs))
""",
)
"""What the domain is made of."""
