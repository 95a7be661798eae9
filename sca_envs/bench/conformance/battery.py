"""`check_domain`: what every domain must fulfil, and what to mend where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sca_envs.bench.conformance import (
    calls,
    documents,
    processes,
    shortcuts,
    tasks,
    users,
    wishes,
)
from sca_envs.bench.conformance.report import (
    FAILED,
    NOT_APPLICABLE,
    PASSED,
    DomainReport,
    Finding,
    Row,
)
from sca_envs.bench.conformance.sample import NotApplicable, Sample, describe
from sca_envs.core.domain import Domain
from sca_envs.core.errors import OptionError
from sca_envs.domains import domain as find_domain

CHECKS: dict[str, Callable[[Sample], Iterator[Finding]]] = {
    "policy": documents.check_policy,
    "descriptions": documents.check_descriptions,
    "schemas": documents.check_schemas,
    "samples": calls.check_samples,
    "splits": tasks.check_splits,
    "references": tasks.check_references,
    "instructions": tasks.check_instructions,
    "outputs": tasks.check_outputs,
    "facts": users.check_facts,
    "identity": users.check_identity,
    "shortcuts": shortcuts.check_shortcuts,
    "refusals": calls.check_refusals,
    "results": calls.check_results,
    "wishes": wishes.check_wishes,
    "processes": processes.check_processes,
    "tables": calls.check_base,
}
"""Name of a check -> function of what is looked at that yields what is broken. The last one sees
what the others left behind."""


def check_domain(
    domain: Domain | str, *, data: str = "generated", num_tasks: int = 50, seed: int = 0
) -> DomainReport:
    """Check a domain, and say what to mend.

    Reference calls are accepted and score 1; refused calls change nothing; samples fit the schemas;
    policy and descriptions are there; users tell who they are and all that they know; splits share
    no task; other processes see the same; doing nothing earns nothing; both kinds of task from each
    wish agree. What the domain does not have, users for instance, is not applicable.

    Args:
        domain: The domain, its name, or the id of an environment of one domain.
        data: The data, for a name or an id.
        num_tasks: How many tasks of each split to look at. Tasks that are known to be wrong are
            left out.
        seed: Draws the tasks and the tool calls.

    Returns:
        The report; ``print(report)`` shows the failed checks, ``report.raise_if_failed()`` is for
        tests.

    Raises:
        OptionError: If there is no such domain or data, or the number is below 1.
        DataNotInstalledError: If the data set was not imported yet.
    """
    if isinstance(num_tasks, bool) or not isinstance(num_tasks, int) or num_tasks < 1:
        raise OptionError(f"Expected num_tasks to be an integer from 1; got {num_tasks!r}")
    if isinstance(domain, str):
        domain = find_domain(domain, data)
    elif not isinstance(domain, Domain):
        raise OptionError(
            "Expected a Domain, its name or the id of an environment, such as "
            f"sca/TauRetail-v0; got {type(domain).__name__}"
        )
    sample = Sample(domain, num_tasks, seed)
    rows = [_run(name, check, sample) for name, check in CHECKS.items()]
    return DomainReport(
        domain.name,
        domain.data,
        {split: len(of_split) for split, of_split in sample.tasks.items()},
        sample.num_calls,
        rows,
    )


def _run(name: str, check: Callable[[Sample], Iterator[Finding]], sample: Sample) -> Row:
    findings: list[Finding] = []
    try:
        findings.extend(check(sample))
    except NotApplicable as reason:
        return Row(name, NOT_APPLICABLE, reason=str(reason))
    except Exception as error:
        findings.append(
            Finding(
                f"check {name!r}",
                "a domain that it can look at",
                describe(error),
                "mend what the other checks find first",
            )
        )
    return Row(name, FAILED if findings else PASSED, tuple(dict.fromkeys(findings)))
