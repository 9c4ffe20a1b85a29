"""Rewrites of a recorded step that change its speed and, but for rounding, nothing else."""

from __future__ import annotations

from typing import Any

import torch
from torch.fx import GraphModule, Node

NARROW = 16
"""Columns below which a product is turned. BLAS kernels work along rows; 64 × 6 took five times as long as 6 × 64."""

aten = torch.ops.aten


FRESH = (aten.bmm.default, aten.add_.Tensor, aten.add.Tensor)
"""Operations whose result is memory of its own."""


def rewrite(recorded: GraphModule) -> GraphModule:
    """All rewrites, in place."""
    turn_narrow_products(recorded)
    reuse_memory(recorded)
    recorded.graph.eliminate_dead_code()
    recorded.recompile()
    return recorded


def turn_narrow_products(recorded: GraphModule) -> None:
    """Compute A·B as (Bᵀ·Aᵀ)ᵀ where A·B is taller than wide and narrow, and drop transposes that cancel, in place.

    A weight's gradient is recorded as the transpose of a product; turned, it also comes in the weight's own layout.
    """
    graph = recorded.graph
    for node in list(graph.find_nodes(op="call_function", target=aten.bmm.default)):
        members, rows, columns = node.meta["val"].shape
        wanted = _transposing_user(node) is not None and rows >= min(columns, NARROW)
        if not wanted and not (columns < NARROW and columns < rows):
            continue
        left, right = node.args
        assert isinstance(left, Node) and isinstance(right, Node)
        with graph.inserting_before(node):
            shape = torch.Size((members, columns, rows))
            product = _call(graph, aten.bmm.default, shape, _transposed(graph, right), _transposed(graph, left))
            back = _call(graph, aten.transpose.int, torch.Size((members, rows, columns)), product, 1, 2)
        node.replace_all_uses_with(back)
        graph.erase_node(node)
    for node in graph.nodes:
        if node.target in (aten.view.default, aten._unsafe_view.default):
            node.target = aten.reshape.default  # a turned product is no longer contiguous
    _cancel_transposes(recorded)


def reuse_memory(recorded: GraphModule) -> None:
    """Let sums, ReLUs and their gradients overwrite a fresh array that nothing else reads, rather than fill another."""
    graph = recorded.graph
    for node in list(graph.nodes):
        arguments: tuple[Any, ...] = node.args
        options: dict[str, Any] = {}
        if node.target is aten.add.Tensor and not node.kwargs and _is_spent(arguments[1], node):
            target, arguments = aten.add_.Tensor, (arguments[1], arguments[0])
        elif node.target is aten.relu.default and _is_spent(arguments[0], node):
            target = aten.relu_.default
        elif node.target is aten.threshold_backward.default and _is_spent(arguments[0], node):
            target, options = aten.threshold_backward.grad_input, {"grad_input": arguments[0]}
        else:
            continue
        with graph.inserting_before(node):
            written = graph.call_function(target, arguments, options)
        written.meta["val"] = node.meta["val"]
        node.replace_all_uses_with(written)
        graph.erase_node(node)


def _is_spent(argument: object, user: Node) -> bool:
    """Whether a node's argument is a fresh array of the result's shape that only this node reads."""
    if not isinstance(argument, Node) or argument.target not in FRESH:
        return False
    return len(argument.users) == 1 and argument.meta["val"].shape == user.meta["val"].shape


def _call(graph: torch.fx.Graph, target: torch._ops.OpOverload, shape: torch.Size, *arguments: object) -> Node:
    node = graph.call_function(target, arguments)  # type: ignore[arg-type]
    node.meta["val"] = torch.empty(shape, device="meta")
    return node


def _transposed(graph: torch.fx.Graph, node: Node) -> Node:
    if node.target is aten.transpose.int and node.args[1:] == (1, 2):
        (source, *_) = node.args
        assert isinstance(source, Node)
        return source
    members, rows, columns = node.meta["val"].shape
    return _call(graph, aten.transpose.int, torch.Size((members, columns, rows)), node, 1, 2)


def _transposing_user(node: Node) -> Node | None:
    """The transpose that alone uses a product, perhaps through views of the same shape."""
    while len(node.users) == 1:
        (user,) = node.users
        if user.target is aten.transpose.int and user.args[1:] == (1, 2):
            return user
        if user.target not in VIEWS or user.meta["val"].shape != node.meta["val"].shape:
            return None
        node = user
    return None


VIEWS = (aten.view.default, aten._unsafe_view.default, aten.reshape.default, aten.expand.default)


def _cancel_transposes(recorded: GraphModule) -> None:
    """Replace the transpose of a transpose by what it began with, looking through views that change nothing."""
    for node in list(recorded.graph.nodes):
        if node.target in VIEWS and node.meta["val"].shape == node.args[0].meta["val"].shape:
            node.replace_all_uses_with(node.args[0])
    for node in recorded.graph.find_nodes(op="call_function", target=aten.transpose.int):
        inner = node.args[0]
        if inner.target is aten.transpose.int and inner.args[1:] == node.args[1:]:
            node.replace_all_uses_with(inner.args[0])
    recorded.graph.eliminate_dead_code()
