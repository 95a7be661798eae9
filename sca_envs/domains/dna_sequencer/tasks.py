"""What the tasks of the generated DNA sequencer are about."""

from __future__ import annotations

from collections.abc import Sequence

from sca_envs.core.wishes import DeadEnd, Term, derive, enumerate_words
from sca_envs.core.wishes.terms import to_code
from sca_envs.domains.m3.plans import Kinds, Plan, Question, Spread, add_up

# Codons whose mRNA is translated to something: AUG, UUU, UUC.
_TELLING_CODONS = ("TAC", "AAA", "AAG")


def transcribe(plan: Plan) -> Question:
    """Transcribe DNA, or find the DNA behind an mRNA."""
    backwards = plan.rng.random() < 0.5
    sequence = _draw_sequence(plan, "ACGU" if backwards else "ACGT", 10, 40)
    tool = "reverse_transcribe_mrna_to_dna" if backwards else "transcribe_dna_to_mrna"
    text = plan.say("backwards" if backwards else "forwards", sequence=sequence)
    return Question(text, plan.call(tool, sequence), (tool, sequence))


def amino_acids(plan: Plan) -> Question:
    """Transcribe and translate a DNA sequence."""
    dna = _draw_gene(plan)
    text = plan.say("text", dna=dna)
    return Question(text, _translate(plan, plan.given(dna)), ("amino acids", dna))


def count_amino_acid(plan: Plan) -> Question:
    """Count an amino acid in the chains of one to three genes."""
    genes = [_draw_gene(plan) for _ in range(plan.size(1, 3, each=2))]
    amino, other = plan.rng.sample(("Methionine", "Phenylalanine"), 2)
    text = plan.say("several" if genes[1:] else "one", amino=amino, genes=_quote(genes))
    chains = [_translate(plan, plan.given(gene)) for gene in genes]
    answer, mistake = (
        add_up([derive(c.value.split("-").count(a), f"{{0}}.split('-').count({a!r})", c)
                for c in chains])
        for a in (amino, other)
    )  # fmt: skip
    return Question(text, answer, ("count amino", amino, *sorted(genes)), (mistake,))


def most_common_in_source(plan: Plan) -> Question:
    """Find the most common nucleotide of the DNA that an mRNA sequence comes from."""
    mrna = _draw_sequence(plan, "ACGU", 12, 40)
    text = plan.say("text", mrna=mrna, form=plan.say("pair"))
    counts = plan.call("count_nucleotides", plan.call("reverse_transcribe_mrna_to_dna", mrna))
    return Question(text, _most_common(plan, counts), ("common in source", mrna))


def most_common_combined(plan: Plan) -> Question:
    """Find the most common nucleotide of several sequences put together."""
    parts = [_draw_sequence(plan, "ACGT", 5, 15) for _ in range(plan.rng.randint(2, 4))]
    text = plan.say("text", parts=_quote(parts), form=plan.say("pair"))
    counts = plan.call("count_nucleotides", plan.given("".join(parts), ["".join(parts[:-1])]))
    return Question(text, _most_common(plan, counts), ("common combined", *parts))


def most_common_valid(plan: Plan) -> Question:
    """Find the most common nucleotide of the valid ones of several sequences."""
    count = plan.size(3, 5, besides=2)
    sequences = _spoil_some(plan, [_draw_sequence(plan, "ACGT", 6, 18) for _ in range(count)])
    text = plan.say("text", sequences=_quote(sequences), form=plan.say("pair"))
    checks, valid = _check(plan, sequences)
    joined = derive("".join(valid), "''.join(dna for dna, valid in {0} if valid)", checks)
    counts = plan.call("count_nucleotides", joined)
    return Question(text, _most_common(plan, counts), ("count valid", *sequences))


def translate_longest_valid(plan: Plan) -> Question:
    """Translate the longest valid one of several sequences."""
    sequences = _spoil_some(plan, [_draw_gene(plan) for _ in range(plan.size(3, 5, besides=2))])
    text = plan.say("text", sequences=_quote(sequences))
    checks, valid = _check(plan, sequences)
    longest = max(valid, key=len)
    if [len(dna) for dna in valid].count(len(longest)) > 1:
        raise DeadEnd
    code = "max((dna for dna, valid in {0} if valid), key=len)"
    answer = _translate(plan, derive(longest, code, checks))
    return Question(text, answer, ("longest valid", *sequences))


def list_valid(plan: Plan) -> Question:
    """Say which of some sequences are valid DNA."""
    drawn = [_draw_sequence(plan, "ACGT", 8, 16) for _ in range(plan.size(3, 6))]
    sequences = _spoil_some(plan, drawn)
    text = plan.say("text", sequences=_quote(sequences))
    checks, valid = _check(plan, sequences)
    mistake = derive([], "[dna for dna, valid in {0} if not valid]", checks)
    answer = derive(valid, "[dna for dna, valid in {0} if valid]", checks)
    return Question(text, answer, ("list valid", *sequences), (mistake,))


