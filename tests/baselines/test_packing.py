"""However episodes are packed and a minibatch is cut, the loss and its gradient are the same."""

from __future__ import annotations

import pytest
import torch
from small import episodes, gradient, small_policy

from baselines.packing import Episode, attention, pack
from baselines.ppo import Args


def test_a_packed_episode_gives_what_it_gives_alone() -> None:
    policy, batch = small_policy(), episodes(7)
    rows, order = pack(batch, 40, "cpu")
    assert sorted(order) == list(range(7))
    assert len(rows.ids) < 7  # some share a row
    together = policy(rows, 0.7)
    alone = [policy(pack([batch[i]], 1, "cpu")[0], 0.7) for i in order]
    for i, packed in enumerate(together):
        torch.testing.assert_close(packed, torch.cat([one[i] for one in alone]))


def test_what_the_model_itself_says() -> None:
    """The library's own forward pass of one unpacked episode gives the log-probabilities."""
    policy, one = small_policy(), episodes(1)[0]
    ids = torch.tensor([one.ids])
    logprobs = policy.lm(input_ids=ids).logits[0].log_softmax(-1)
    expected = [logprobs[i - 1, one.ids[i]] for i, written in enumerate(one.mask) if written]
    torch.testing.assert_close(
        policy(pack([one], 1, "cpu")[0], 1.0).logprobs, torch.stack(expected)
    )


@pytest.mark.parametrize(("width", "rows"), [(1, 1), (1, 3), (30, 2), (64, 1), (1000, 1)])
def test_loss_does_not_depend_on_packing(width: int, rows: int) -> None:
    batch = episodes(9)
    plain = gradient(small_policy(), batch, Args("", pack_tokens=20, rows=100))
    found = gradient(small_policy(), batch, Args("", pack_tokens=width, rows=rows))
    assert found[0] == pytest.approx(plain[0])
    torch.testing.assert_close(found[1], plain[1])


def test_packing_loses_nothing_and_fills_rows() -> None:
    batch = [Episode([1] * n, [0] + [1] * (n - 1), 0.0, False, 1) for n in (5, 9, 3, 2, 12)]
    rows, order = pack(batch, 10, "cpu")
    assert order == [0, 2, 3, 1, 4]  # 5 + 3 + 2 in the first row; 12 has a wider one
    assert rows.ids.shape == (3, 12)
    assert rows.written.sum() == sum(one.written for one in batch)
    assert (rows.segments[0] == torch.tensor([0] * 5 + [1] * 3 + [2] * 2 + [-1] * 2)).all()
    seen = attention(rows.segments)[0, 0]
    assert seen[6].nonzero()[:, 0].tolist() == [5, 6]


def test_turn_of_token() -> None:
    assert Episode([0] * 7, [0, 1, 1, 0, 0, 1, 0], 0.0, False, 2).turn_of_token() == [0, 0, 1]
