"""Rewrites recorded batched products whose result is a few columns wide: as rows they run several times faster."""

from __future__ import annotations

import torch
from torch.fx import GraphModule, Node

NARROW = 16
"""Columns below which a product is turned. BLAS kernels work along rows; 64 × 6 took five times as long as 6 × 64."""

aten = torch.ops.aten


def turn_narrow_products(recorded: GraphModule) -> GraphModule:
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
    _cancel_transposes(recorded)
    return recorded


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


VIEWS = (aten.view.default, aten._unsafe_view.default, aten.expand.default)


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
    recorded.recompile()