def use_the_valid_one(plan: Plan) -> Question:
    """Transcribe, and perhaps translate, the one of some sequences that is valid DNA."""
    translates = plan.rng.random() < 0.5
    sequences = [_draw_gene(plan) for _ in range(plan.size(2, 4, besides=1 + translates))]
    right = plan.rng.randrange(len(sequences))
    sequences = [dna if place == right else _spoil(plan, dna, "N")
                 for place, dna in enumerate(sequences)]  # fmt: skip
    text = plan.say("translate" if translates else "transcribe", sequences=_quote(sequences))
    checks, _ = _check(plan, sequences)
    only = derive(sequences[right], "next(dna for dna, valid in {0} if valid)", checks)
    mrna = plan.call("transcribe_dna_to_mrna", only)
    answer = plan.call("translate_mrna_to_amino_acid", mrna) if translates else mrna
    return Question(text, answer, ("valid one", *sequences))


def count_in_source(plan: Plan) -> Question:
    """Count the nucleotides of the DNA that an mRNA sequence comes from."""
    mrna = _draw_sequence(plan, "ACGU", 8, 30)
    text = plan.say("text", mrna=mrna)
    dna = plan.call("reverse_transcribe_mrna_to_dna", mrna)
    return Question(text, plan.call("count_nucleotides", dna), ("count source", mrna))


def count_one(plan: Plan) -> Question:
    """Count one nucleotide in some DNA sequences, or in the DNA that mRNA comes from."""
    behind = plan.rng.random() < 0.3
    count = plan.size(1, 3, each=2) if behind else plan.size(1, 6)
    parts = [_draw_sequence(plan, "ACGU" if behind else "ACGT", 10, 30) for _ in range(count)]
    letter, other = plan.rng.sample("ACGT", 2)
    key = "behind" if behind else "in_them" if parts[1:] else "in_it"
    text = plan.say(key, letter=letter, parts=_quote(parts))
    sequences = [
        plan.call("reverse_transcribe_mrna_to_dna", part) if behind else part for part in parts
    ]
    counts = [plan.call("count_nucleotides", sequence) for sequence in sequences]
    answer, mistake = (add_up([c.get(each, 0) for c in counts]) for each in (letter, other))
    return Question(text, answer, ("count", letter, behind, *sorted(parts)), (mistake,))


TASKS: Kinds = {
    transcribe: 0.4,
    amino_acids: 2,
    count_amino_acid: 0.2,
    most_common_in_source: 2,
    most_common_combined: 1.5,
    most_common_valid: 2,
    translate_longest_valid: 2,
    list_valid: 1,
    use_the_valid_one: 1,
    count_in_source: 1.5,
    count_one: 0.4,
}
"""What a task may ask."""
DRAFTS: Kinds = {
    **dict.fromkeys(TASKS, 1.0),
    transcribe: 2,
    count_one: 2,
}
"""What a Code-as-Task may ask."""


def _draw_sequence(plan: Plan, letters: str, shortest: int, longest: int) -> str:
    """Draw a sequence of some letters, of a length between two bounds."""
    length = plan.rng.randint(shortest, longest)
    return "".join(plan.rng.choice(letters) for _ in range(length))


def _draw_gene(plan: Plan) -> str:
    """Draw DNA with codons that are translated to something."""
    codons = [
        plan.rng.choice(_TELLING_CODONS)
        if plan.rng.random() < 0.6
        else _draw_sequence(plan, "ACGT", 3, 3)
        for _ in range(plan.rng.randint(4, 9))
    ]
    return "".join(codons) + _draw_sequence(plan, "ACGT", 0, 2)


def _spoil_some(plan: Plan, sequences: list[str]) -> list[str]:
    """Make one of some sequences invalid, or more, so that two at least stay valid."""
    spoilt = plan.rng.sample(range(len(sequences)), plan.rng.randint(1, len(sequences) - 2))
    return [_spoil(plan, dna, "BNRUXYZ") if place in spoilt else dna
            for place, dna in enumerate(sequences)]  # fmt: skip


def _spoil(plan: Plan, dna: str, letters: str) -> str:
    place = plan.rng.randrange(len(dna))
    return dna[:place] + plan.rng.choice(letters) + dna[place + 1 :]


def _check(plan: Plan, sequences: Sequence[str]) -> tuple[Term, list[str]]:
    """Note the checks of some sequences; return pairs of sequence and verdict, and the valid."""
    pairs = [(dna, plan.call("is_valid_dna_sequence", dna)) for dna in sequences]
    valid = [dna for dna, check in pairs if check.value]
    return Term([(dna, check.value) for dna, check in pairs], to_code(pairs)), valid


def _translate(plan: Plan, dna: Term) -> Term:
    """Note the calls that transcribe and translate DNA; return the amino acids."""
    return plan.call("translate_mrna_to_amino_acid", plan.call("transcribe_dna_to_mrna", dna))


def _most_common(plan: Plan, counts: Term) -> Term:
    parts = [part for pair in counts.value.items() for part in pair]
    code = "[part for pair in {0}.items() for part in pair]"
    return plan.call("find_max_nucleotide", Spread(derive(parts, code, counts)))


def _quote(sequences: Sequence[str]) -> str:
    return enumerate_words(f"'{sequence}'" for sequence in sequences)
