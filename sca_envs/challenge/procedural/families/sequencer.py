"""Tasks of the DNA sequencer."""

from __future__ import annotations

from sca_envs.challenge.procedural.families.planned import Kinds, draft_of_kinds
from sca_envs.challenge.procedural.parts import Explorer
from sca_envs.core.wishes.draft import Draft
from sca_envs.domains.dna_sequencer import tasks
from sca_envs.domains.m3.plans import Draft as PlanDraft
from sca_envs.domains.m3.plans import Plan
from sca_envs.domains.tau.goals import enumerate_words


def transcribe(plan: Plan) -> PlanDraft:
    """Transcribe DNA, or find the DNA behind an mRNA."""
    backwards = plan.rng.random() < 0.5
    sequence = tasks.draw_sequence(plan, "ACGU" if backwards else "ACGT", 10, 40)
    tool = "reverse_transcribe_mrna_to_dna" if backwards else "transcribe_dna_to_mrna"
    text = plan.say(
        (
            "Which DNA does the mRNA '{s}' come from?",
            "Find the DNA behind the mRNA sequence '{s}'.",
            "A lab has the mRNA '{s}' and wants its DNA. What is it?",
        )
        if backwards
        else (
            "To which mRNA is the DNA '{s}' transcribed?",
            "Transcribe the DNA sequence '{s}'.",
            "A lab has the DNA '{s}' and needs the mRNA. What is it?",
        ),
        s=sequence,
    )
    return PlanDraft(text, plan.call(tool, sequence), (tool, sequence))


def count_one(plan: Plan) -> PlanDraft:
    """Count one nucleotide in some sequences together."""
    parts = [tasks.draw_sequence(plan, "ACGT", 12, 30) for _ in range(plan.rng.randint(1, 6))]
    letter = plan.rng.choice("ACGT")
    text = plan.say(
        (
            "How often does {letter} occur in {parts}{sum}?",
            "Count the nucleotide {letter} in {parts}{sum}.",
            "I need the number of times that {letter} occurs in {parts}{sum}.",
        ),
        letter=letter,
        sum=" together" if len(parts) > 1 else "",
        parts=_sequences(parts),
    )
    counts = [plan.call("count_nucleotides", part) for part in parts]
    total = sum(count.value.get(letter, 0) for count in counts)
    code = " + ".join(f"{{{i}}}.get({letter!r}, 0)" for i in range(len(counts)))
    return PlanDraft(text, plan.derive(total, code, *counts), ("count", letter, *parts))


def count_in_dna_of(plan: Plan) -> PlanDraft:
    """Count one nucleotide in the DNA that one to three mRNA sequences come from."""
    parts = [tasks.draw_sequence(plan, "ACGU", 10, 25) for _ in range(plan.rng.randint(1, 3))]
    letter = plan.rng.choice("ACGT")
    text = plan.say(
        (
            "How often does {letter} occur in the DNA that the mRNA {parts} {come} from{sum}?",
            "Take the DNA behind the mRNA {parts} and count {letter} in it{sum}. How many?",
        ),
        letter=letter,
        come="comes" if len(parts) == 1 else "come",
        sum=", all together" if len(parts) > 1 else "",
        parts=_quoted(parts),
    )
    counts = [
        plan.call("count_nucleotides", plan.call("reverse_transcribe_mrna_to_dna", part))
        for part in parts
    ]
    total = sum(count.value.get(letter, 0) for count in counts)
    code = " + ".join(f"{{{i}}}.get({letter!r}, 0)" for i in range(len(counts)))
    return PlanDraft(text, plan.derive(total, code, *counts), ("count dna", letter, *parts))


def list_valid(plan: Plan) -> PlanDraft:
    """Say which of some sequences are valid DNA."""
    drawn = [tasks.draw_sequence(plan, "ACGT", 8, 16) for _ in range(plan.rng.randint(3, 6))]
    sequences, _ = tasks.spoil_some(plan, drawn)
    text = plan.say(
        (
            "Which of {parts} are valid DNA? Answer a list of them, in this order, such as "
            '["ACGT"].',
            "Some of {parts} are misread. List those that are valid DNA, in the order given, as "
            'in ["ACGT", "TTA"].',
        ),
        parts=_sequences(sequences),
    )
    checks = [plan.call("is_valid_dna_sequence", sequence) for sequence in sequences]
    valid = [s for s, check in zip(sequences, checks, strict=True) if check.value]
    listed = ", ".join(f"({sequence!r}, {{{i}}})" for i, sequence in enumerate(sequences))
    answer = plan.derive(valid, f"[dna for dna, valid in [{listed}] if valid]", *checks)
    return PlanDraft(text, answer, ("list valid", *sequences))


