"""Names → objects as one drawing: frames at the left, arrows, objects in columns to the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from anypart.lens.python.text import object_text
from anypart.lens.python.trace import Step, Thing

STYLE = """
.drawing { overflow-x: auto; }
svg.objects text { font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
svg.objects .label { fill: var(--soft); font-size: 10px; }
svg.objects .box, svg.objects .cell { fill: var(--panel); stroke: var(--line); }
svg.objects .frame { fill: none; stroke: var(--line); }
svg.objects .frame.inner { stroke: var(--model); }
svg.objects .changed { stroke: var(--best); stroke-width: 2; }
svg.objects .arrow { fill: none; stroke: var(--soft); stroke-width: 1.2; }
svg.objects .head { fill: var(--soft); stroke: none; }
svg.objects .arrow.hot { stroke: var(--model); stroke-width: 2; }
svg.objects .head.hot { fill: var(--model); }
"""
_CHAR, _SMALL = 7.3, 6.2  # widths of a character of 12 and of 10 px monospace
_APART = 56  # from one column to the next
_ROW, _CELL, _HEAD, _GAP = 20, 34, 16, 16
_MOST_CELLS, _MOST_OBJECTS, _WIDEST = 10, 40, 24  # cells of one object; objects; characters
_MOST_COLUMNS = 8
_ROWS = ("mapping", "instance", "class", "function", "iterator", "opaque")


@dataclass(frozen=True)
class _Spot:
    """Where an arrow begins, and the object that it leads to."""

    x: float
    y: float
    thing: int
    hot: bool


@dataclass
class _Sheet:
    """The drawing as it grows."""

    step: Step
    changed: set[int]
    hot: set[tuple[int, str]]  # (frame, name) that the step bound
    parts: list[str] = field(default_factory=list)
    spots: list[_Spot] = field(default_factory=list)
    doors: dict[int, tuple[float, float]] = field(default_factory=dict)
    width: float = 0
    height: float = 0

    def text(self, x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> None:
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">'
            f"{escape(words)}</text>"
        )

    def rect(self, x: float, y: float, size: tuple[float, float], kind: str) -> None:
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{size[0]:.1f}" height="{size[1]:.1f}" '
            f'rx="3" class="{kind}"/>'
        )
        self.width = max(self.width, x + size[0])
        self.height = max(self.height, y + size[1])

    def value(self, x: float, y: float, number: int, hot: bool = False) -> None:
        """Write an atom where it stands, or begin the arrow to what is no atom."""
        words = self.inline(number)
        if words is not None:
            self.text(x, y, words)
        else:
            self.parts.append(f'<circle cx="{x + 4:.1f}" cy="{y - 4:.1f}" r="3" class="head"/>')
            self.spots.append(_Spot(x + 4, y - 4, number, hot))

    def inline(self, number: int) -> str | None:
        """Return the words of an atom; None for what is drawn as a box of its own."""
        thing = self.step.things.get(number)
        if thing is None:
            return "…"
        if thing.kind == "atom":
            return object_text(self.step.things, number, _WIDEST)
        return None


def draw_objects(step: Step) -> str:
    """Draw the names of every frame and the objects that they lead to.

    Mutated objects have a strong border, names that were bound a strong arrow.
    """
    sheet = _Sheet(
        step,
        changed={c.thing or 0 for c in step.of_kind("mutated", "advanced")},
        hot={(c.frame, c.name) for c in step.of_kind("bound", "rebound")},
    )
    x = _draw_frames(sheet)
    for column in _columns(step):
        x = _draw_column(sheet, x + _APART, column)
    _draw_arrows(sheet)
    said = "; ".join(
        f"{name} is {object_text(step.things, number, 60)}"
        for frame in step.frames
        for name, number in frame.names.items()
    )
    said = said or "no names yet"
    width, height = sheet.width + 6, sheet.height + 6
    return (
        '<div class="drawing" tabindex="0" role="group" aria-label="Names and objects">'
        '<svg class="objects" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" '
        # Letters stay 9 px high at least; a phone scrolls.
        f'style="max-width:{width:.0f}px; min-width:{0.75 * width:.0f}px" '
        f'role="img" aria-label="{escape(said)}">'
        f"{''.join(sheet.parts)}</svg></div>"
    )


def _draw_frames(sheet: _Sheet) -> float:
    step, y, right = sheet.step, 2.0, 0.0
    for at, frame in enumerate(step.frames):
        title = "module" if frame.name == "<module>" else f"{frame.name}, line {frame.line}"
        names = max([len(name) for name in frame.names] or [0])
        values = [len(sheet.inline(n) or "•") for n in frame.names.values()]
        split = 8 + names * _CHAR + 8
        wide = max(split + max(values or [0]) * _CHAR + 8, len(title) * _CHAR, 90)
        sheet.text(4, y + 11, title, "label")
        y += _HEAD
        kind = "frame inner" if at == len(step.frames) - 1 and at else "frame"
        sheet.rect(1, y, (wide, max(len(frame.names), 1) * _ROW + 4), kind)
        for name, number in frame.names.items():
            sheet.text(split - 8, y + 15, name, "", "end")
            sheet.value(split + 2, y + 15, number, (frame.id, name) in sheet.hot)
            y += _ROW
        y += (0 if frame.names else _ROW) + _GAP
        right = max(right, wide)
    return right


def _columns(step: Step) -> list[list[Thing]]:
    """Place every object right of all that lead to it, as far as there are no circles."""
    depth: dict[int, int] = {}
    open_: set[int] = set()  # on the way here: an arrow back to one of these closes a circle

    def visit(number: int, at: int) -> None:
        thing = step.things.get(number)
        known = number in depth
        if thing is None or thing.kind == "atom" or number in open_:
            return
        if (known and depth[number] >= at) or (not known and len(depth) >= _MOST_OBJECTS):
            return
        depth[number] = min(at, _MOST_COLUMNS - 1)
        if depth[number] == at:
            open_.add(number)
            for _, part in thing.parts[:_MOST_CELLS]:
                visit(part, at + 1)
            open_.remove(number)

    for frame in step.frames:
        for number in frame.names.values():
            visit(number, 0)
    if step.value:
        visit(step.value, 0)
    columns: list[list[Thing]] = [[] for _ in range(_MOST_COLUMNS)]
    for number, at in depth.items():
        columns[at].append(step.things[number])
    return [column for column in columns if column]


def _draw_column(sheet: _Sheet, x: float, column: Sequence[Thing]) -> float:
    y, right = 2.0, x
    for thing in column:
        title = f"{thing.type.rpartition('.')[2]} #{thing.id}"
        if thing.kind in ("function", "class", "iterator", "opaque") and thing.text:
            title = f"{title}  {thing.text}"[: 2 * _WIDEST]
        sheet.text(x + 2, y + 11, title, "label")
        sheet.width = max(sheet.width, x + len(title) * _SMALL)
        y += _HEAD
        sheet.doors[thing.id] = (x, y + 8)
        kind = "changed" if thing.id in sheet.changed else ""
        draw = _draw_rows if thing.kind in _ROWS else _draw_cells
        wide, high = draw(sheet, x, y, thing)
        sheet.rect(x, y, (wide, high), f"frame {kind}".strip())
        y += high + _GAP
        right = max(right, x + wide, x + len(title) * _SMALL - _APART + 8)
    return right


def _draw_rows(sheet: _Sheet, x: float, y: float, thing: Thing) -> tuple[float, float]:
    shown = thing.parts[:_MOST_CELLS]
    if not shown:
        sheet.rect(x, y, (24, _ROW), "box")
        return 24, _ROW
    labels = [label[:_WIDEST] for label, _ in shown]
    split = max(map(len, labels)) * _CHAR + 14
    wide = split + max(len(sheet.inline(n) or "•") for _, n in shown) * _CHAR + 10
    for label, (_, number) in zip(labels, shown, strict=True):
        sheet.rect(x, y, (wide, _ROW), "box")
        sheet.text(x + split - 8, y + 14, label, "", "end")
        sheet.value(x + split, y + 14, number)
        y += _ROW
    rest = thing.n_parts - len(shown)
    if rest:
        sheet.text(x + 4, y + 13, f"… {rest} more", "label")
    return wide, (len(shown) + bool(rest)) * _ROW


def _draw_cells(sheet: _Sheet, x: float, y: float, thing: Thing) -> tuple[float, float]:
    shown = thing.parts[:_MOST_CELLS]
    if not shown:
        words = thing.text[:_WIDEST] or "empty"
        wide = len(words) * _CHAR + 12
        sheet.rect(x, y, (wide, _ROW), "box")
        sheet.text(x + 6, y + 14, words, "" if thing.text else "label")
        return wide, _ROW
    left = x
    for label, number in shown:
        words = sheet.inline(number) or "•"
        wide = max(len(words) * _CHAR, len(label) * _SMALL, 12) + 12
        sheet.rect(x, y, (wide, _CELL), "cell")
        sheet.text(x + 4, y + 11, label[:_WIDEST], "label")
        sheet.value(x + 6, y + 27, number)
        x += wide
    rest = thing.n_parts - len(shown)
    if rest:
        words = f"… {rest} more"
        sheet.text(x + 6, y + 22, words, "label")
        x += len(words) * _SMALL + 12
    return x - left, _CELL


def _draw_arrows(sheet: _Sheet) -> None:
    for spot in sheet.spots:
        door = sheet.doors.get(spot.thing)
        if door is None:
            continue
        x, y = door
        bend = max(abs(x - spot.x) * 0.45, 28)
        hot = " hot" if spot.hot else ""
        sheet.parts.append(
            f'<path d="M{spot.x:.1f} {spot.y:.1f}C{spot.x + bend:.1f} {spot.y:.1f} '
            f'{x - bend:.1f} {y:.1f} {x - 6:.1f} {y:.1f}" class="arrow{hot}"/>'
            f'<path d="M{x:.1f} {y:.1f}l-8 -4v8z" class="head{hot}"/>'
        )
