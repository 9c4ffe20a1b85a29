"""The page of what `from benchmark import …` offers."""

from __future__ import annotations

import inspect

import benchmark
from benchmark.documentation.prose import markdown


def page() -> str:
    parts = ["# Python interface", "All of it is imported from `benchmark`; nothing is imported before it is used."]
    for name in sorted(benchmark.__all__, key=str.casefold):
        if name.startswith("_"):
            continue
        each = getattr(benchmark, name)
        ours = str(getattr(each, "__module__", "")).startswith("benchmark")
        said = markdown(inspect.getdoc(each) or "") if ours else "A type, for the settings of models and measures."
        parts.append(f"## {name}\n\n```python\n{_signature(name, each)}\n```\n\n{said}")
    return "\n\n".join(parts) + "\n"


def _signature(name: str, each: object) -> str:
    if inspect.isclass(each):
        return f"class {name}"
    if not inspect.isfunction(each):
        return f"{name} = {each}"
    signature = inspect.signature(each)
    parameters = [_parameter(parameter) for parameter in signature.parameters.values()]
    keywords = [p.kind is inspect.Parameter.KEYWORD_ONLY for p in signature.parameters.values()]
    if True in keywords and not any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in signature.parameters.values()):
        parameters.insert(keywords.index(True), "*")
    returns = (
        "" if signature.return_annotation is signature.empty else f" -> {_annotation(signature.return_annotation)}"
    )
    short = f"{name}({', '.join(parameters)}){returns}"
    return (
        short if len(short) <= 90 else "\n".join([f"{name}(", *(f"    {each}," for each in parameters), f"){returns}"])
    )


def _parameter(parameter: inspect.Parameter) -> str:
    stars = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(parameter.kind.name, "")
    said = "" if parameter.annotation is parameter.empty else f": {_annotation(parameter.annotation)}"
    default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
    return f"{stars}{parameter.name}{said}{default}"


def _annotation(annotation: object) -> str:
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