def use_the_valid_one(plan: Plan) -> PlanDraft:
    """Transcribe, and perhaps translate, the one of some sequences that is valid DNA."""
    count = plan.rng.randint(2, 4)
    sequences = [tasks.draw_gene(plan) for _ in range(count)]
    right = plan.rng.randrange(count)
    for i in range(count):
        if i != right:
            place = plan.rng.randrange(len(sequences[i]))
            sequences[i] = f"{sequences[i][:place]}N{sequences[i][place + 1 :]}"
    translates = plan.rng.random() < 0.5
    text = plan.say(
        (
            "Just one of {parts} is valid DNA. {Do} it.",
            "Of {parts} only one is valid DNA. Find out which, and {do} it.",
        ),
        parts=_sequences(sequences),
        do=(do := _TRANSLATE if translates else "transcribe"),
        Do=do.capitalize() if not translates else f"{do[0].upper()}{do[1:]}",
    )
    checks = [plan.call("is_valid_dna_sequence", sequence) for sequence in sequences]
    listed = ", ".join(f"({sequence!r}, {{{i}}})" for i, sequence in enumerate(sequences))
    code = f"next(dna for dna, valid in [{listed}] if valid)"
    chosen = plan.derive(sequences[right], code, *checks)
    mrna = plan.call("transcribe_dna_to_mrna", chosen)
    answer = plan.call("translate_mrna_to_amino_acid", mrna) if translates else mrna
    return PlanDraft(text, answer, ("valid one", *sequences))


_TRANSLATE = "give the amino acids (with hyphens between them, X for unknown ones) of the mRNA of"


def count_methionine(plan: Plan) -> PlanDraft:
    """Count an amino acid in the chains of one to three genes."""
    genes = [tasks.draw_gene(plan) for _ in range(plan.rng.randint(1, 3))]
    amino = plan.rng.choice(("Methionine", "Phenylalanine"))
    text = plan.say(
        (
            "How many {amino} do the DNA sequences {genes} code for in all?",
            "Count the {amino} in the amino acids that these DNA sequences code for: {genes}.",
        )
        if len(genes) > 1
        else (
            "How many {amino} does the DNA sequence {genes} code for?",
            "Transcribe and translate {genes}. How often does {amino} occur?",
        ),
        amino=amino,
        genes=_quoted(genes),
    )
    chains = [tasks.translated(plan, gene) for gene in genes]
    total = sum(chain.value.split("-").count(amino) for chain in chains)
    code = " + ".join(f"{{{i}}}.split('-').count({amino!r})" for i in range(len(chains)))
    return PlanDraft(text, plan.derive(total, code, *chains), ("count amino", amino, *genes))


def _quoted(sequences: list[str]) -> str:
    return enumerate_words(f"'{sequence}'" for sequence in sequences)


def _sequences(sequences: list[str]) -> str:
    noun = "the sequences" if len(sequences) > 1 else "the sequence"
    return f"{noun} {_quoted(sequences)}"


KINDS: Kinds = {
    transcribe: (1,),
    count_one: (1, 2, 3, 4, 5, 6),
    count_in_dna_of: (2, 4, 6),
    list_valid: (3, 4, 5, 6),
    use_the_valid_one: (3, 4, 5, 6),
    count_methionine: (2, 4, 6),
    tasks.amino_acids: (2,),
    tasks.most_common_in_source: (3,),
    tasks.most_common_combined: (2,),
    tasks.count_in_source: (2,),
    tasks.count_valid: (5, 6),
    tasks.translate_longest_valid: (5, 6),
}
"""The kinds of tasks -> the numbers of calls that they can have."""


def draft(x: Explorer, calls: int) -> Draft:
    """Draw the draft of a task; see `draft_of_kinds`."""
    return draft_of_kinds(x, KINDS, calls)
