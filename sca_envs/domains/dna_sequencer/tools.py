"""The tools of the plant DNA sequencer; they keep no state."""

from __future__ import annotations

from collections import Counter

from sca_envs.core.database import Database

_MRNA_OF_DNA = str.maketrans({"A": "U", "C": "G", "G": "C", "T": "A"})
_DNA_OF_MRNA = str.maketrans({"U": "A", "C": "G", "A": "T", "G": "C"})
_AMINO_ACIDS = {"AUG": "Methionine", "UUU": "Phenylalanine", "UUC": "Phenylalanine"}


def count_nucleotides(db: Database, dna_sequence: str) -> dict[str, int]:
    """Count how often each nucleotide occurs, in the order in which they first occur.

    Args:
        dna_sequence: The sequence, such as 'GATTACA'.
    """
    return dict(Counter(dna_sequence))


def transcribe_dna_to_mrna(db: Database, dna_sequence: str) -> str:
    """Transcribe a DNA sequence to the complementary mRNA: A to U, C to G, G to C, T to A.

    Args:
        dna_sequence: The DNA sequence.
    """
    return dna_sequence.translate(_MRNA_OF_DNA)


def translate_mrna_to_amino_acid(db: Database, mrna_sequence: str) -> str:
    """Translate mRNA, three nucleotides at a time, to amino acids with hyphens between them.

    Known are AUG (Methionine), UUU and UUC (Phenylalanine). Anything else is X, and so is a rest of
    one or two nucleotides.

    Args:
        mrna_sequence: The mRNA sequence.
    """
    codons = (mrna_sequence[i : i + 3] for i in range(0, len(mrna_sequence), 3))
    return "-".join(_AMINO_ACIDS.get(codon, "X") for codon in codons)


def find_max_nucleotide(db: Database, *counts: int | float | str) -> tuple[str, int]:
    """Return the nucleotide with the highest count, and that count; the first one wins a tie.

    Args:
        counts: Nucleotides and their counts in turn, such as 'A', 3, 'C', 5.
    """
    pairs = dict(zip(counts[::2], counts[1::2], strict=False))
    return max(pairs.items(), key=lambda pair: pair[1])  # type: ignore[return-value]


def is_valid_dna_sequence(db: Database, dna_sequence: str) -> bool:
    """Check that a sequence has only the nucleotides A, C, G and T.

    Args:
        dna_sequence: The sequence.
    """
    return set(dna_sequence) <= set("ACGT")


def reverse_transcribe_mrna_to_dna(db: Database, mrna_sequence: str) -> str:
    """Find the DNA that an mRNA sequence comes from: U to A, C to G, A to T, G to C.

    Args:
        mrna_sequence: The mRNA sequence.
    """
    return mrna_sequence.translate(_DNA_OF_MRNA)
