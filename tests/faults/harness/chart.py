"""Lines over time as SVG: panels one above the other, with the same axis of time."""

import html

WIDTH, PANEL, LEFT, RIGHT, GAP = 900, 170, 70, 150, 34
COLOURS = ("#1b6e75", "#b3541e", "#5b4b8a", "#3a7d34", "#a3325e", "#7a6a1f", "#2f5fa8", "#666666",
           "#c2882b", "#8a5a44")


def rounded_up(value):
    """1, 2 or 5 times a power of ten."""
    step = 10.0 ** (len(str(int(value))) - 1) if value >= 1 else 0.1
    while step < value:
        step *= 2
    return step


def line(points, seconds, most, top, colour):
    xs = WIDTH - LEFT - RIGHT
    ys = PANEL / most
    path = " ".join(f"{LEFT + xs * at / seconds:.1f},{top + PANEL - ys * min(y, most):.1f}"
                    for at, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


def panel(title, series, seconds, top):
    """`series`: name to [(second, value)]."""
    most = rounded_up(max((y for points in series.values() for _, y in points), default=1) or 1)
    parts = [f'<text x="{LEFT}" y="{top - 8}" class="title">{html.escape(title)}</text>',
             f'<rect x="{LEFT}" y="{top}" width="{WIDTH - LEFT - RIGHT}" height="{PANEL}" '
             'fill="none" stroke="#bbb"/>',
             f'<text x="{LEFT - 8}" y="{top + 10}" class="axis">{most:g}</text>',
             f'<text x="{LEFT - 8}" y="{top + PANEL}" class="axis">0</text>']
    for number, (name, points) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        parts += [line(points, seconds, most, top, colour),
                  f'<text x="{WIDTH - RIGHT + 10}" y="{top + 14 + 16 * number}" '
                  f'fill="{colour}">{html.escape(name)}</text>']
    return parts


def svg(panels, marks, seconds):
    """`panels`: title to series; `marks`: seconds at which something was done."""
    height = (PANEL + GAP) * len(panels) + GAP
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
             'font-family="sans-serif" font-size="12">',
             "<style>.title{font-weight:bold}.axis{text-anchor:end;fill:#666}</style>",
             f'<rect width="{WIDTH}" height="{height}" fill="white"/>']
    for at in marks:
        x = LEFT + (WIDTH - LEFT - RIGHT) * at / seconds
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{GAP}" y2="{height - GAP}" '
                     'stroke="#e4c9c9" stroke-width="1"/>')
    for number, (title, series) in enumerate(panels.items()):
        parts += panel(title, series, seconds, GAP + (PANEL + GAP) * number)
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{height - 10}" class="axis">'
                 f'{seconds / 60:.0f} minutes</text></svg>')
    return "\n".join(parts)
