"""Why a model or network does not stack, from what torch says when members are mapped over."""

from __future__ import annotations

REASONS = {
    "Batch norm got a batched tensor": "there is batch normalisation, whose running averages are one member's own",
    "called random operation": "it draws randomness itself (dropout, randn), which a stack takes from each member's"
    " own stream, as the model's `noise` declares it",
    ".item() on a Tensor": "it reads a number out of a tensor (.item()), and every member has one",
    "data-dependent control flow": "it branches on a tensor, and members would go different ways",
}


def advice(error: Exception) -> str | None:
    """One sentence on what does not stack and what to write; None where the error is about something else."""
    why = next((reason for words, reason in REASONS.items() if words in str(error)), None)
    if why is None:
        return None
    return f"does not stack: set stacks = False in the model or network, whose runs then train one by one; {why}"
