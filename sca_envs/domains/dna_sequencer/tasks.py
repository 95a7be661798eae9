"""What the tasks of the generated DNA sequencer are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sca_envs.domains.m3.plans import DeadEnd, Draft, Plan, Term

# Codons whose mRNA is translated to something: AUG, UUU, UUC.
_TELLING_CODONS = ("TAC", "AAA", "AAG")


def amino_acids(plan: Plan) -> Draft:
    """Transcribe and translate a DNA sequence."""
    dna = draw_gene(plan)
    text = plan.say(
        (
            "Which chain of amino acids does the DNA sequence '{dna}' code for? Transcribe it to "
            "mRNA first and write the chain with hyphens, as the translation tool does.",
            "Transcribe the DNA sequence '{dna}' and translate the mRNA. Answer the amino acids as "
            "the tool gives them.",
            "A leaf has the gene '{dna}'. Find the amino acids that its mRNA is translated to.",
        ),
        dna=dna,
    )
    return Draft(text, translated(plan, dna), ("amino acids", dna))


def most_common_in_source(plan: Plan) -> Draft:
    """Find the most common nucleotide of the DNA that an mRNA sequence comes from."""
    mrna = draw_sequence(plan, "ACGU", 12, 40)
    text = plan.say(
        (
            "The mRNA sequence '{mrna}' was found in a root. Which nucleotide is the most common "
            "one in the DNA that it comes from, and how often does it occur? {form}",
            "Reverse transcribe the mRNA '{mrna}' and find the nucleotide that occurs most often "
            "in the DNA, with its count. {form}",
        ),
        mrna=mrna,
        form=_PAIR_FORM,
    )
    counts = plan.call("count_nucleotides", plan.call("reverse_transcribe_mrna_to_dna", mrna))
    return Draft(text, _most_common(plan, counts), ("common in source", mrna))


def most_common_combined(plan: Plan) -> Draft:
    """Find the most common nucleotide of several sequences put together."""
    parts = [draw_sequence(plan, "ACGT", 5, 15) for _ in range(plan.rng.randint(2, 4))]
    text = plan.say(
        (
            "Put the DNA sequences {parts} together in this order. Which nucleotide is the most "
            "common one in the whole, and how often does it occur? {form}",
            "A botanist joins the DNA fragments {parts}. Find the most common nucleotide of the "
            "result and its count. {form}",
        ),
        parts=_enumerate(parts),
        form=_PAIR_FORM,
    )
    counts = plan.call("count_nucleotides", "".join(parts))
    return Draft(text, _most_common(plan, counts), ("common combined", *parts))


def count_valid(plan: Plan) -> Draft:
    """Count nucleotides in the valid ones of several sequences."""
    drawn = [draw_sequence(plan, "ACGT", 6, 18) for _ in range(plan.rng.randint(3, 5))]
    sequences, valid = spoil_some(plan, drawn)
    text = plan.say(
        (
            "Some of the sequences {sequences} are no valid DNA. Join the valid ones in this order "
            "and find the most common nucleotide with its count. {form}",
            "Check which of {sequences} are valid DNA, put these together in the order given, and "
            "answer the most common nucleotide of the whole with its count. {form}",
        ),
        sequences=_enumerate(sequences),
        form=_PAIR_FORM,
    )
    checks = [plan.call("is_valid_dna_sequence", sequence) for sequence in sequences]
    listed = ", ".join(f"({sequence!r}, {{{i}}})" for i, sequence in enumerate(sequences))
    joined = plan.derive(
        "".join(valid), f"''.join(dna for dna, valid in [{listed}] if valid)", *checks
    )
    counts = plan.call("count_nucleotides", joined)
    return Draft(text, _most_common(plan, counts), ("count valid", *sequences))


def translate_longest_valid(plan: Plan) -> Draft:
    """Translate the longest valid one of several sequences."""
    drawn = [draw_gene(plan) for _ in range(plan.rng.randint(3, 5))]
    sequences, valid = spoil_some(plan, drawn)
    longest = max(valid, key=len)
    if [len(dna) for dna in valid].count(len(longest)) > 1:
        raise DeadEnd
    text = plan.say(
        (
            "Of the sequences {sequences}, take the longest that is valid DNA, transcribe it to "
            "mRNA, and translate that. Answer the amino acids as the tool gives them.",
            "A sequencer read {sequences}, with errors. Which amino acids does the longest valid "
            "DNA sequence among them code for? Write them with hyphens, as the translation tool "
            "does.",
        ),
        sequences=_enumerate(sequences),
    )
    checks = [plan.call("is_valid_dna_sequence", sequence) for sequence in sequences]
    listed = ", ".join(f"({sequence!r}, {{{i}}})" for i, sequence in enumerate(sequences))
    code = f"max((dna for dna, valid in [{listed}] if valid), key=len)"
    answer = translated(plan, plan.derive(longest, code, *checks))
    return Draft(text, answer, ("longest valid", *sequences))


def count_in_source(plan: Plan) -> Draft:
    """Count the nucleotides of the DNA that an mRNA sequence comes from."""
    mrna = draw_sequence(plan, "ACGU", 8, 30)
    text = plan.say(
        (
            "Count the nucleotides of the DNA that the mRNA '{mrna}' comes from. Answer a "
            "dictionary such as {{'A': 2, 'C': 1}}, as the counting tool gives it.",
            "How often does each nucleotide occur in the DNA behind the mRNA sequence '{mrna}'? "
            "Answer with the dictionary that the counting tool returns.",
        ),
        mrna=mrna,
    )
    dna = plan.call("reverse_transcribe_mrna_to_dna", mrna)
    return Draft(text, plan.call("count_nucleotides", dna), ("count source", mrna))


KINDS: Mapping[Callable[[Plan], Draft], float] = {
    amino_acids: 2,
    most_common_in_source: 2,
    most_common_combined: 1.5,
    count_valid: 2,
    translate_longest_valid: 2,
    count_in_source: 1.5,
}
"""The kinds of tasks -> how often, relative to the others."""

_PAIR_FORM = (
    "Answer a pair such as ('C', 7). Among equally common ones take the one that occurs first."
)


def draw_sequence(plan: Plan, letters: str, shortest: int, longest: int) -> str:
    """Draw a sequence of some letters, of a length between two bounds."""
    length = plan.rng.randint(shortest, longest)
    return "".join(plan.rng.choice(letters) for _ in range(length))


def draw_gene(plan: Plan) -> str:
    """Draw DNA with codons that are translated to something."""
    codons = [
        plan.rng.choice(_TELLING_CODONS)
        if plan.rng.random() < 0.6
        else draw_sequence(plan, "ACGT", 3, 3)
        for _ in range(plan.rng.randint(4, 9))
    ]
    return "".join(codons) + draw_sequence(plan, "ACGT", 0, 2)


def spoil_some(plan: Plan, drawn: list[str]) -> tuple[list[str], list[str]]:
    """Make some sequences invalid; return all, and the valid ones (two at least, but not all)."""
    spoilt = plan.rng.sample(range(len(drawn)), plan.rng.randint(1, len(drawn) - 2))
    sequences = list(drawn)
    for i in spoilt:
        place = plan.rng.randrange(len(drawn[i]))
        wrong = plan.rng.choice("BNRUXYZ")
        sequences[i] = drawn[i][:place] + wrong + drawn[i][place + 1 :]
    return sequences, [dna for i, dna in enumerate(drawn) if i not in spoilt]


def translated(plan: Plan, dna: Term | str) -> Term:
    """Note the calls that transcribe and translate DNA; return the amino acids."""
    return plan.call("translate_mrna_to_amino_acid", plan.call("transcribe_dna_to_mrna", dna))


def _most_common(plan: Plan, counts: Term) -> Term:
    parts = [part for pair in counts.value.items() for part in pair]
    code = "[part for pair in {0}.items() for part in pair]"
    return plan.call("find_max_nucleotide", plan.derive(parts, code, counts, spread=True))


def _enumerate(sequences: list[str]) -> str:
    *head, last = (f"'{sequence}'" for sequence in sequences)
    return f"{', '.join(head)} and {last}"
