"""Rewrites of a recorded step that change its speed and, but for rounding, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule, Node

from benchmark.training.folding import VIEWS, Step, bind, fold, is_pure, operations, same_numbers

NARROW = 16
"""Columns below which a product is turned. BLAS kernels work along rows; 64 × 6 took five times as long as 6 × 64."""

aten = torch.ops.aten


FRESH = (aten.bmm.default, aten.baddbmm.default, aten.add_.Tensor, aten.add.Tensor)
"""Operations whose result is memory of its own."""


def rewrite(recorded: GraphModule, fixed: Sequence[Tensor]) -> Step:
    """The recorded step after all rewrites, a function of the arguments beyond the first ones: `fixed` are these, and
    stay where they are in memory."""
    if is_pure(recorded):
        fold(recorded)
        lay_batches_last(recorded, len(fixed))
    turn_narrow_products(recorded)
    add_in_products(recorded)
    reuse_memory(recorded)
    take_narrow_relus_by_their_bits(recorded)
    recorded.graph.eliminate_dead_code()
    return bind(recorded, fixed)


def lay_batches_last(recorded: GraphModule, fixed: int) -> None:
    """Lay narrow arguments (m b k) out with the batch last in memory, and let concatenations keep that layout.

    What is computed from them elementwise is then laid out so too: loops run along the batch rather than along a few
    columns, and products of two such arrays run along rows.
    """
    graph = recorded.graph
    arguments = [node for node in operations(recorded) if node.op == "placeholder"]
    first = arguments[-1].next
    for node in arguments[fixed:]:
        value = node.meta.get("val")
        if not isinstance(value, Tensor) or not value.is_floating_point() or not _is_narrow(value.shape):
            continue
        users = list(node.users)
        with graph.inserting_before(first):
            there = _call(graph, aten.transpose.int, node, _swapped(value.shape), node, 1, 2)
            dense = _call(graph, aten.clone.default, node, _swapped(value.shape), there)
            back = _call(graph, aten.transpose.int, node, value.shape, dense, 1, 2)
        dense.kwargs = {"memory_format": torch.contiguous_format}
        for user in users:
            user.replace_input_with(node, back)
    for node in operations(recorded):
        if node.target is not aten.cat.default or not _is_narrow(node.meta["val"].shape):
            continue
        parts, *dimension = node.args
        shape = node.meta["val"].shape
        if dimension not in ([2], [-1]):
            continue
        with graph.inserting_before(node):
            sides = [_transposed(graph, part) for part in parts]
            joined = _call(graph, aten.cat.default, node, _swapped(shape), sides, 1)
            back = _call(graph, aten.transpose.int, node, shape, joined, 1, 2)
        node.replace_all_uses_with(back)
        graph.erase_node(node)
    _cancel_transposes(recorded)


def _is_narrow(shape: torch.Size) -> bool:
    return len(shape) == 3 and 1 < shape[2] < min(NARROW, shape[1])


def _swapped(shape: torch.Size) -> torch.Size:
    return torch.Size((shape[0], shape[2], shape[1]))


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
            product = _call(graph, aten.bmm.default, node, shape, _transposed(graph, right), _transposed(graph, left))
            back = _call(graph, aten.transpose.int, node, torch.Size((members, rows, columns)), product, 1, 2)
        node.replace_all_uses_with(back)
        graph.erase_node(node)
    for node in graph.nodes:
        if node.target in (aten.view.default, aten._unsafe_view.default):
            node.target = aten.reshape.default  # a turned product is no longer contiguous
    _cancel_transposes(recorded)


def add_in_products(recorded: GraphModule) -> None:
    """Add rows, the biases of layers, inside the products that they are added to, in place."""
    graph = recorded.graph
    for node in operations(recorded):
        if node.target is not aten.add.Tensor or node.kwargs:
            continue
        for row, product in (node.args, node.args[::-1]):
            inner = _product_plus_row(row, product)
            if inner is None:
                continue
            turned = inner is not product
            with graph.inserting_before(node):
                added = _transposed(graph, row) if turned else row
                result = _call(graph, aten.baddbmm.default, inner, inner.meta["val"].shape, added, *inner.args)
                if turned:
                    result = _call(graph, aten.transpose.int, node, node.meta["val"].shape, result, 1, 2)
            node.replace_all_uses_with(result)
            graph.erase_node(node)
            break
    graph.eliminate_dead_code()


def _product_plus_row(row: Any, product: Any) -> Node | None:
    """The product (m b k), perhaps seen through a transpose, that only a sum with a row (m 1 k) of its kind of numbers
    uses."""
    if not isinstance(row, Node) or not isinstance(product, Node):
        return None
    turned = product.target is aten.transpose.int and product.args[1:] == (1, 2)
    inner: Any = product.args[0] if turned else product
    if inner.target is not aten.bmm.default or not len(product.users) == len(inner.users) == 1:
        return None
    members, _, columns = product.meta["val"].shape
    return inner if row.meta["val"].shape == (members, 1, columns) and same_numbers(row, inner) else None


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


def take_narrow_relus_by_their_bits(recorded: GraphModule) -> None:
    """Compute ReLUs of bfloat16, and their gradients, on the whole numbers of their bits (see `narrow.NarrowReLU`)."""
    graph = recorded.graph
    of_bits = {
        aten.relu.default: aten.clamp_min.default,
        aten.relu_.default: aten.clamp_min_.default,
        aten.threshold_backward.default: aten.threshold_backward.default,
        aten.threshold_backward.grad_input: aten.threshold_backward.grad_input,
    }
    for node in operations(recorded):
        target = of_bits.get(node.target)
        if target is None or node.meta["val"].dtype != torch.bfloat16:
            continue
        with graph.inserting_before(node):
            bits = {each: graph.call_function(aten.view.dtype, (each, torch.int16)) for each in node.all_input_nodes}
            arguments = [bits.get(each, each) for each in node.args]
            options = {name: bits.get(each, each) for name, each in node.kwargs.items()}
            if len(arguments) == 1:
                arguments.append(0)  # what a ReLU is clamped to
            result = graph.call_function(target, tuple(arguments), options)
            back = graph.call_function(aten.view.dtype, (result, torch.bfloat16))
        back.meta["val"] = node.meta["val"]
        node.replace_all_uses_with(back)
        graph.erase_node(node)


def _is_spent(argument: object, user: Node) -> bool:
    """Whether a node's argument is a fresh array of the result's shape and numbers, perhaps turned, that only this node
    reads."""
    if not isinstance(argument, Node) or argument.meta["val"].shape != user.meta["val"].shape:
        return False
    if not same_numbers(argument, user):
        return False
    while argument.target is aten.transpose.int and len(argument.users) == 1:
        argument = argument.args[0]
        assert isinstance(argument, Node)
    return argument.target in FRESH and len(argument.users) == 1


def _call(
    graph: torch.fx.Graph, target: torch._ops.OpOverload, like: Node, shape: torch.Size, *arguments: object
) -> Node:
    """A new operation, whose result has the numbers of the node `like` in another shape."""
    node = graph.call_function(target, arguments)  # type: ignore[arg-type]
    node.meta["val"] = torch.empty(shape, dtype=like.meta["val"].dtype, device="meta")
    return node


def _transposed(graph: torch.fx.Graph, node: Node) -> Node:
    if node.target is aten.transpose.int and node.args[1:] == (1, 2):
        (source, *_) = node.args
        assert isinstance(source, Node)
        return source
    members, rows, columns = node.meta["val"].shape
    return _call(graph, aten.transpose.int, node, torch.Size((members, columns, rows)), node, 1, 2)


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
