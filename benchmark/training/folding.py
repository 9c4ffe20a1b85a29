"""What a recorded step computes anew though it is known beforehand: constants, identities, chains of factors."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.fx import GraphModule, Node
from torch.fx.graph import CodeGen

aten = torch.ops.aten

Step: TypeAlias = "Callable[..., list[Tensor]]"

VIEWS = (aten.view.default, aten._unsafe_view.default, aten.reshape.default, aten.expand.default)
"""Operations that change at most the shape."""

SPREADING = (*VIEWS, aten.unsqueeze.default, aten.lift_fresh_copy.default, aten.detach.default, aten.clone.default)
"""Operations after which an array of one value is an array of that value."""

ELEMENTWISE = {
    getattr(getattr(aten, name), overload)
    for name, overloads in {
        "add": ("Tensor", "Scalar"),
        "sub": ("Tensor", "Scalar"),
        "mul": ("Tensor", "Scalar"),
        "div": ("Tensor", "Scalar"),
        "neg": ("default",),
        "exp": ("default",),
        "reciprocal": ("default",),
    }.items()
    for overload in overloads
}
PRODUCTS = (aten.mul.Tensor, aten.mul.Scalar)
TAKES_NUMBER = {aten.mul.Tensor: True, aten.add.Tensor: True, aten.sub.Tensor: False, aten.div.Tensor: False}
"""Operations whose second operand may be a number, and whether the operands may change places."""


def is_pure(recorded: GraphModule) -> bool:
    """Whether nothing recorded writes over its operands: only then may an operation's memory be another's."""
    called = {node.target for node in recorded.graph.nodes if isinstance(node.target, torch._ops.OpOverload)}
    return not any(operation._schema.is_mutable for operation in called)


def fold(recorded: GraphModule) -> None:
    """All foldings of a pure step, in place."""
    drop_identities(recorded)
    fold_constants(recorded)
    merge_factors(recorded)
    recorded.graph.eliminate_dead_code()


def operations(recorded: GraphModule) -> list[Any]:
    """The nodes as they stand. A node's operands may be nearly anything, which no type checker follows."""
    return list(recorded.graph.nodes)


def same_numbers(one: Node, other: Node) -> bool:
    """Whether two arrays hold numbers of one kind: an operation may turn masks and whole numbers into others."""
    return bool(one.meta["val"].dtype == other.meta["val"].dtype)


def drop_identities(recorded: GraphModule) -> None:
    """Detaching, which nothing differentiates any more, powers of 1, products with 1, and views of the same shape."""
    for node in operations(recorded):
        one = node.target in (aten.pow.Tensor_Scalar, *PRODUCTS) and node.args[1] == 1
        one = one and same_numbers(node.args[0], node)  # a mask times 1 is a mask in numbers
        same = node.target in VIEWS and node.meta["val"].shape == node.args[0].meta["val"].shape
        if node.target is aten.detach.default or one or same:
            node.replace_all_uses_with(node.args[0])
            recorded.graph.erase_node(node)


def fold_constants(recorded: GraphModule) -> None:
    """Give numbers in place of arrays of one known value, in 32 bits, to the operations that take either."""
    known: dict[Node, Tensor] = {}
    for node in operations(recorded):
        value = _value(node, recorded, known)
        if value is not None:
            known[node] = value
            continue
        if node.target not in TAKES_NUMBER or node.kwargs:
            continue
        left, right = node.args
        if left in known and isinstance(right, Node) and TAKES_NUMBER[node.target]:
            left, right = right, left
        if right not in known or left in known or left.meta["val"].shape != node.meta["val"].shape:
            continue
        number = known[right].item()
        if torch.result_type(left.meta["val"], number) == node.meta["val"].dtype:
            node.args = (left, number)


def _value(node: Any, recorded: GraphModule, known: dict[Node, Tensor]) -> Tensor | None:
    """The one value of a 32-bit array's elements, where it is known."""
    shown = node.meta.get("val")
    if node.op == "get_attr":
        attribute = operator.attrgetter(str(node.target))(recorded)
        return attribute if attribute.ndim == 0 and attribute.dtype == torch.float32 else None
    if not isinstance(shown, Tensor) or shown.dtype != torch.float32 or node.op != "call_function":
        return None
    if node.target in (aten.ones_like.default, aten.zeros_like.default, aten.new_zeros.default):
        return torch.ones(()) if node.target is aten.ones_like.default else torch.zeros(())
    if node.target in SPREADING:
        return known.get(node.args[0])
    if node.target in ELEMENTWISE and not node.kwargs and all(each in known for each in node.all_input_nodes):
        values = [known[each] if isinstance(each, Node) else each for each in node.args]
        found: Tensor = node.target(*values)
        return found
    return None


def merge_factors(recorded: GraphModule) -> None:
    """One product with a number for several in a row, signs included; whole numbers stay as they are."""
    for node in operations(recorded):
        outer, inner = _factor(node), _factor(node.args[0] if node.args else None)
        if outer is None or inner is None or len(node.args[0].users) > 1:
            continue
        source = node.args[0].args[0]
        if not same_numbers(source, node) or not source.meta["val"].is_floating_point():
            continue
        with recorded.graph.inserting_before(node):
            merged = recorded.graph.call_function(aten.mul.Tensor, (source, outer * inner))
        merged.meta["val"] = node.meta["val"]
        node.replace_all_uses_with(merged)
        recorded.graph.erase_node(node)


def _factor(node: object) -> float | None:
    """The number that an operation multiplies its first operand by, if that is what it does."""
    if not isinstance(node, Node):
        return None
    if node.target is aten.neg.default:
        return -1.0
    factor = node.args[1] if node.target in PRODUCTS else None
    return factor if isinstance(factor, float | int) else None


def bind(recorded: GraphModule, fixed: Sequence[Tensor]) -> Step:
    """Give the step its first arguments for good, arrays that are only ever written over, and take views of them once.

    What is left of the arguments is then passed one by one, and the results come as a list.
    """
    graph = recorded.graph
    nodes = operations(recorded)
    bound = dict(zip(nodes, fixed, strict=False))
    views: list[Tensor] = []
    for node in nodes:
        if node.target not in (*VIEWS, aten.transpose.int, aten.unsqueeze.default) or node.args[0] not in bound:
            continue
        source = bound[node.args[0]]
        view = node.target(source, *node.args[1:])
        if view.untyped_storage().data_ptr() != source.untyped_storage().data_ptr():
            continue
        bound[node] = view
        with graph.inserting_before(nodes[0]):
            given = graph.placeholder(f"view_{len(views)}")
        given.meta = node.meta
        node.replace_all_uses_with(given)
        views.append(view)
    result = nodes[-1]
    result.args = (list(result.args[0]),)
    graph.set_codegen(CodeGen())
    graph.eliminate_dead_code()
    recorded.recompile()
    return partial(recorded, *views, *fixed)
